use serde_json::{Map as Json, Value as JsonValue, json};

use super::label::{action_label, delay_label, guard_label};
use super::nesting::Nesting;
use crate::config::{Definition, Destination, StateKind, TransitionDefinition};

/// A machine as the JSON that `XState` reads; guards and actions are named by their texts.
pub fn to_xstate(definition: &Definition<'_>) -> JsonValue {
    let nesting = Nesting::of(definition);
    let mut machine = Json::new();
    machine.insert("id".into(), json!(definition.name.unwrap_or("unnamed")));
    if let Some(initial) = definition.initial() {
        machine.insert("initial".into(), json!(initial.name));
    }
    machine.insert(
        "states".into(),
        states(definition, &nesting, &nesting.roots),
    );
    JsonValue::Object(machine)
}

fn states(definition: &Definition<'_>, nesting: &Nesting, members: &[usize]) -> JsonValue {
    members
        .iter()
        .map(|member| {
            let name = definition.states[*member].name.to_owned();
            (name, state(definition, nesting, *member))
        })
        .collect::<Json<String, JsonValue>>()
        .into()
}

fn state(definition: &Definition<'_>, nesting: &Nesting, position: usize) -> JsonValue {
    let state = &definition.states[position];
    let mut node = Json::new();
    // Targets name states by id wherever they are nested.
    node.insert("id".into(), json!(state.name));
    match state.kind {
        StateKind::Terminal => {
            node.insert("type".into(), json!("final"));
        }
        StateKind::Parallel => {
            node.insert("type".into(), json!("parallel"));
        }
        _ => {}
    }
    if !state.description.is_empty() {
        node.insert("description".into(), json!(state.description));
    }
    for (key, actions) in [("entry", &state.on_enter), ("exit", &state.on_exit)] {
        if !actions.is_empty() {
            let labels: Vec<_> = actions.iter().map(|action| action_label(action)).collect();
            node.insert(key.into(), json!(labels));
        }
    }
    let (mut on, mut after, mut always) = (Json::new(), Json::new(), Vec::new());
    for transition in &definition.transitions {
        if !definition.sources(transition).contains(&position) {
            continue;
        }
        let drawn = edge(definition, transition);
        match (transition.auto, transition.after, transition.trigger) {
            (true, _, _) => always.push(drawn),
            (_, Some(delay), _) => push(&mut after, delay_label(delay), drawn),
            (_, _, Some(trigger)) => push(&mut on, trigger.to_owned(), drawn),
            _ => {}
        }
    }
    if let Some(timeout) = state.timeout {
        let milliseconds = format!("{:.0}", timeout.seconds * 1000.0);
        push(
            &mut after,
            milliseconds,
            json!({"target": format!("#{}", timeout.destination)}),
        );
    }
    for (key, edges) in [("on", on), ("after", after)] {
        if !edges.is_empty() {
            node.insert(key.into(), JsonValue::Object(edges));
        }
    }
    if !always.is_empty() {
        node.insert("always".into(), json!(always));
    }
    let mut inner = Json::new();
    for group in &nesting.groups[position] {
        let members = states(definition, nesting, &group.members);
        match group.region.map(|region| &state.regions[region]) {
            Some(region) => {
                inner.insert(
                    region.name.to_owned(),
                    json!({"initial": region.initial, "states": members}),
                );
            }
            None => {
                if let JsonValue::Object(members) = members {
                    inner.extend(members);
                }
            }
        }
    }
    if !inner.is_empty() {
        if let Some(child) = state.initial_child {
            node.insert("initial".into(), json!(child));
        }
        node.insert("states".into(), JsonValue::Object(inner));
    }
    JsonValue::Object(node)
}

fn push(edges: &mut Json<String, JsonValue>, key: String, edge: JsonValue) {
    if let JsonValue::Array(list) = edges.entry(key).or_insert_with(|| json!([])) {
        list.push(edge);
    }
}

fn edge(definition: &Definition<'_>, transition: &TransitionDefinition<'_>) -> JsonValue {
    let mut edge = Json::new();
    if !transition.internal {
        let target = match Destination::of(transition.dest) {
            Destination::History { parent, .. } => parent,
            _ => definition.point(transition.dest, true),
        };
        edge.insert("target".into(), json!(format!("#{target}")));
    }
    if !transition.guards.is_empty() {
        let guards: Vec<_> = transition
            .guards
            .iter()
            .map(|guard| guard_label(guard))
            .collect();
        edge.insert("guard".into(), json!(guards.join(" and ")));
    }
    if !transition.actions.is_empty() {
        let actions: Vec<_> = transition
            .actions
            .iter()
            .map(|action| action_label(action))
            .collect();
        edge.insert("actions".into(), json!(actions));
    }
    if !transition.description.is_empty() {
        edge.insert("description".into(), json!(transition.description));
    }
    JsonValue::Object(edge)
}
