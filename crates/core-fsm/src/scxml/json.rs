use super::undefined::is_undefined;
use crate::{Key, Value};

/// A value as JSON, entries in their order; what JSON has no form for is null.
pub(crate) fn to_json(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Big(number) => number.to_string(),
        Value::Float(number) => serde_json::Value::from(*number).to_string(),
        Value::Text(text) => quoted(text),
        Value::List(items) | Value::Tuple(items) => {
            let items: Vec<_> = items.iter().map(to_json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(map) => {
            let entries: Vec<_> = map
                .iter()
                .filter(|(_, value)| !is_undefined(value))
                .map(|(key, value)| format!("{}:{}", key_text(key), to_json(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Foreign(foreign) if !is_undefined(value) => foreign
            .text()
            .map_or_else(|_| "null".to_owned(), |text| quoted(&text)),
        Value::Null | Value::Foreign(_) => "null".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Text(text) | Key::Other(_, text) => quoted(text),
        Key::Int(number) => quoted(&number.to_string()),
    }
}
