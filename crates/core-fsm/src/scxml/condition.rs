//! Conditions of transitions and branches: an expression, or guards as configurations write them.

use std::sync::Arc;

use super::chart::Language;
use super::code::Code;
use super::data::View;
use crate::{Map, Value, When};

/// Guards inside of each other.
const MAX_DEPTH: usize = 64;

#[derive(Debug)]
pub(super) struct Condition {
    source: Arc<str>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Code(Code),
    Guards(Vec<Guard>),
}

#[derive(Debug)]
enum Guard {
    /// One that the host knows.
    Named(Arc<str>),
    Code(Code),
    When(When),
    All(Vec<Guard>),
    Any(Vec<Guard>),
    Not(Box<Guard>),
}

impl Condition {
    pub(super) fn code(code: Code) -> Self {
        Self {
            source: code.source().into(),
            test: Test::Code(code),
        }
    }

    /// All of a list of guards; `label` is what people read.
    pub(super) fn guards(label: &str, guards: &[Value]) -> Result<Self, String> {
        let guards = guards
            .iter()
            .map(|guard| Guard::parse(guard, 0))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            source: label.into(),
            test: Test::Guards(guards),
        })
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn holds(&self, view: &View<'_>) -> Result<bool, String> {
        match &self.test {
            Test::Code(code) => code.holds(view),
            Test::Guards(guards) => all(guards, view),
        }
    }
}

fn all(guards: &[Guard], view: &View<'_>) -> Result<bool, String> {
    for guard in guards {
        if !guard.passes(view)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Guard {
    fn parse(value: &Value, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("guards are nested more than {MAX_DEPTH} deep"));
        }
        let Value::Map(map) = value else {
            return match value {
                Value::Text(name) => Ok(Self::Named(name.clone())),
                other => Err(format!("{other} is no guard")),
            };
        };
        match (map.get("expr"), map.get("name")) {
            (Some(Value::Text(source)), _) => {
                return Ok(Self::Code(Code::compile(Language::Python, source)));
            }
            (None, Some(Value::Text(name))) => return Ok(Self::Named(name.clone())),
            _ => {}
        }
        if map.get("check").is_some() || map.get("field").is_some() {
            return When::from_config(map).map(Self::When);
        }
        let either = |names: [&str; 2]| names.into_iter().find_map(|name| map.get(name));
        if let Some(value) = either(["allOf", "all_of"]) {
            return Self::members(value, depth).map(Self::All);
        }
        if let Some(value) = either(["anyOf", "any_of"]) {
            return Self::members(value, depth).map(Self::Any);
        }
        match either(["not", "negate"]) {
            Some(value) => Ok(Self::Not(Box::new(Self::parse(value, depth + 1)?))),
            None => Err(format!("{value} is no guard")),
        }
    }

    fn members(value: &Value, depth: usize) -> Result<Vec<Self>, String> {
        value
            .as_items()
            .ok_or_else(|| format!("{value} is no list of guards"))?
            .iter()
            .map(|item| Self::parse(item, depth + 1))
            .collect()
    }

    /// Whether it passes. An expression whose value cannot be found out doesn't; a guard that nobody knows is an error.
    fn passes(&self, view: &View<'_>) -> Result<bool, String> {
        match self {
            Self::Named(name) => view
                .host
                .guard(name, &view.data.values)
                .ok_or_else(|| format!("the guard '{name}' is not registered")),
            Self::Code(code) => Ok(code.holds(view).unwrap_or(false)),
            Self::When(when) => Ok(when.eval(view, &view.env()).unwrap_or(false)),
            Self::All(guards) => all(guards, view),
            Self::Any(guards) => {
                for guard in guards {
                    if guard.passes(view)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(guard) => guard.passes(view).map(|passes| !passes),
        }
    }
}

/// What an effect has beside its name, from the one value that stands under it.
pub(super) fn effect_params(name: &str, value: &Value) -> Map {
    match (name, value) {
        ("set" | "compute" | "append", Value::Map(map)) => map.as_ref().clone(),
        _ => {
            let mut params = Map::new();
            params.insert("field", value.clone());
            params
        }
    }
}
