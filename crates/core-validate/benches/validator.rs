//! A body of about 1 KB with 12 fields: ours on bytes, `jsonschema` on a value, plain parsing; and parameters.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use core_validate::{
    Faults, JsonLimits, ParameterSet, ParameterSpec, RawInput, Schema, Source, parse,
};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "name": {"type": "string", "minLength": 3, "maxLength": 80},
            "email": {"type": "string", "format": "email"},
            "age": {"type": "integer", "minimum": 18, "maximum": 130},
            "score": {"type": "number", "exclusiveMinimum": 0},
            "active": {"type": "boolean"},
            "role": {"type": "string", "enum": ["admin", "editor", "viewer"]},
            "created_at": {"type": "string", "format": "date-time"},
            "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 40}, "minItems": 1},
            "address": {
                "type": "object",
                "properties": {
                    "street": {"type": "string"},
                    "city": {"type": "string"},
                    "zip": {"type": "string", "minLength": 4},
                    "country": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["street", "city", "zip"],
            },
            "bio": {"type": "string"},
        },
        "required": ["id", "name", "email", "age", "score", "active", "role", "created_at", "code", "tags", "address"],
        "additionalProperties": false,
    })
}

fn body() -> Value {
    json!({
        "id": "c892496f-b1fd-4b91-bdb8-b46f92df1716",
        "name": "Augusta Ada King",
        "email": "ada.king@example.com",
        "age": 36,
        "score": 98.25,
        "active": true,
        "role": "editor",
        "created_at": "2024-02-29T12:30:45.123456+02:00",
        "code": "ABC-1234",
        "tags": ["mathematics", "engines", "poetry", "notes on the analytical engine"],
        "address": {"street": "12 St James's Square", "city": "London", "zip": "SW1Y 4JH", "country": null},
        "bio": "The engine might compose elaborate and scientific pieces of music of any degree of complexity. ".repeat(5),
    })
}

fn bodies(criterion: &mut Criterion) {
    let document = schema();
    let ours = Schema::compile(&document).expect("a schema");
    let theirs = jsonschema::options()
        .should_validate_formats(true)
        .build(&document)
        .expect("a schema");
    let valid = serde_json::to_vec(&body()).expect("JSON");
    let mut wrong = body();
    wrong["name"] = json!("Ab");
    wrong["age"] = json!(15);
    wrong["email"] = json!("invalid-email");
    let wrong = serde_json::to_vec(&wrong).expect("JSON");
    let limits = JsonLimits::default();
    assert_eq!(ours.accepts(&valid, limits), Ok(true));
    assert!(theirs.is_valid(&body()));

    let mut group = criterion.benchmark_group("body");
    group.bench_function("accepts", |b| {
        b.iter(|| ours.accepts(black_box(&valid), limits));
    });
    group.bench_function("serde_json value", |b| {
        b.iter(|| serde_json::from_slice::<Value>(black_box(&valid)));
    });
    group.bench_function("parse", |b| b.iter(|| parse(black_box(&valid), limits)));
    group.bench_function("serde_json value + jsonschema is_valid", |b| {
        b.iter(|| {
            serde_json::from_slice::<Value>(black_box(&valid)).map(|value| theirs.is_valid(&value))
        });
    });
    let value = body();
    group.bench_function("jsonschema is_valid alone", |b| {
        b.iter(|| theirs.is_valid(black_box(&value)));
    });
    group.bench_function("accepts_value alone", |b| {
        b.iter(|| ours.accepts_value(black_box(&value)));
    });
    group.bench_function("three faults: examine + to_json", |b| {
        b.iter(|| {
            let mut faults = Faults::new();
            let _value = ours.examine(black_box(&wrong), limits, &["body"], &mut faults);
            assert_eq!(faults.len(), 3);
            faults.to_json()
        });
    });
    group.finish();
}

struct Input {
    path: String,
    query: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl RawInput for Input {
    fn path(&self, _: usize) -> Option<&str> {
        Some(&self.path)
    }

    fn query(&self) -> &[(Cow<'_, str>, Cow<'_, str>)] {
        &self.query
    }

    fn header<'a>(&'a self, _: &str, _: &mut dyn FnMut(Cow<'a, str>)) {}

    fn cookie<'a>(&'a self, _: &str, _: &mut dyn FnMut(Cow<'a, str>)) {}
}

fn parameters(criterion: &mut Criterion) {
    let spec = |source, name: &str, schema| ParameterSpec {
        name: name.into(),
        wire_name: name.into(),
        source,
        required: true,
        schema,
        separator: None,
        secret: false,
        path_index: 0,
    };
    let set = ParameterSet::compile(vec![
        spec(
            Source::Path,
            "item_id",
            json!({"type": "integer", "minimum": 1}),
        ),
        spec(
            Source::Query,
            "limit",
            json!({"type": "integer", "minimum": 1, "maximum": 100}),
        ),
        spec(Source::Query, "ratio", json!({"type": "number"})),
        spec(
            Source::Query,
            "q",
            json!({"anyOf": [{"type": "string", "maxLength": 50}, {"type": "null"}]}),
        ),
    ])
    .expect("schemas");
    let query = [
        ("q", "analytical engine"),
        ("limit", "50"),
        ("ratio", "0.75"),
    ];
    let input = Input {
        path: "42".into(),
        query: query
            .into_iter()
            .map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)))
            .collect(),
    };
    criterion.bench_function("parameters: one path, three query", |b| {
        b.iter(|| {
            let mut faults = Faults::new();
            let slots = set.resolve(black_box(&input), &mut faults).len();
            assert!(faults.is_empty());
            slots
        });
    });
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
        .configure_from_args()
}

criterion_group! { name = benches; config = quick(); targets = bodies, parameters }
criterion_main!(benches);
