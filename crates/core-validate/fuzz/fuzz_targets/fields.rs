//! Any names and texts for the fields of a form: no panic; what they make, written as fields again, makes the same.
#![no_main]

use std::borrow::Cow;
use std::sync::LazyLock;

use core_validate::{Faults, Schema};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

type Pairs = Vec<(Cow<'static, str>, Cow<'static, str>)>;

static ANYTHING: LazyLock<Schema> = LazyLock::new(|| Schema::compile(&json!(true)).expect("a schema"));

static TYPED: LazyLock<Schema> = LazyLock::new(|| {
    let document = json!({
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
            "b": {"type": "object", "properties": {"c": {"type": "boolean"}, "d": {"$ref": "#/$defs/node"}}},
            "e": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "f": {"type": "string", "format": "date"},
            "g": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        },
        "required": ["a"],
        "additionalProperties": false,
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "n": {"type": "integer"}}}},
    });
    Schema::compile(&document).expect("a schema")
});

fn pairs(text: &str) -> Pairs {
    let owned = |text: &str| Cow::Owned(text.to_owned());
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (owned(name), owned(value)))
        .collect()
}

/// What untyped fields make; none if they are refused.
fn made(pairs: &Pairs) -> Option<Value> {
    let mut faults = Faults::new();
    let value = ANYTHING.coerce_form(pairs, &["body"], &mut faults).ok()?;
    assert!(faults.is_empty());
    Some(value.expect("a value where there is no fault").to_json())
}

/// As fields again.
fn written(name: &str, value: &Value, fields: &mut Pairs) {
    let inner = |step: &str| if name.is_empty() { step.to_owned() } else { format!("{name}[{step}]") };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| written(&inner(key), value, fields)),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(index, value)| written(&inner(&index.to_string()), value, fields)),
        Value::String(text) => fields.push((Cow::Owned(name.to_owned()), Cow::Owned(text.clone()))),
        other => panic!("a text became {other}"),
    }
}

/// Whether brackets alone say what the value is.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let is_name = |key: &String| !key.is_empty() && !key.contains(['[', ']']) && key.parse::<u64>().is_err();
            object.iter().all(|(key, value)| is_name(key) && is_plain(value))
        }
        Value::Array(list) => list.iter().all(is_plain),
        _ => true,
    }
}

fuzz_target!(|text: &str| {
    let pairs = pairs(text);
    if let Some(value) = made(&pairs)
        && is_plain(&value)
    {
        let mut fields = Pairs::new();
        written("", &value, &mut fields);
        assert_eq!(made(&fields), Some(value));
    }

    let mut faults = Faults::new();
    if let Ok(value) = TYPED.coerce_form(&pairs, &["body"], &mut faults) {
        assert_eq!(value.is_none(), !faults.is_empty());
        if let Some(value) = value {
            // What the coercion lets pass is what the schema allows.
            let text = value.to_json().to_string();
            assert_eq!(TYPED.accepts(text.as_bytes(), core_validate::JsonLimits { max_depth: 64, strict_keys: true }).ok(), Some(true), "{text}");
        }
    }
    serde_json::from_slice::<Value>(&faults.to_json()).expect("faults are JSON");
});
