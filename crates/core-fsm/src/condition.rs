use crate::{Check, Env, Expr, Scope};

/// Something about a context that holds or doesn't.
#[derive(Clone, Debug)]
pub enum Condition {
    Check(Check),
    Expression(Expr),
}

impl Condition {
    /// Whether it holds. One that cannot be found out doesn't: a name that isn't there, values that have no order.
    pub fn holds(&self, scope: &dyn Scope, env: &Env<'_>) -> bool {
        match self {
            Self::Check(check) => check.eval(scope, env),
            Self::Expression(expression) => expression.holds(scope, env),
        }
        .unwrap_or(false)
    }

    /// The names it looks up.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Check(check) => check.names().collect(),
            Self::Expression(expression) => expression.names(),
        }
    }
}
