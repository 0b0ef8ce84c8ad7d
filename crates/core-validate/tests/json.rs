//! JSON text: what is read, what is refused and where, alike in the parser and the streaming check.

use core_validate::{JsonFault, JsonLimits, Schema, parse};
use serde_json::{Value, json};

fn limits(max_depth: usize, strict_keys: bool) -> JsonLimits {
    JsonLimits {
        max_depth,
        strict_keys,
    }
}

/// Both readers must agree; the schema makes the streaming one look at everything.
fn refusal(text: &[u8]) -> Option<JsonFault> {
    let any = Schema::compile(&json!(true)).expect("a schema");
    let parsed = parse(text, JsonLimits::default());
    assert_eq!(
        any.accepts(text, JsonLimits::default()).err(),
        parsed.as_ref().err().cloned()
    );
    parsed.err()
}

#[test]
fn grammar_is_kept() {
    let wrong: [(&[u8], usize); 30] = [
        (b"", 0),
        (b"  ", 2),
        (b"{\"name\": \"Item\", \"price\": }", 26),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":1,}", 7),
        (b"{a:1}", 1),
        (b"01", 1),
        (b"-", 1),
        (b"+1", 0),
        (b"1.", 2),
        (b".5", 0),
        (b"1e", 2),
        (b"1e400", 0),
        (b"nul", 0),
        (b"NaN", 0),
        (b"true false", 5),
        (b"\"abc", 4),
        (b"\"a\nb\"", 2),
        (b"\"\\x\"", 1),
        (b"\"\\u12\"", 1),
        (b"\"\\ud800\"", 1),
        (b"\"\\ud800\\u0041\"", 1),
        (b"\"\\udc00\"", 1),
        (b"'a'", 0),
        (b"[", 1),
        (b"{\"a\":[1,{\"b\":2}", 15),
        (b"\xef\xbb\xbf[1,]", 6),
        (b"1\x00", 1),
    ];
    for (text, offset) in wrong {
        match refusal(text) {
            Some(JsonFault::Syntax { offset: found, .. }) => {
                assert_eq!(found, offset, "{}", String::from_utf8_lossy(text));
            }
            other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
        }
    }
}

#[test]
fn values_are_read() {
    let cases = [
        (
            "\u{feff}{\"a\": [1, -2.5, 1e3, true, null]}\n",
            json!({"a": [1, -2.5, 1000.0, true, null]}),
        ),
        (
            "\"\\u0048\\ud83d\\ude00\\n\\/ long enough for a second look\"",
            json!("H\u{1F600}\n/ long enough for a second look"),
        ),
        ("\"\\\\u0048\"", json!("\\u0048")),
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("{\"a\":1,\"a\":2}", json!({"a": 2})),
        (
            "123456789012345678901234567890",
            json!(1.234_567_890_123_456_8e29),
        ),
    ];
    for (text, value) in cases {
        assert_eq!(
            parse(text.as_bytes(), JsonLimits::default()),
            Ok(value),
            "{text}"
        );
    }
    let zero = parse(b"-0", JsonLimits::default()).expect("a number");
    assert!(zero.as_f64().is_some_and(f64::is_sign_negative));
}

#[test]
fn bytes_must_be_utf8() {
    assert_eq!(
        refusal(b"\"a\xff\""),
        Some(JsonFault::Encoding { offset: 2 })
    );
    assert_eq!(
        refusal(b"\xef\xbb\xbf\"\xc3\""),
        Some(JsonFault::Encoding { offset: 4 })
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(nested(3).as_bytes(), limits(3, false)).is_ok());
    assert_eq!(
        parse(nested(4).as_bytes(), limits(3, false)),
        Err(JsonFault::Depth { limit: 3 })
    );
    // However much is asked, the stack is not at stake; and the limit comes before the missing end.
    assert_eq!(
        parse("[".repeat(1_000_000).as_bytes(), limits(usize::MAX, false)),
        Err(JsonFault::Depth { limit: 256 })
    );
    let recursive = json!({"type": ["array", "object"], "items": {"$ref": "#"}, "additionalProperties": {"allOf": [{"$ref": "#"}]}});
    let schema = Schema::compile(&recursive).expect("a schema");
    assert_eq!(
        schema.accepts(nested(256).as_bytes(), limits(1000, false)),
        Ok(true)
    );
    assert_eq!(
        schema.accepts(nested(257).as_bytes(), limits(1000, false)),
        Err(JsonFault::Depth { limit: 256 })
    );
    let objects = format!("{}{{}}{}", "{\"a\":".repeat(255), "}".repeat(255));
    assert_eq!(
        schema.accepts(objects.as_bytes(), limits(1000, false)),
        Ok(true)
    );
    assert_eq!(
        JsonFault::Depth { limit: 64 }.to_string(),
        "Request body exceeds maximum nesting depth of 64"
    );
}

#[test]
fn duplicate_keys() {
    let schema =
        Schema::compile(&json!({"properties": {"a": {"type": "integer"}}, "minProperties": 2}))
            .expect("a schema");
    let text = br#"{"a":1, "a":2}"#;
    assert_eq!(
        schema.accepts(text, limits(64, true)),
        Err(JsonFault::DuplicateKey {
            offset: 8,
            key: "a".into()
        })
    );
    // They count once, and the last one counts.
    assert_eq!(schema.accepts(text, limits(64, false)), Ok(false));
    assert_eq!(
        schema.accepts(br#"{"a":"x","b":1,"a":2}"#, limits(64, false)),
        Ok(true)
    );
    assert_eq!(
        schema.accepts(br#"{"a":1,"b":1,"a":"x"}"#, limits(64, false)),
        Ok(false)
    );
}

#[test]
fn a_syntax_fault_after_a_schema_fault_is_still_told() {
    let schema =
        Schema::compile(&json!({"properties": {"a": {"type": "integer"}}})).expect("a schema");
    assert!(matches!(
        schema.accepts(br#"{"a":"x","b":}"#, JsonLimits::default()),
        Err(JsonFault::Syntax { offset: 13, .. })
    ));
}

#[test]
fn the_fault_of_a_bad_document() {
    let fault = parse(b"[1,]", JsonLimits::default())
        .expect_err("a fault")
        .to_fault();
    let mut faults = core_validate::Faults::new();
    faults.push(fault);
    let written: Value = serde_json::from_slice(&faults.to_json()).expect("JSON");
    assert_eq!(
        written,
        json!([{"type": "json_invalid", "loc": ["body", 3], "msg": "Invalid JSON: expected a value at byte 3", "ctx": {"error": "expected a value at byte 3"}}])
    );
}
