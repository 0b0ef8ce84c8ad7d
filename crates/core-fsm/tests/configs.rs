//! Whatever comes in as a configuration, something comes out that says what is wrong with it.

use core_fsm::config::{Definition, Found, check, expand};
use core_fsm::draw::{
    DrawOptions, to_asl, to_dot, to_mermaid, to_plantuml, to_scxml, to_svg, to_xstate,
};
use core_fsm::lint::lint;
use core_fsm::source::{read_json, read_yaml};
use core_fsm::{Key, Map, Value};
use proptest::prelude::*;

/// Keys and texts that configurations know, so that trees often come near to machines.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(vec![
            "states", "transitions", "meta", "name", "type", "initial", "stable", "terminal", "parallel", "choice",
            "parent", "initial_child", "regions", "final", "trigger", "source", "dest", "guards", "actions", "after",
            "auto", "region", "a", "b", "c", "H(a)", "H*(b)", "a:b", "*", "check", "field", "op", "value", "values",
            "gt", "in", "eq", "expr", "allOf", "not", "branch", "then", "when", "timeout", "seconds", "destination",
            "submachine", "state_variables", "key", "error_policy", "default_fallback", "entry_points", "_join_a",
        ]).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3_i64..1000).prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        word().prop_map(Value::text),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
            proptest::collection::vec((word(), inner), 0..6).prop_map(|entries| {
                Value::map(
                    entries
                        .into_iter()
                        .map(|(key, value)| (Key::from(key.as_str()), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// A mapping whose `states` and `transitions` are lists of mappings.
fn machine() -> impl Strategy<Value = Value> {
    let state = proptest::collection::vec((word(), tree()), 0..4);
    let transition = proptest::collection::vec((word(), tree()), 0..4);
    (
        proptest::collection::vec((proptest::sample::select(vec!["a", "b", "c"]), state), 0..5),
        proptest::collection::vec(
            (
                proptest::sample::select(vec!["a", "b", "*", "a:b"]),
                proptest::sample::select(vec!["a", "b", "c", "H(a)"]),
                transition,
            ),
            0..6,
        ),
    )
        .prop_map(|(states, transitions)| {
            let entries = |pairs: Vec<(String, Value)>, fixed: &[(&str, &str)]| -> Value {
                let mut map: Map = pairs
                    .into_iter()
                    .map(|(key, value)| (Key::from(key.as_str()), value))
                    .collect();
                for (key, text) in fixed {
                    map.insert(*key, Value::text(text));
                }
                Value::map(map)
            };
            let states = states
                .into_iter()
                .map(|(name, more)| entries(more, &[("name", name)]))
                .collect();
            let transitions = transitions
                .into_iter()
                .map(|(source, dest, more)| {
                    entries(
                        more,
                        &[("trigger", "go"), ("source", source), ("dest", dest)],
                    )
                })
                .collect();
            let mut root = Map::new();
            root.insert("states", Value::list(states));
            root.insert("transitions", Value::list(transitions));
            Value::map(root)
        })
}

fn look_at(value: &Value) {
    let _ = check(value);
    let definition = Definition::read(value);
    let _ = lint(&definition, None);
    let options = DrawOptions::default();
    to_mermaid(&definition, &options);
    to_dot(&definition, &options);
    to_plantuml(&definition, &options);
    to_scxml(&definition, None);
    to_xstate(&definition);
    to_asl(&definition);
    to_svg(&definition, &options);
    let mut load = |_: &str, _: &str| -> Result<Found, ()> {
        Ok(Found {
            config: value.clone(),
            base: String::new(),
        })
    };
    let _ = expand(value, "", &mut load);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_tree_is_looked_at(value in tree()) {
        look_at(&value);
    }

    #[test]
    fn anything_like_a_machine_is_looked_at(value in machine()) {
        look_at(&value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-a-c:&*!|>\\[\\]{}#'\"%@<\\n ,0-9.~$]{0,80}") {
        let _ = read_yaml(&text, Some(&|_| Some("x".to_owned())));
        let _ = read_json(&text, None);
    }

    #[test]
    fn what_json_says_yaml_says_too(value in "[a-z0-9 ]{0,12}", number in any::<i32>()) {
        let text = format!("{{\"a\": [\"{value}\", {number}, true, null], \"b\": {{}}}}");
        let json = read_json(&text, None).map(|source| source.value);
        let yaml = read_yaml(&text, None).map(|source| source.value);
        prop_assert_eq!(json, yaml);
    }
}

#[test]
fn a_valid_machine_stays_one_when_it_is_expanded() {
    let text = "states: [{name: a, type: initial, submachine: {states: [{name: b, type: initial}], transitions: []}}]\ntransitions: []\n";
    let source = read_yaml(text, None).expect("it is YAML");
    let mut load = |_: &str, _: &str| -> Result<Found, ()> { Err(()) };
    let expanded = expand(&source.value, "", &mut load).expect("nothing is loaded");
    assert_eq!(check(&expanded), []);
}
