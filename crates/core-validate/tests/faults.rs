//! Every keyword's fault: kind, place, words, context; and that the streaming check says no to the same values.

use core_validate::{Fault, FaultKind, Faults, JsonLimits, Loc, Schema};
use serde_json::{Value, json};

fn gather(schema: &Value, value: &Value) -> Faults {
    let schema = Schema::compile(schema).expect("a schema");
    let mut faults = Faults::new();
    schema.check(value, &["body"], &mut faults);
    faults
}

fn written(faults: &Faults) -> Value {
    serde_json::from_slice(&faults.to_json()).expect("JSON")
}

#[test]
fn the_catalogue() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("data/faults.json")).expect("a JSON file");
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let faults = gather(&case["schema"], &case["value"]);
        assert_eq!(written(&faults), case["faults"], "{name}");
        let schema = Schema::compile(&case["schema"]).expect("a schema");
        let text = case["value"].to_string();
        assert_eq!(
            schema.accepts(text.as_bytes(), JsonLimits::default()),
            Ok(faults.is_empty()),
            "{name}"
        );
        let mut again = Faults::new();
        let built = schema.examine(
            text.as_bytes(),
            JsonLimits::default(),
            &["body"],
            &mut again,
        );
        assert_eq!(
            built,
            Ok((!faults.is_empty()).then(|| case["value"].clone())),
            "{name}"
        );
        assert_eq!(written(&again), case["faults"], "{name}");
    }
}

#[test]
fn codes_are_unique_and_found_again() {
    for kind in FaultKind::ALL {
        assert_eq!(FaultKind::from_code(kind.code()), Some(*kind));
    }
}

#[test]
fn sources_come_in_their_order() {
    let mut faults = Faults::new();
    for source in ["files", "body", "cookie", "headers", "query", "path"] {
        faults.push(Fault::missing(
            vec![Loc::from(source), Loc::from("x")],
            Some(Value::Null),
        ));
    }
    let order: Vec<Loc> = faults
        .sorted()
        .iter()
        .map(|fault| fault.loc[0].clone())
        .collect();
    let wanted: Vec<Loc> = ["path", "query", "headers", "cookie", "body", "files"]
        .map(Loc::from)
        .into();
    assert_eq!(order, wanted);
    assert_eq!(
        written(&faults)[0],
        json!({"type": "missing", "loc": ["path", "x"], "msg": "Field required", "input": null})
    );
}

#[test]
fn a_hundred_are_shown_in_order() {
    let value = Value::Array(vec![json!("x"); 150]);
    let faults = gather(&json!({"items": {"type": "integer"}}), &value);
    assert_eq!(faults.len(), 150);
    assert!(faults.truncated());
    let shown = written(&faults);
    assert_eq!(shown.as_array().map(Vec::len), Some(100));
    assert_eq!(shown[99]["loc"], json!(["body", "99"]));
}

#[test]
fn a_hostile_body_does_not_make_a_book() {
    let value = Value::Array(vec![json!("x"); 100_000]);
    assert_eq!(
        gather(&json!({"items": {"type": "integer"}}), &value).len(),
        1000
    );
}

#[test]
fn long_and_secret_inputs_are_left_out() {
    let long = json!({"a": "x".repeat(2000)});
    let faults = gather(
        &json!({"properties": {"a": {"type": "string", "maxLength": 5}}}),
        &long,
    );
    assert_eq!(written(&faults)[0].get("input"), None);
    let just = Value::String("x".repeat(1022));
    assert!(
        written(&gather(&json!({"maxLength": 5}), &just))[0]
            .get("input")
            .is_some()
    );
    let over = Value::String("x".repeat(1023));
    assert!(
        written(&gather(&json!({"maxLength": 5}), &over))[0]
            .get("input")
            .is_none()
    );
    let secret =
        json!({"type": "object", "secret": true, "properties": {"pin": {"type": "integer"}}});
    let faults = gather(
        &json!({"properties": {"card": secret}}),
        &json!({"card": {"pin": "1234"}}),
    );
    assert_eq!(written(&faults)[0].get("input"), None);
    let faults = gather(
        &json!({"properties": {"p": {"const": "x", "secret": true}}}),
        &json!({"p": "y"}),
    );
    assert_eq!(written(&faults)[0]["ctx"], json!({"const": "x"}));
}

#[test]
fn branches_are_told_on_demand() {
    let schema = Schema::compile(&json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}))
        .expect("a schema");
    let mut faults = Faults::with_branches();
    schema.check(&json!([]), &["body"], &mut faults);
    let branches = &written(&faults)[0]["ctx"]["branches"];
    assert_eq!(branches[0][0]["type"], "int_parsing");
    assert_eq!(branches[1][0]["type"], "string_type");
}

#[test]
fn long_lists_are_compared_by_value() {
    let mut items: Vec<Value> = (0..40).map(|n| json!({"a": n, "b": [n, "x"]})).collect();
    let schema = json!({"uniqueItems": true});
    assert!(gather(&schema, &Value::Array(items.clone())).is_empty());
    items.push(json!({"b": [7.0, "x"], "a": 7.0}));
    assert_eq!(
        written(&gather(&schema, &Value::Array(items)))[0]["ctx"]["duplicate_index"],
        40
    );
}
