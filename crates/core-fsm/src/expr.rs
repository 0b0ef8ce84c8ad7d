//! Expressions: one line of Python's own grammar, compiled once, evaluated under limits.

mod code;
mod error;
mod format_spec;
mod function;
mod host;
mod index;
mod lexer;
mod meter;
mod method;
mod number;
mod operation;
mod order;
mod parser;
mod repr;
mod run;
mod template_literal;
mod text_literal;
mod text_parser;
mod token;

use std::sync::Arc;

pub(crate) use code::Comparison;
pub use error::{ExprError, ExprErrorKind};
pub use host::{Env, Host, Limits, NoHost};

use crate::{Scope, Value};
use code::Op;
use meter::Meter;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Expr {
    source: Arc<str>,
    code: Box<[Op]>,
}

impl Expr {
    /// Compiles a text, or says what is wrong with it and where.
    pub fn compile(source: &str) -> Result<Self, ExprError> {
        Ok(Self {
            source: source.into(),
            code: parser::parse(source)?.into(),
        })
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its value where names mean what `scope` says.
    pub fn eval(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<Value, ExprError> {
        match &*self.code {
            [Op::Name(name)] => run::look_up(scope, name),
            [
                Op::Name(name),
                Op::Constant(constant),
                Op::Compare(operator),
            ] => {
                let value = run::look_up(scope, name)?;
                let meter = Meter::new(env.limits);
                order::compare(&meter, *operator, &value, constant).map(Value::Bool)
            }
            code => run::run(code, scope, env),
        }
    }

    /// Whether its value counts as true.
    pub fn holds(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<bool, ExprError> {
        operation::truth(&self.eval(scope, env)?)
    }

    /// The names it looks up, each once, in the order of the text.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for op in &self.code {
            let name = match op {
                Op::Name(name) => name,
                Op::Path(path) => &path[0],
                _ => continue,
            };
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        names
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// The text of a value, as `str()` gives it.
pub(crate) fn text_of(value: &Value, env: &Env<'_>) -> Result<String, ExprError> {
    repr::text(&Meter::new(env.limits), value)
}

/// Whether a comparison holds.
pub(crate) fn compare(
    operator: Comparison,
    left: &Value,
    right: &Value,
    env: &Env<'_>,
) -> Result<bool, ExprError> {
    order::compare(&Meter::new(env.limits), operator, left, right)
}
