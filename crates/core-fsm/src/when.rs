use crate::check::Check;
use crate::expr::{Env, ExprError};
use crate::{Map, Scope, Value};

/// Nested composites of a condition.
const MAX_DEPTH: usize = 64;

/// A check, or what several of them make together.
#[derive(Clone, Debug)]
pub enum When {
    Check(Check),
    Any(Vec<When>),
    All(Vec<When>),
    Not(Box<When>),
}

impl When {
    /// A condition as configurations write it, in either spelling.
    pub fn from_config(config: &Map) -> Result<Self, String> {
        Self::nested(config, 0)
    }

    fn nested(config: &Map, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("conditions are nested more than {MAX_DEPTH} deep"));
        }
        let either = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| config.get(name).map(|value| (name, value)))
        };
        if let Some((name, value)) = either(["any_of", "anyOf"]) {
            return Self::members(name, value, depth).map(Self::Any);
        }
        if let Some((name, value)) = either(["all_of", "allOf"]) {
            return Self::members(name, value, depth).map(Self::All);
        }
        if let Some((name, value)) = either(["negate", "not"]) {
            return Self::member(name, value, depth).map(|item| Self::Not(Box::new(item)));
        }
        match config.get("check") {
            Some(Value::Map(check)) => Self::nested(check, depth + 1),
            Some(other) => Err(format!(
                "'check' must be a mapping, not {}",
                other.type_name()
            )),
            None => Check::from_config(config).map(Self::Check),
        }
    }

    fn members(name: &str, value: &Value, depth: usize) -> Result<Vec<Self>, String> {
        match value.as_items() {
            Some([]) => Err(format!("'{name}' must not be empty")),
            Some(items) => items
                .iter()
                .map(|item| Self::member(name, item, depth))
                .collect(),
            None => Err(format!(
                "'{name}' must be a list, not {}",
                value.type_name()
            )),
        }
    }

    fn member(name: &str, value: &Value, depth: usize) -> Result<Self, String> {
        match value {
            Value::Map(config) => Self::nested(config, depth + 1),
            other => Err(format!(
                "'{name}' takes mappings, not {}",
                other.type_name()
            )),
        }
    }

    /// Whether the condition holds; what decides ends the search.
    pub fn eval(&self, scope: &dyn Scope, env: &Env<'_>) -> Result<bool, ExprError> {
        match self {
            Self::Check(check) => check.eval(scope, env),
            Self::Any(items) => {
                for item in items {
                    if item.eval(scope, env)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(items) => {
                for item in items {
                    if !item.eval(scope, env)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(item) => item.eval(scope, env).map(|holds| !holds),
        }
    }
}
