//! Places of the data model: a name, and the way from there.

use std::sync::Arc;

use super::chart::Language;
use super::code::Code;
use super::data::{View, is_system};
use super::ecma;
use crate::{Key, Map, Scope, Value};

#[derive(Debug)]
pub(super) struct Location {
    source: Arc<str>,
    place: Result<Place, Arc<str>>,
}

#[derive(Debug)]
struct Place {
    root: Arc<str>,
    steps: Vec<Way>,
}

#[derive(Debug)]
enum Way {
    Member(Arc<str>),
    Item(Code),
}

impl Location {
    pub(super) fn compile(language: Language, source: &str) -> Self {
        let source = source.trim();
        let place = parse(language, source);
        Self {
            source: source.into(),
            place: place.map_err(|error| {
                format!("'{source}' is no place in the data model: {error}").into()
            }),
        }
    }

    pub(super) fn fault(&self) -> Option<&str> {
        self.place.as_ref().err().map(|error| &**error)
    }

    /// What is there.
    pub(super) fn read(&self, view: &View<'_>) -> Result<Value, String> {
        let place = self.place.as_ref().map_err(ToString::to_string)?;
        let mut value = view
            .get(&place.root)
            .ok_or_else(|| format!("'{}' is not defined", place.root))?;
        for key in place.keys(view)? {
            value = item(&value, &key).ok_or_else(|| format!("there is no '{}'", self.source))?;
        }
        Ok(value)
    }

    /// The name at which it begins, and the value of that name with another value in the place.
    pub(super) fn written(
        &self,
        view: &View<'_>,
        value: Value,
        declares: bool,
    ) -> Result<(Arc<str>, Value), String> {
        let place = self.place.as_ref().map_err(ToString::to_string)?;
        if is_system(&place.root) {
            return Err(format!("'{}' belongs to the system", place.root));
        }
        let old = view.data.values.get(&place.root);
        if place.steps.is_empty() {
            return if old.is_some() || declares {
                Ok((place.root.clone(), value))
            } else {
                Err(format!("'{}' is not declared", place.root))
            };
        }
        let old = old.ok_or_else(|| format!("'{}' is not declared", place.root))?;
        let keys = place.keys(view)?;
        Ok((place.root.clone(), replaced(old, &keys, value)?))
    }
}

impl Place {
    fn keys(&self, view: &View<'_>) -> Result<Vec<Value>, String> {
        self.steps
            .iter()
            .map(|step| match step {
                Way::Member(name) => Ok(Value::Text(name.clone())),
                Way::Item(code) => code.eval(view),
            })
            .collect()
    }
}

fn position(key: &Value, length: usize) -> Option<usize> {
    match key {
        Value::Int(at) if *at >= 0 => usize::try_from(*at).ok(),
        Value::Int(at) => length.checked_sub(at.unsigned_abs() as usize),
        Value::Float(at) if at.fract() == 0.0 && *at >= 0.0 => Some(*at as usize),
        Value::Text(digits) => digits.parse().ok(),
        _ => None,
    }
}

fn item(value: &Value, key: &Value) -> Option<Value> {
    match (value, key) {
        (Value::Map(map), Value::Text(name)) => map.get(name).cloned(),
        (Value::Map(map), Value::Int(number)) => map.get_key(&Key::Int(*number)).cloned(),
        (Value::List(items) | Value::Tuple(items), key) => {
            items.get(position(key, items.len())?).cloned()
        }
        _ => None,
    }
}

/// The value with another in the place that the keys lead to.
fn replaced(old: &Value, keys: &[Value], value: Value) -> Result<Value, String> {
    let Some((key, rest)) = keys.split_first() else {
        return Ok(value);
    };
    match (old, key) {
        (Value::Map(map), Value::Text(_) | Value::Int(_)) => {
            let name = match key {
                Value::Int(number) => Key::Int(*number),
                key => Key::from(key.as_text().unwrap_or_default()),
            };
            let inner = match (map.get_key(&name), rest.is_empty()) {
                (Some(inner), false) => replaced(inner, rest, value)?,
                (None, false) => return Err(format!("there is no {key} to go on from")),
                (_, true) => value,
            };
            let mut changed: Map = map.as_ref().clone();
            changed.insert(name, inner);
            Ok(Value::map(changed))
        }
        (Value::List(items), key) => {
            let at = position(key, items.len())
                .filter(|at| *at <= items.len())
                .ok_or_else(|| format!("{key} is no position in a list of {}", items.len()))?;
            let mut changed = items.as_ref().clone();
            match changed.get_mut(at) {
                Some(slot) => *slot = replaced(slot, rest, value)?,
                None if rest.is_empty() => changed.push(value),
                None => return Err(format!("there is no item {at} to go on from")),
            }
            Ok(Value::list(changed))
        }
        (other, key) => Err(format!("a {} has no {key} to assign to", other.type_name())),
    }
}

const KEYWORDS: [&str; 45] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "case", "catch",
    "class", "const", "continue", "def", "del", "delete", "do", "elif", "else", "export", "false",
    "finally", "for", "from", "function", "global", "if", "import", "in", "is", "lambda", "new",
    "nonlocal", "not", "null", "or", "pass", "raise", "return", "this", "true", "try", "while",
    "with",
];

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|first| first == '_' || first == '$' || first.is_alphabetic())
        && chars.all(|char| char == '_' || char == '$' || char.is_alphanumeric())
        && !KEYWORDS.contains(&text)
}

fn parse(language: Language, source: &str) -> Result<Place, String> {
    if language == Language::Null {
        return Err("the null data model has none".to_owned());
    }
    let end = source.find(['.', '[']).unwrap_or(source.len());
    let root = source[..end].trim();
    if !is_name(root) {
        return Err(format!("'{root}' is no name"));
    }
    let mut steps = Vec::new();
    let mut rest = source[end..].trim_start();
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let name = tail[..end].trim();
            if !is_name(name) {
                return Err(format!("'{name}' is no name"));
            }
            steps.push(Way::Member(name.into()));
            rest = tail[end..].trim_start();
        } else if rest.starts_with('[') {
            let end = ecma::closing(rest).ok_or("a bracket is not closed")?;
            let code = Code::compile(language, &rest[1..end]);
            if let Some(fault) = code.fault() {
                return Err(fault.to_owned());
            }
            steps.push(Way::Item(code));
            rest = rest[end + 1..].trim_start();
        } else {
            return Err(format!("unexpected: {rest}"));
        }
    }
    Ok(Place {
        root: root.into(),
        steps,
    })
}
