//! Schemas that are refused, with their places; references; foreign patterns.

use core_validate::{Faults, JsonLimits, PatternFallback, PatternMatcher, Schema};
use serde_json::json;

#[test]
fn refusals_name_the_place() {
    let cases = [
        (json!(1), ""),
        (json!({"type": "text"}), "/type"),
        (json!({"type": []}), "/type"),
        (
            json!({"properties": {"a/b": {"type": 5}}}),
            "/properties/a~1b/type",
        ),
        (json!({"properties": []}), "/properties"),
        (
            json!({"minimum": 1, "exclusiveMinimum": true}),
            "/exclusiveMinimum",
        ),
        (json!({"maximum": "1"}), "/maximum"),
        (json!({"multipleOf": 0}), "/multipleOf"),
        (json!({"minLength": -1}), "/minLength"),
        (json!({"maxItems": 1.5}), "/maxItems"),
        (json!({"pattern": "("}), "/pattern"),
        (json!({"pattern": "(?=a)b"}), "/pattern"),
        (
            json!({"patternProperties": {"[": {}}}),
            "/patternProperties/[",
        ),
        (json!({"required": "a"}), "/required"),
        (json!({"required": [1]}), "/required"),
        (json!({"enum": "a"}), "/enum"),
        (json!({"allOf": []}), "/allOf"),
        (json!({"anyOf": [{}, 3]}), "/anyOf/1"),
        (json!({"items": 3}), "/items"),
        (json!({"$ref": "https://example.com/schema.json"}), "/$ref"),
        (json!({"$ref": "other.json#/a"}), "/$ref"),
        (json!({"$ref": "#/$defs/none"}), "/$ref"),
        (json!({"$ref": "#none"}), "/$ref"),
        (json!({"uniqueItems": 1}), "/uniqueItems"),
        (
            json!({"format": "uuid", "uuidVersion": "9"}),
            "/uuidVersion",
        ),
        (
            json!({"dependentRequired": {"a": "b"}}),
            "/dependentRequired/a",
        ),
    ];
    for (schema, pointer) in cases {
        let error = Schema::compile(&schema).expect_err(&schema.to_string());
        assert_eq!(error.pointer, pointer, "{schema}: {error}");
    }
}

#[test]
fn loops_without_descent_are_refused() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        json!({"dependentSchemas": {"a": {"$ref": "#"}}}),
    ] {
        assert!(Schema::compile(&schema).is_err(), "{schema}");
    }
    assert!(Schema::compile(&json!({"properties": {"a": {"$ref": "#"}}})).is_ok());
}

#[test]
fn deep_schemas_are_refused_not_followed() {
    let mut schema = json!({});
    for _ in 0..300 {
        schema = json!({"not": schema});
    }
    assert!(Schema::compile(&schema).is_err());
}

#[test]
fn local_references_in_every_spelling() {
    let schema = json!({
        "$id": "https://example.com/root",
        "properties": {
            "a": {"$ref": "#/$defs/a~1b%20c"},
            "b": {"$ref": "#word"},
            "c": {"$ref": "https://example.com/root#/definitions/d"},
            "d": {"$ref": "item"},
        },
        "$defs": {"a/b c": {"type": "integer"}, "x": {"$anchor": "word", "type": "integer"}, "y": {"$id": "item", "type": "integer"}},
        "definitions": {"d": {"type": "integer"}},
    });
    let schema = Schema::compile(&schema).expect("a schema");
    for key in ["a", "b", "c", "d"] {
        assert!(schema.accepts_value(&json!({key: 1})), "{key}");
        assert!(!schema.accepts_value(&json!({key: "1"})), "{key}");
    }
}

#[derive(Debug)]
struct Ends(String);

impl PatternMatcher for Ends {
    fn is_match(&self, text: &str) -> bool {
        text.ends_with(&self.0)
    }
}

struct Fallback;

impl PatternFallback for Fallback {
    fn compile(&self, pattern: &str) -> Result<Box<dyn PatternMatcher>, String> {
        match pattern.strip_prefix("(?<=x)") {
            Some(end) => Ok(Box::new(Ends(format!("x{end}")))),
            None => Err("unknown".into()),
        }
    }
}

#[test]
fn foreign_patterns_go_to_the_fallback() {
    let schema = Schema::compile_with(&json!({"pattern": "(?<=x)y"}), &Fallback).expect("a schema");
    assert_eq!(schema.foreign_patterns(), ["(?<=x)y"]);
    assert_eq!(schema.accepts(b"\"axy\"", JsonLimits::default()), Ok(true));
    let mut faults = Faults::new();
    schema.check(&json!("ay"), &["body"], &mut faults);
    assert_eq!(faults.len(), 1);
    let error =
        Schema::compile_with(&json!({"pattern": "(?=q)"}), &Fallback).expect_err("unknown to both");
    assert_eq!(error.pointer, "/pattern");
}
