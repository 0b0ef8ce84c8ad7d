//! Any bytes against schemas of every kind: no panic, and both ways to check agree.
#![no_main]

use std::sync::LazyLock;

use core_validate::{Faults, JsonLimits, Schema};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    [
        json!(true),
        json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"type": "string", "maxLength": 4}},
            "required": ["a"], "additionalProperties": false}),
        json!({"type": "array", "items": {"type": ["string", "null"], "pattern": "^[a-z]+$"}, "uniqueItems": true, "maxItems": 5}),
        json!({"anyOf": [{"type": "number", "multipleOf": 0.5}, {"type": "string", "format": "date-time"}, {"$ref": "#/$defs/node"}],
            "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "unevaluatedProperties": false}}}),
        json!({"oneOf": [{"const": 1}, {"enum": ["a", null]}, {"not": {"type": "object"}}],
            "if": {"type": "object"}, "then": {"minProperties": 1, "propertyNames": {"maxLength": 3}}}),
    ]
    .iter()
    .map(|document: &Value| Schema::compile(document).expect("a schema"))
    .collect()
});

fuzz_target!(|data: &[u8]| {
    let limits = JsonLimits { max_depth: 32, strict_keys: false };
    for schema in SCHEMAS.iter() {
        let accepted = schema.accepts(data, limits);
        let mut faults = Faults::new();
        let examined = schema.examine(data, limits, &["body"], &mut faults);
        assert_eq!(accepted.is_ok(), examined.is_ok());
        if let Ok(accepted) = accepted {
            assert_eq!(accepted, faults.is_empty());
            if !faults.is_empty() {
                serde_json::from_slice::<Value>(&faults.to_json()).expect("faults are JSON");
            }
        }
    }
});
