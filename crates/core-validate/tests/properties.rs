//! What must hold for every schema and every text.

use std::borrow::Cow;

use core_validate::{
    Faults, JsonLimits, ParameterSet, ParameterSpec, RawInput, Schema, Source, parse,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-6_i64..6).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1.0, -2.5, 3.0, 1e20, 9_007_199_254_740_993.0])
            .prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "a",
            "b",
            "ab",
            "abc",
            "1",
            "é",
            "\u{1F600}",
            "a\"\\\n\u{0}"
        ])
        .prop_map(Value::from),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "ab", "é\"", ""]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn type_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "null", "boolean", "integer", "number", "string", "array", "object",
    ])
}

fn small() -> impl Strategy<Value = Value> {
    (0_u64..4).prop_map(Value::from)
}

fn names() -> impl Strategy<Value = Value> {
    prop::collection::btree_set(key(), 0..3).prop_map(|names| json!(names))
}

fn leaf_keyword() -> impl Strategy<Value = (&'static str, Value)> {
    let number = || {
        prop_oneof![
            (-4_i64..5).prop_map(Value::from),
            Just(json!(0.5)),
            Just(json!(2.5))
        ]
    };
    prop_oneof![
        3 => type_name().prop_map(|name| ("type", json!(name))),
        1 => prop::collection::btree_set(type_name(), 1..4).prop_map(|names| ("type", json!(names))),
        1 => number().prop_map(|n| ("minimum", n)),
        1 => number().prop_map(|n| ("maximum", n)),
        1 => number().prop_map(|n| ("exclusiveMinimum", n)),
        1 => number().prop_map(|n| ("exclusiveMaximum", n)),
        1 => prop::sample::select(vec![json!(1), json!(2), json!(3), json!(0.5)]).prop_map(|n| ("multipleOf", n)),
        1 => small().prop_map(|n| ("minLength", n)),
        1 => small().prop_map(|n| ("maxLength", n)),
        1 => prop::sample::select(vec!["^a", "b$", "^[ab]+$", "1"]).prop_map(|p| ("pattern", json!(p))),
        1 => small().prop_map(|n| ("minItems", n)),
        1 => small().prop_map(|n| ("maxItems", n)),
        1 => any::<bool>().prop_map(|b| ("uniqueItems", json!(b))),
        1 => small().prop_map(|n| ("minProperties", n)),
        1 => small().prop_map(|n| ("maxProperties", n)),
        2 => names().prop_map(|names| ("required", names)),
        1 => (key(), names()).prop_map(|(key, names)| ("dependentRequired", json!({key: names}))),
        1 => prop::collection::vec(value(), 1..4).prop_map(|values| ("enum", json!(values))),
        1 => value().prop_map(|value| ("const", value)),
        1 => any::<bool>().prop_map(|b| ("additionalProperties", json!(b))),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop::collection::vec(leaf_keyword(), 0..4).prop_map(object);
    leaf.prop_recursive(3, 32, 4, |inner| {
        let one = || inner.clone();
        let several =
            || prop::collection::vec(inner.clone(), 1..3).prop_map(|schemas| json!(schemas));
        let named = || {
            prop::collection::vec((key(), inner.clone()), 0..4)
                .prop_map(|named| json!(named.into_iter().collect::<Map<_, _>>()))
        };
        let applicator = prop_oneof![
            4 => named().prop_map(|s| ("properties", s)),
            1 => one().prop_map(|s| ("additionalProperties", s)),
            1 => one().prop_map(|s| ("patternProperties", json!({"^a": s}))),
            1 => one().prop_map(|s| ("propertyNames", s)),
            1 => named().prop_map(|s| ("dependentSchemas", s)),
            2 => one().prop_map(|s| ("items", s)),
            1 => several().prop_map(|s| ("prefixItems", s)),
            1 => one().prop_map(|s| ("contains", s)),
            1 => small().prop_map(|n| ("minContains", n)),
            1 => small().prop_map(|n| ("maxContains", n)),
            1 => several().prop_map(|s| ("allOf", s)),
            2 => several().prop_map(|s| ("anyOf", s)),
            1 => one().prop_map(|s| ("anyOf", json!([s, {"type": "null"}]))),
            1 => several().prop_map(|s| ("oneOf", s)),
            1 => one().prop_map(|s| ("oneOf", json!([{"type": "null"}, s]))),
            1 => one().prop_map(|s| ("not", s)),
            1 => one().prop_map(|s| ("if", s)),
            1 => one().prop_map(|s| ("then", s)),
            1 => one().prop_map(|s| ("else", s)),
            1 => Just(("unevaluatedProperties", json!(false))),
            1 => Just(("unevaluatedItems", json!(false))),
            1 => one().prop_map(|s| ("unevaluatedProperties", s)),
        ];
        let words = prop_oneof![2 => applicator.boxed(), 1 => leaf_keyword().boxed()];
        prop::collection::vec(words, 0..5).prop_map(object)
    })
}

fn object(words: Vec<(&'static str, Value)>) -> Value {
    Value::Object(
        words
            .into_iter()
            .map(|(word, value)| (word.to_owned(), value))
            .collect(),
    )
}

struct Query(Vec<(Cow<'static, str>, Cow<'static, str>)>);

impl RawInput for Query {
    fn path(&self, _: usize) -> Option<&str> {
        self.0.first().map(|(_, value)| &**value)
    }

    fn query(&self) -> &[(Cow<'_, str>, Cow<'_, str>)] {
        &self.0
    }

    fn header<'a>(&'a self, _: &str, visit: &mut dyn FnMut(Cow<'a, str>)) {
        self.0
            .iter()
            .for_each(|(_, value)| visit(Cow::Borrowed(value)));
    }

    fn cookie<'a>(&'a self, _: &str, visit: &mut dyn FnMut(Cow<'a, str>)) {
        self.0
            .iter()
            .for_each(|(_, value)| visit(Cow::Owned(value.to_string())));
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[-+0-9.eEPTZHMSDWx:{}\\[\\]\",tn ]{0,24}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,8})?[Z+-]?[0-9:]{0,5}",
    ]
}

fn parameter_schema() -> impl Strategy<Value = Value> {
    let format = prop::sample::select(vec![
        "uuid",
        "date",
        "date-time",
        "time",
        "duration",
        "decimal",
        "email",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "hostname",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    ]);
    prop_oneof![
        schema(),
        format.prop_map(|format| json!({"type": "string", "format": format, "maxLength": 20, "plainSeconds": true})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn three_judges_agree(schema in schema(), value in value()) {
        let ours = Schema::compile(&schema).expect("generated schemas are sound");
        let theirs = jsonschema::draft202012::new(&schema).expect("generated schemas are sound");
        let mut faults = Faults::new();
        ours.check(&value, &["body"], &mut faults);
        let verdict = theirs.is_valid(&value);
        prop_assert_eq!(ours.accepts_value(&value), verdict, "quiet: {} on {}", schema, value);
        prop_assert_eq!(faults.is_empty(), verdict, "gathering: {} on {}", schema, value);
        let streamed = ours.accepts(value.to_string().as_bytes(), JsonLimits::default());
        prop_assert_eq!(streamed, Ok(verdict), "streaming: {} on {}", schema, value);
        let pretty = serde_json::to_vec_pretty(&value).expect("JSON");
        prop_assert_eq!(ours.accepts(&pretty, JsonLimits::default()), Ok(verdict));
        serde_json::from_slice::<Value>(&faults.to_json()).expect("faults are JSON");
    }

    #[test]
    fn coercion_never_panics(schema in parameter_schema(), texts in prop::collection::vec((0_usize..6, text()), 0..5)) {
        const NAMES: [&str; 6] = ["p", "p[]", "p[a]", "p[a][]", "p[0][b]", "p["];
        let sources = [Source::Path, Source::Query, Source::Header, Source::Cookie];
        let specs = sources.map(|source| ParameterSpec {
            name: "p".into(),
            wire_name: "p".into(),
            source,
            required: true,
            schema: schema.clone(),
            separator: (source == Source::Cookie).then(|| ",".to_owned()),
            secret: false,
            path_index: 0,
        });
        let set = ParameterSet::compile(specs.into()).expect("generated schemas are sound");
        let input = Query(texts.into_iter().map(|(name, text)| (Cow::Borrowed(NAMES[name]), Cow::Owned(text))).collect());
        let mut faults = Faults::new();
        let slots = set.resolve(&input, &mut faults);
        prop_assert_eq!(slots.len(), 4);
        let absent = slots.iter().filter(|slot| slot.value().is_none()).count();
        // Every empty slot of a required parameter has a reason told.
        prop_assert!(faults.len() >= absent, "{:?} {:?}", slots, faults);
        let form = Schema::compile(&schema).expect("generated schemas are sound");
        let _fault = form.coerce_form(&input.0, &["body"], &mut faults);
        serde_json::from_slice::<Value>(&faults.to_json()).expect("faults are JSON");
    }

    #[test]
    fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _verdict = parse(&bytes, JsonLimits::default());
    }

    #[test]
    fn parsing_agrees_with_serde_json(text in "[-+0-9.eE\\[\\]{}:,\"\\\\u/ntrfalseb \n]{0,24}", strict in any::<bool>()) {
        let limits = JsonLimits { max_depth: 64, strict_keys: strict };
        let ours = parse(text.as_bytes(), limits);
        let theirs = serde_json::from_str::<Value>(&text);
        if strict && ours.is_err() { return Ok(()) }
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}: {:?} / {:?}", text, ours, theirs);
        let any = Schema::compile(&json!(true)).expect("a schema");
        prop_assert_eq!(any.accepts(text.as_bytes(), limits).is_ok(), ours.is_ok());
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn values_survive_writing(value in value()) {
        prop_assert_eq!(parse(value.to_string().as_bytes(), JsonLimits::default()), Ok(value));
    }
}
