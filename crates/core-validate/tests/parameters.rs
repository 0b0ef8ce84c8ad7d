//! Parameter text: what each declared type takes, from each source, and what is told otherwise.

use std::borrow::Cow;

use core_validate::{Coerced, Faults, ParameterSet, ParameterSpec, RawInput, Slot, Source};
use serde_json::{Value, json};

#[derive(Default)]
struct Input {
    path: Vec<String>,
    query: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    headers: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
}

impl RawInput for Input {
    fn path(&self, index: usize) -> Option<&str> {
        self.path.get(index).map(String::as_str)
    }

    fn query(&self) -> &[(Cow<'_, str>, Cow<'_, str>)] {
        &self.query
    }

    fn header<'a>(&'a self, lower_name: &str, visit: &mut dyn FnMut(Cow<'a, str>)) {
        for (_, value) in self.headers.iter().filter(|(name, _)| name == lower_name) {
            visit(Cow::Borrowed(value));
        }
    }

    fn cookie<'a>(&'a self, name: &str, visit: &mut dyn FnMut(Cow<'a, str>)) {
        for (_, value) in self.cookies.iter().filter(|(known, _)| known == name) {
            visit(Cow::Borrowed(value));
        }
    }
}

fn pair(text: &str) -> (Cow<'static, str>, Cow<'static, str>) {
    let (name, value) = text.split_once('=').expect("name=value");
    (Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()))
}

fn spec(source: Source, name: &str, schema: Value) -> ParameterSpec {
    ParameterSpec {
        name: name.to_lowercase().replace('-', "_"),
        wire_name: name.to_owned(),
        source,
        required: true,
        schema,
        separator: None,
        secret: false,
        path_index: 0,
    }
}

#[test]
fn the_table() {
    let tables: Vec<Value> =
        serde_json::from_str(include_str!("data/parameters.json")).expect("a JSON file");
    for table in tables {
        let (source, name) = match table["in"].as_str() {
            Some("path") => (Source::Path, "p"),
            Some("query") => (Source::Query, "p"),
            Some("header") => (Source::Header, "X-P"),
            _ => (Source::Cookie, "p"),
        };
        let mut spec = spec(source, name, table["schema"].clone());
        spec.required = table["required"] != json!(false);
        spec.secret = table["secret"] == json!(true);
        spec.separator = table["separator"].as_str().map(str::to_owned);
        let set = ParameterSet::compile(vec![spec]).expect("a schema");
        for case in table["cases"].as_array().expect("cases") {
            let given: Vec<String> = serde_json::from_value(case["given"].clone()).expect("texts");
            let mut input = Input::default();
            match source {
                Source::Path => input.path = given,
                Source::Query => input.query = given.iter().map(|text| pair(text)).collect(),
                Source::Header => {
                    input.headers = given
                        .into_iter()
                        .map(|value| ("x-p".to_owned(), value))
                        .collect();
                }
                Source::Cookie => {
                    input.cookies = given
                        .into_iter()
                        .map(|value| ("p".to_owned(), value))
                        .collect();
                }
            }
            let mut faults = Faults::new();
            let slots = set.resolve(&input, &mut faults);
            let what = format!("{}: {case}", table["name"]);
            let written: Value = serde_json::from_slice(&faults.to_json()).expect("JSON");
            let types: Vec<&str> = faults
                .sorted()
                .iter()
                .map(|fault| fault.kind.code())
                .collect();
            if let Some(wanted) = case.get("faults") {
                assert_eq!(&written, wanted, "{what}");
            } else if let Some(wanted) = case.get("types") {
                assert_eq!(&json!(types), wanted, "{what}: {written}");
            } else {
                assert!(faults.is_empty(), "{what}: {written}");
                let made = match &slots[0] {
                    Slot::Absent => json!("<absent>"),
                    Slot::Value(value) => value.to_json(),
                };
                assert_eq!(made, case["value"], "{what}");
                continue;
            }
            assert_eq!(slots, [Slot::Absent], "{what}");
        }
    }
}

#[test]
fn types_are_delivered() {
    let schemas = [
        (
            json!({"type": "string", "format": "uuid"}),
            "c892496f-b1fd-4b91-bdb8-b46f92df1716",
        ),
        (json!({"type": "string", "format": "date"}), "2024-02-29"),
        (
            json!({"type": "string", "format": "date-time"}),
            "2024-02-29T01:02:03.5+02:00",
        ),
        (json!({"type": "string", "format": "time"}), "01:02:03Z"),
        (json!({"type": "string", "format": "duration"}), "-PT1.5S"),
        (json!({"type": "string", "format": "decimal"}), "1.50"),
        (json!({"type": "integer"}), "123456789012345678901234567890"),
        (json!({"type": "string"}), "plain"),
    ];
    let specs = schemas
        .iter()
        .enumerate()
        .map(|(index, (schema, _))| ParameterSpec {
            path_index: index,
            ..spec(Source::Path, &format!("p{index}"), schema.clone())
        });
    let set = ParameterSet::compile(specs.collect()).expect("schemas");
    let input = Input {
        path: schemas.iter().map(|(_, text)| (*text).to_owned()).collect(),
        ..Input::default()
    };
    let mut faults = Faults::new();
    let slots = set.resolve(&input, &mut faults);
    assert!(faults.is_empty());
    let mut values = slots.iter().map(|slot| slot.value().expect("a value"));
    let mut next = || values.next().expect("a slot");
    assert!(matches!(next(), Coerced::Uuid { bytes, .. } if bytes[0] == 0xc8 && bytes[15] == 0x16));
    assert!(
        matches!(next(), Coerced::Date { value, .. } if (value.year, value.month, value.day) == (2024, 2, 29))
    );
    assert!(
        matches!(next(), Coerced::DateTime { value, .. } if value.time.microsecond == 500_000 && value.time.offset == Some(7200))
    );
    assert!(matches!(next(), Coerced::Time { value, .. } if value.offset == Some(0)));
    assert!(
        matches!(next(), Coerced::Duration { value, .. } if value.parts() == (-1, 86_398, 500_000))
    );
    assert!(matches!(next(), Coerced::Decimal(Cow::Borrowed("1.50"))));
    assert!(matches!(
        next(),
        Coerced::BigInt(Cow::Borrowed("123456789012345678901234567890"))
    ));
    assert!(
        matches!(next(), Coerced::Text(Cow::Borrowed("plain"))),
        "borrowed, not copied"
    );
}

#[test]
fn faults_of_all_sources_come_together() {
    let set = ParameterSet::compile(vec![
        spec(Source::Cookie, "session", json!({"type": "string"})),
        spec(
            Source::Header,
            "Authorization",
            json!({"type": "string", "pattern": "^Bearer [A-Za-z0-9-._~+/]+=*$"}),
        ),
        spec(Source::Query, "limit", json!({"type": "integer"})),
        spec(Source::Path, "id", json!({"type": "integer"})),
    ])
    .expect("schemas");
    let input = Input {
        path: vec!["x".into()],
        query: vec![pair("limit=y")],
        headers: vec![("authorization".into(), "Basic secret".into())],
        ..Input::default()
    };
    let mut faults = Faults::new();
    set.resolve(&input, &mut faults);
    let written: Value = serde_json::from_slice(&faults.to_json()).expect("JSON");
    let places: Vec<&Value> = written
        .as_array()
        .expect("a list")
        .iter()
        .map(|fault| &fault["loc"])
        .collect();
    assert_eq!(
        json!(places),
        json!([
            ["path", "id"],
            ["query", "limit"],
            ["headers", "authorization"],
            ["cookie", "session"]
        ])
    );
    assert!(
        !written.to_string().contains("secret"),
        "credentials are not repeated"
    );
}

#[test]
fn extra_names_are_found() {
    let set = ParameterSet::compile(vec![
        spec(Source::Query, "a", json!({"type": "integer"})),
        spec(Source::Query, "l", json!({"type": "array"})),
        spec(Source::Query, "f", json!({"type": "object"})),
    ])
    .expect("schemas");
    let query = [
        "a=1", "l[]=1", "l=2", "f[x]=1", "b=1", "a[]=1", "b=2", "ab=1",
    ];
    let input = Input {
        query: query.into_iter().map(pair).collect(),
        ..Input::default()
    };
    assert_eq!(set.extra_query(&input), ["b", "a[]", "ab"]);
}

#[test]
fn a_bad_schema_names_its_parameter() {
    let error = ParameterSet::compile(vec![spec(Source::Query, "a", json!({"minimum": "x"}))])
        .expect_err("a fault");
    assert_eq!(error.pointer, "/properties/a/minimum");
}
