use std::sync::Arc;

use regex::Regex;

use crate::expr::{Comparison, Env, ExprError, compare, text_of};
use crate::{Map, Scope, Value, pattern};

/// What a check compares with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOp {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    NotIn,
    IsSet,
    IsNull,
    Contains,
    StartsWith,
    EndsWith,
    Matches,
}

/// By name, in the order in which messages list them.
const OPS: [(&str, CheckOp); 14] = [
    ("contains", CheckOp::Contains),
    ("ends_with", CheckOp::EndsWith),
    ("eq", CheckOp::Eq),
    ("gt", CheckOp::Gt),
    ("gte", CheckOp::Gte),
    ("in", CheckOp::In),
    ("is_null", CheckOp::IsNull),
    ("is_set", CheckOp::IsSet),
    ("lt", CheckOp::Lt),
    ("lte", CheckOp::Lte),
    ("matches", CheckOp::Matches),
    ("neq", CheckOp::Neq),
    ("not_in", CheckOp::NotIn),
    ("starts_with", CheckOp::StartsWith),
];

impl CheckOp {
    /// The operator of a name, or a message that lists them all.
    pub fn parse(name: &str) -> Result<Self, String> {
        match OPS.iter().find(|(known, _)| *known == name) {
            Some((_, op)) => Ok(*op),
            None => Err(format!(
                "Unknown check operator '{name}'. Supported: {}",
                Self::names().collect::<Vec<_>>().join(", ")
            )),
        }
    }

    /// The names of all of them, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        OPS.iter().map(|(name, _)| *name)
    }

    pub fn name(self) -> &'static str {
        OPS.iter()
            .find(|(_, op)| *op == self)
            .map_or("", |(name, _)| name)
    }
}

/// One field of a context compared with constants.
#[derive(Clone, Debug)]
pub struct Check {
    field: Arc<str>,
    /// The parts of a dotted field, for contexts without an entry of the whole name.
    path: Option<Arc<[Arc<str>]>>,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Compare(Comparison, Value),
    Order(Comparison, Value),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    IsSet,
    IsNull,
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    Matches(Pattern),
}

#[derive(Clone, Debug)]
enum Pattern {
    Linear(Regex),
    /// The host's own engine searches.
    Backtracking(Arc<str>),
}

impl Check {
    /// A check of its parts. `values` is what `in` and `not_in` look into, all others compare with `value`.
    pub fn new(
        field: &str,
        op: &str,
        value: &Value,
        values: &[Value],
        allow_backtracking: bool,
    ) -> Result<Self, String> {
        if field.is_empty() {
            return Err("CheckSpec field cannot be empty".to_owned());
        }
        let text = || text_of(value, &Env::default()).map_err(|error| error.to_string());
        let test = match CheckOp::parse(op)? {
            CheckOp::Eq => Test::Compare(Comparison::Equal, value.clone()),
            CheckOp::Neq => Test::Compare(Comparison::NotEqual, value.clone()),
            CheckOp::Gt => Test::Order(Comparison::Greater, value.clone()),
            CheckOp::Gte => Test::Order(Comparison::GreaterEqual, value.clone()),
            CheckOp::Lt => Test::Order(Comparison::Less, value.clone()),
            CheckOp::Lte => Test::Order(Comparison::LessEqual, value.clone()),
            CheckOp::In => Test::In(values.to_vec()),
            CheckOp::NotIn => Test::NotIn(values.to_vec()),
            CheckOp::IsSet => Test::IsSet,
            CheckOp::IsNull => Test::IsNull,
            CheckOp::Contains => Test::Contains(text()?),
            CheckOp::StartsWith => Test::StartsWith(text()?),
            CheckOp::EndsWith => Test::EndsWith(text()?),
            CheckOp::Matches => Test::Matches(match pattern::cached(&text()?) {
                Ok(pattern) => Pattern::Linear(pattern.as_ref().clone()),
                Err(_) if allow_backtracking => Pattern::Backtracking(text()?.into()),
                Err(error) => {
                    return Err(format!(
                        "{error}; look-around and back-references need allow_backtracking: true"
                    ));
                }
            }),
        };
        let path = field
            .contains('.')
            .then(|| field.split('.').map(Arc::from).collect());
        Ok(Self {
            field: field.into(),
            path,
            test,
        })
    }

    /// A check as configurations write it.
    pub fn from_config(config: &Map) -> Result<Self, String> {
        let name = |key: &str| match config.get(key) {
            Some(Value::Text(text)) => Ok(text),
            Some(other) => Err(format!(
                "'{key}' of a check must be text, not {}",
                other.type_name()
            )),
            None => Err(format!("a check needs '{key}'")),
        };
        let values = match config.get("values") {
            None | Some(Value::Null) => &[],
            Some(values) => values.as_items().ok_or_else(|| {
                format!(
                    "'values' of a check must be a list, not {}",
                    values.type_name()
                )
            })?,
        };
        Self::new(
            name("field")?,
            name("op")?,
            config.get("value").unwrap_or(&Value::Null),
            values,
            config.get("allow_backtracking") == Some(&Value::Bool(true)),
        )
    }

    /// The field as it was written.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The names it looks up: the field, and where a path in it begins.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let root = self.path.as_ref().map(|path| &*path[0]);
        std::iter::once(&*self.field).chain(root)
    }

    /// Whether the check holds; `Err` where the values can't be compared.
    pub fn eval(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<bool, ExprError> {
        let value = match (scope.get(&self.field), &self.path) {
            (Some(value), _) => value,
            (None, Some(path)) => scope.walk(path).unwrap_or(Value::Null),
            (None, None) => Value::Null,
        };
        let holds = |values: &[Value]| {
            values.iter().try_fold(false, |found, other| {
                Ok::<_, ExprError>(found || compare(Comparison::Equal, &value, other, env)?)
            })
        };
        match &self.test {
            Test::Compare(operator, other) => compare(*operator, &value, other, env),
            Test::In(values) => holds(values),
            Test::NotIn(values) => holds(values).map(|found| !found),
            Test::IsSet => Ok(!value.is_null()),
            Test::IsNull => Ok(value.is_null()),
            _ if value.is_null() => Ok(false),
            Test::Order(operator, other) => compare(*operator, &value, other, env),
            Test::Contains(part) => with_text(&value, env, |text| text.contains(part)),
            Test::StartsWith(part) => with_text(&value, env, |text| text.starts_with(part)),
            Test::EndsWith(part) => with_text(&value, env, |text| text.ends_with(part)),
            Test::Matches(Pattern::Linear(pattern)) => {
                with_text(&value, env, |text| pattern.is_match(text))
            }
            Test::Matches(Pattern::Backtracking(pattern)) => env
                .host
                .search(pattern, &text_of(&value, env)?)
                .map_err(|error| ExprError::new(crate::ExprErrorKind::Value, error)),
        }
    }
}

fn with_text(
    value: &Value,
    env: &Env<'_>,
    test: impl FnOnce(&str) -> bool,
) -> Result<bool, ExprError> {
    match value {
        Value::Text(text) => Ok(test(text)),
        other => text_of(other, env).map(|text| test(&text)),
    }
}
