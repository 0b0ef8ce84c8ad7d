use super::code::Code;
use super::condition_shape;
use super::issue::Issues;
use super::kind;
use super::path::Place;
use crate::{Map, Value};

/// How deep guards, conditions and branches may be nested.
pub(super) const MAX_DEPTH: usize = 64;

/// Checks what stands under `guards`: a name, a mapping or a list of them.
pub(super) fn guards(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    match value {
        Value::Null => {}
        Value::Map(map) if map.is_empty() => {}
        Value::List(items) | Value::Tuple(items) => {
            for (index, item) in items.iter().enumerate() {
                guard(item, &place.index(index), issues, 0);
            }
        }
        Value::Text(_) | Value::Map(_) => guard(value, place, issues, 0),
        _ => issues.shape(place, "Input should be a valid string, dictionary or list"),
    }
}

fn guard(value: &Value, place: &Place<'_>, issues: &mut Issues, depth: usize) {
    match value {
        Value::Text(name) => registry_name("Guard name", name, place, issues),
        Value::Map(map) => guard_mapping(map, place, issues, depth),
        _ => issues.shape(place, "Input should be a valid string or dictionary"),
    }
}

fn guard_mapping(map: &Map, place: &Place<'_>, issues: &mut Issues, depth: usize) {
    if depth > MAX_DEPTH {
        issues.shape(
            place,
            format!("Guards are nested deeper than {MAX_DEPTH} levels"),
        );
        return;
    }
    if let Some(expression) = map.get("expr") {
        condition_shape::expression(expression, &place.key("expr"), issues);
    } else if let Some(name) = map.get("name") {
        if let Some(name) = kind::text(name, &place.key("name"), issues) {
            registry_name("Guard name", name, &place.key("name"), issues);
        }
        if let Some(params) = map.get("params").filter(|params| !params.is_null()) {
            kind::mapping(params, &place.key("params"), issues);
        }
    } else if let Some(check) = map.get("check") {
        condition_shape::check(check, &place.key("check"), issues);
    } else if let Some((key, items)) = alternative(map, &["allOf", "all_of", "anyOf", "any_of"]) {
        let place = place.key(key);
        for (index, item) in kind::list(items, &place, issues)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            guard(item, &place.index(index), issues, depth + 1);
        }
    } else if let Some((key, item)) = alternative(map, &["not", "negate"]) {
        guard(item, &place.key(key), issues, depth + 1);
    } else {
        issues.hinted(
            Code::Shape,
            place,
            format!("Invalid guard config: {}", Value::map(map.clone())),
            "a guard is a name, or a mapping with one of expr, name, check, allOf, anyOf, not",
        );
    }
}

pub(super) fn alternative<'m, 'k>(map: &'m Map, keys: &[&'k str]) -> Option<(&'k str, &'m Value)> {
    keys.iter()
        .find_map(|key| map.get(key).map(|value| (*key, value)))
}

/// Checks a name of a guard or an action in a registry.
pub(super) fn registry_name(what: &str, name: &str, place: &Place<'_>, issues: &mut Issues) {
    if !kind::is_name(name) {
        issues.add(
            Code::Name,
            place,
            format!(
                "{what} must contain only lowercase letters (a-z), numbers (0-9), and underscores (_). Got: '{name}'. \
                 Use a registry catalog entry for Python implementations; dotted import paths are not accepted as \
                 machine-config names."
            ),
        );
    }
}
