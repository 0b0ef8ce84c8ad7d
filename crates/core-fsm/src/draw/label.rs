use crate::{Map, Value};

/// A guard as people read it.
pub fn guard_label(guard: &Value) -> String {
    let Some(map) = guard.as_map() else {
        return plain(guard);
    };
    if let Some(expression) = map.get("expr") {
        return plain(expression);
    }
    if let Some(name) = map.get("name") {
        return plain(name);
    }
    if let Some(check) = map.get("check").and_then(Value::as_map) {
        return check_label(check);
    }
    for (key, word) in [
        ("allOf", " and "),
        ("all_of", " and "),
        ("anyOf", " or "),
        ("any_of", " or "),
    ] {
        if let Some(parts) = map.get(key).and_then(Value::as_items) {
            let parts: Vec<_> = parts.iter().map(guard_label).collect();
            return format!("({})", parts.join(word));
        }
    }
    if let Some(part) = map.get("not").or_else(|| map.get("negate")) {
        return format!("not {}", guard_label(part));
    }
    check_label(map)
}

fn check_label(check: &Map) -> String {
    let field = check.get("field").map(plain).unwrap_or_default();
    let op = check.get("op").map(plain).unwrap_or_default();
    let sign = match op.as_str() {
        "eq" => "==",
        "neq" => "!=",
        "gt" => ">",
        "gte" => ">=",
        "lt" => "<",
        "lte" => "<=",
        "not_in" => "not in",
        "is_set" => return format!("{field} is set"),
        "is_null" => return format!("{field} is null"),
        other => other,
    };
    let value = check
        .get("value")
        .or_else(|| check.get("values"))
        .map_or_else(|| "null".to_owned(), Value::to_string);
    format!("{field} {sign} {value}")
}

/// An action as people read it.
pub fn action_label(action: &Value) -> String {
    let Some(map) = action.as_map() else {
        return plain(action);
    };
    if let Some(name) = map.get("name") {
        return plain(name);
    }
    if let Some(custom) = map.get("custom").and_then(Value::as_map) {
        return custom.get("name").map(plain).unwrap_or_default();
    }
    for key in [
        "timestamp",
        "increment",
        "decrement",
        "clear",
        "raise",
        "cancel",
    ] {
        if let Some(value) = map.get(key) {
            return format!("{key} {}", plain(value));
        }
    }
    for key in ["set", "compute"] {
        if let Some(fields) = map.get(key).and_then(Value::as_map) {
            let keys: Vec<_> = fields.iter().filter_map(|(key, _)| key.as_text()).collect();
            return format!("{key} {}", keys.join(", "));
        }
    }
    for (key, part) in [
        ("append", "field"),
        ("send", "event"),
        ("emit", "topic"),
        ("http", "url"),
    ] {
        if let Some(value) = map.get(key) {
            let inner = value
                .as_map()
                .and_then(|map| map.get(part))
                .unwrap_or(value);
            return format!("{key} {}", plain(inner));
        }
    }
    for key in ["branch", "code"] {
        if map.get(key).is_some() {
            return key.to_owned();
        }
    }
    Value::map(map.clone()).to_string()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// A delay as people read it.
pub(super) fn delay_label(after: &Value) -> String {
    match after {
        Value::Int(milliseconds) => {
            for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
                if *milliseconds != 0 && milliseconds % size == 0 {
                    return format!("{}{unit}", milliseconds / size);
                }
            }
            format!("{milliseconds}ms")
        }
        Value::Map(map) => map.get("expr").map(plain).unwrap_or_default(),
        other => plain(other),
    }
}
