use std::sync::Arc;

use num_bigint::BigInt;

use crate::expr::{Env, Expr, ExprError, ExprErrorKind};
use crate::{Key, Map, Moment, Scope, Value};

/// What an action without code does to a context.
#[derive(Clone, Debug)]
pub enum Effect {
    Set(Map),
    Timestamp(Arc<str>),
    /// Adds a number to a field.
    Add(Arc<str>, i64),
    Append(Arc<str>, Value),
    Clear(Arc<str>),
    Compute(Vec<Computation>),
}

/// One change of a context, for whoever holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Set(Key, Value),
    /// An item at the end of the list in a field.
    Append(Arc<str>, Value),
    Remove(Arc<str>),
}

/// The names of all effects, sorted.
pub const EFFECTS: [&str; 7] = [
    "append",
    "clear",
    "compute",
    "decrement",
    "increment",
    "set",
    "timestamp",
];

impl Effect {
    /// An effect from its name and what stands under it.
    pub fn parse(name: &str, params: &Map) -> Result<Self, ExprError> {
        let key = |key: &str| {
            params
                .get(key)
                .ok_or_else(|| ExprError::new(ExprErrorKind::Key, format!("'{key}'")))
        };
        let field = || match key("field")? {
            Value::Text(field) => Ok(field.clone()),
            other => Err(ExprError::new(
                ExprErrorKind::Type,
                format!(
                    "the field of '{name}' must be text, not {}",
                    other.type_name()
                ),
            )),
        };
        Ok(match name {
            "set" => Self::Set(params.clone()),
            "timestamp" => Self::Timestamp(field()?),
            "increment" => Self::Add(field()?, 1),
            "decrement" => Self::Add(field()?, -1),
            "append" => Self::Append(field()?, key("value")?.clone()),
            "clear" => Self::Clear(field()?),
            "compute" => Self::Compute(compile(params)?),
            _ => {
                return Err(ExprError::new(
                    ExprErrorKind::Value,
                    format!("Unknown effect type: {name}"),
                ));
            }
        })
    }

    /// What it changes in a context, which it leaves alone.
    pub fn changes(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<Vec<Change>, ExprError> {
        match self {
            Self::Set(values) => Ok(values
                .iter()
                .map(|(key, value)| Change::Set(key.clone(), value.clone()))
                .collect()),
            Self::Timestamp(field) => match env.host.now() {
                Some(micros) => {
                    let now = Value::text(Moment::new(micros).iso());
                    Ok(vec![Change::Set(Key::Text(field.clone()), now)])
                }
                None => Err(ExprError::new(
                    ExprErrorKind::Refused,
                    format!("no clock to set field '{field}' by"),
                )),
            },
            Self::Add(field, step) => {
                let sum = add(field, scope.get(field), *step)?;
                Ok(vec![Change::Set(Key::Text(field.clone()), sum)])
            }
            Self::Append(field, value) => match scope.get(field) {
                None => Ok(vec![Change::Set(
                    Key::Text(field.clone()),
                    Value::list(vec![value.clone()]),
                )]),
                Some(Value::List(_)) => Ok(vec![Change::Append(field.clone(), value.clone())]),
                Some(other) => Err(ExprError::new(
                    ExprErrorKind::Type,
                    format!(
                        "Cannot append to field '{field}': expected a list value, got {}",
                        other.type_name()
                    ),
                )),
            },
            Self::Clear(field) => Ok(match scope.get(field) {
                Some(_) => vec![Change::Remove(field.clone())],
                None => Vec::new(),
            }),
            Self::Compute(exprs) => {
                let mut computed = Computed {
                    scope,
                    values: Map::new(),
                };
                for one in exprs {
                    let value = one
                        .expr
                        .eval(&computed, env)
                        .map_err(|error| error.of(&one.source))?;
                    computed.values.insert(Key::Text(one.field.clone()), value);
                }
                Ok(computed
                    .values
                    .iter()
                    .map(|(key, value)| Change::Set(key.clone(), value.clone()))
                    .collect())
            }
        }
    }
}

fn compile(params: &Map) -> Result<Vec<Computation>, ExprError> {
    params
        .iter()
        .map(|(key, source)| match (key, source) {
            (Key::Text(field), Value::Text(source)) => {
                let source: Arc<str> = source.trim().into();
                let expr = Expr::compile(&source).map_err(|error| error.of(&source))?;
                Ok(Computation {
                    field: field.clone(),
                    source,
                    expr,
                })
            }
            (_, other) => Err(ExprError::new(
                ExprErrorKind::Type,
                format!(
                    "'compute' takes names and expressions in text, not {}",
                    other.type_name()
                ),
            )),
        })
        .collect()
}

fn add(field: &str, value: Option<Value>, step: i64) -> Result<Value, ExprError> {
    match value {
        None => Ok(Value::Int(step)),
        Some(Value::Int(number)) => Ok(match number.checked_add(step) {
            Some(sum) => Value::Int(sum),
            None => Value::integer(BigInt::from(number) + step),
        }),
        Some(Value::Big(number)) => Ok(Value::integer(number.as_ref() + step)),
        Some(Value::Float(number)) => Ok(Value::Float(number + step as f64)),
        Some(other) => Err(ExprError::new(
            ExprErrorKind::Type,
            format!(
                "Cannot {} field '{field}': expected a numeric value, got {}",
                if step > 0 { "increment" } else { "decrement" },
                other.type_name()
            ),
        )),
    }
}

/// A field, and the expression of its value, compiled and as it was written.
#[derive(Clone, Debug)]
pub struct Computation {
    field: Arc<str>,
    source: Arc<str>,
    expr: Expr,
}

/// A context with what has been computed so far before it.
struct Computed<'a> {
    scope: &'a dyn Scope,
    values: Map,
}

impl Scope for Computed<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        match self.values.get(name) {
            Some(value) => Some(value.clone()),
            None => self.scope.get(name),
        }
    }

    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        match path.first() {
            Some(root) if self.values.get(root).is_some() => self.values.walk(path),
            _ => self.scope.walk(path),
        }
    }
}
