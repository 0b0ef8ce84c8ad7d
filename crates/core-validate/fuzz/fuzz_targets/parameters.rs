//! Any text for a parameter of any type: no panic; what is a fault has one fault at least; what isn't has a value.
#![no_main]

use std::borrow::Cow;
use std::sync::LazyLock;

use core_validate::{Faults, ParameterSet, ParameterSpec, RawInput, Source};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static PARAMETERS: LazyLock<ParameterSet> = LazyLock::new(|| {
    let schemas = [
        json!({"type": "integer", "minimum": -10, "multipleOf": 3}),
        json!({"type": "number", "exclusiveMaximum": 7.5}),
        json!({"type": "boolean"}),
        json!({"type": "string", "minLength": 1, "pattern": "^[^x]*$"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "format": "date"}),
        json!({"type": "string", "format": "date-time"}),
        json!({"type": "string", "format": "time"}),
        json!({"type": "string", "format": "duration"}),
        json!({"type": "string", "format": "decimal"}),
        json!({"type": "string", "format": "email"}),
        json!({"type": "array", "items": {"type": "integer"}, "maxItems": 4, "uniqueItems": true}),
        json!({"enum": ["a", 1, true]}),
        json!({"type": ["integer", "null"]}),
    ];
    let specs = schemas
        .into_iter()
        .map(|schema| ParameterSpec {
            name: "q".to_owned(),
            wire_name: "q".to_owned(),
            source: Source::Query,
            required: true,
            schema,
            separator: None,
            secret: false,
            path_index: 0,
        })
        .collect();
    ParameterSet::compile(specs).expect("parameters")
});

struct Given<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl RawInput for Given<'_> {
    fn path(&self, _index: usize) -> Option<&str> {
        None
    }
    fn query(&self) -> &[(Cow<'_, str>, Cow<'_, str>)] {
        &self.0
    }
    fn header<'a>(&'a self, _lower_name: &str, _visit: &mut dyn FnMut(Cow<'a, str>)) {}
    fn cookie<'a>(&'a self, _name: &str, _visit: &mut dyn FnMut(Cow<'a, str>)) {}
}

fuzz_target!(|text: &str| {
    let given = Given(text.split('\n').map(|value| (Cow::Borrowed("q"), Cow::Borrowed(value))).collect());
    let mut faults = Faults::new();
    let slots = PARAMETERS.resolve(&given, &mut faults);
    let absent = slots.iter().filter(|slot| slot.value().is_none()).count();
    assert!(faults.len() >= absent.min(100));
    for slot in &slots {
        if let Some(value) = slot.value() {
            let _ = value.to_json();
        }
    }
    serde_json::from_slice::<serde_json::Value>(&faults.to_json()).expect("faults are JSON");
});
