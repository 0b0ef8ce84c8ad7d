use std::collections::{HashMap, HashSet};

use super::code::Code;
use super::definition::{Definition, StateKind};
use super::issue::Issues;
use super::kind;
use super::path::Place;

/// The rules of states among each other: names, one initial state, parents, children, timeouts.
pub(super) fn check(definition: &Definition<'_>, states: &Place<'_>, issues: &mut Issues) {
    duplicates(definition, states, issues);
    initial(definition, states, issues);
    for (position, state) in definition.states.iter().enumerate() {
        let place = states.index(position);
        if let Some(timeout) = &state.timeout
            && definition.state(timeout.destination).is_none()
        {
            undefined(
                definition,
                timeout.destination,
                Code::TimeoutDestination,
                &place.key("timeout").key("destination"),
                format!(
                    "State '{}': timeout destination '{}' not defined",
                    state.name, timeout.destination
                ),
                issues,
            );
        }
        if let Some(parent) = state.parent {
            let place = place.key("parent");
            match definition.state(parent) {
                None => undefined(
                    definition,
                    parent,
                    Code::Parent,
                    &place,
                    format!("State '{}': parent '{parent}' is not a defined state", state.name),
                    issues,
                ),
                Some(outer) if outer.kind == StateKind::Terminal => issues.add(
                    Code::Parent,
                    &place,
                    format!(
                        "State '{}': parent '{parent}' is terminal; terminal states cannot be compound parents",
                        state.name
                    ),
                ),
                Some(_) => {}
            }
        }
        if let Some(child) = state.initial_child {
            initial_child(
                definition,
                state.name,
                child,
                &place.key("initial_child"),
                issues,
            );
        }
        let points = !state.entry_points.is_empty() || !state.exit_points.is_empty();
        if points && !state.is_compound() {
            issues.hinted(
                Code::Shape,
                &place,
                format!(
                    "Only compound states can have entry/exit points: '{}'",
                    state.name
                ),
                "give the state an initial_child, or take the points away",
            );
        }
    }
    cycles(definition, states, issues);
}

fn duplicates(definition: &Definition<'_>, states: &Place<'_>, issues: &mut Issues) {
    let mut seen = HashSet::with_capacity(definition.states.len());
    for (position, state) in definition.states.iter().enumerate() {
        if !seen.insert(state.name) {
            issues.hinted(
                Code::DuplicateState,
                &states.index(position).key("name"),
                format!("Duplicate state name: '{}'", state.name),
                "every state needs a name of its own",
            );
        }
    }
}

fn initial(definition: &Definition<'_>, states: &Place<'_>, issues: &mut Issues) {
    let initial: Vec<_> = definition
        .states
        .iter()
        .enumerate()
        .filter(|(_, state)| state.kind == StateKind::Initial)
        .collect();
    match initial.as_slice() {
        [] => issues.hinted(
            Code::InitialState,
            states,
            "No initial state defined. Exactly one state must have type='initial'",
            "give the state in which a machine begins type: initial",
        ),
        [(position, only)] => {
            if only.parent.is_some() {
                issues.hinted(
                    Code::InitialState,
                    &states.index(*position).key("type"),
                    format!(
                        "No initial state defined (no root state with type 'initial'): '{}' has a parent",
                        only.name
                    ),
                    "make its outermost ancestor initial; initial_child says where it begins inside",
                );
            }
        }
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|(_, state)| format!("'{}'", state.name))
                .collect();
            issues.hinted(
                Code::InitialState,
                &states.index(several[1].0).key("type"),
                format!(
                    "Multiple initial states defined: [{}]. Exactly one state must have type='initial'",
                    names.join(", ")
                ),
                "nested states and regions begin where initial_child and initial say",
            );
        }
    }
}

fn initial_child(
    definition: &Definition<'_>,
    name: &str,
    child: &str,
    place: &Place<'_>,
    issues: &mut Issues,
) {
    match definition.state(child) {
        None => undefined(
            definition,
            child,
            Code::InitialChild,
            place,
            format!("State '{name}': initial_child '{child}' is not a defined state"),
            issues,
        ),
        Some(state) if state.parent != Some(name) => {
            let got = state
                .parent
                .map_or_else(|| "None".to_owned(), |parent| format!("'{parent}'"));
            issues.hinted(
                Code::InitialChild,
                place,
                format!(
                    "State '{name}': initial_child '{child}' must have parent '{name}' (got {got})"
                ),
                format!("add parent: {name} to state '{child}'"),
            );
        }
        Some(_) => {}
    }
}

/// Reports each ring of parents once, at the first of its states.
fn cycles(definition: &Definition<'_>, states: &Place<'_>, issues: &mut Issues) {
    const UNSEEN: usize = 0;
    let mut round = vec![UNSEEN; definition.states.len()];
    for start in 0..definition.states.len() {
        let mut next = Some(start);
        while let Some(position) = next {
            if round[position] != UNSEEN {
                if round[position] == start + 1 {
                    issues.hinted(
                        Code::ParentCycle,
                        &states.index(position).key("parent"),
                        format!(
                            "Cycle in parent chain involving state '{}'",
                            definition.states[position].name
                        ),
                        "parents must lead to a state without a parent",
                    );
                }
                break;
            }
            round[position] = start + 1;
            next = definition.states[position]
                .parent
                .and_then(|parent| definition.position(parent));
        }
    }
}

/// Reports a state that doesn't exist, with the one that was probably meant.
pub(super) fn undefined(
    definition: &Definition<'_>,
    name: &str,
    code: Code,
    place: &Place<'_>,
    message: String,
    issues: &mut Issues,
) {
    match kind::closest(name, definition.states.iter().map(|state| state.name)) {
        Some(near) => issues.hinted(code, place, message, format!("did you mean '{near}'?")),
        None => issues.hinted(code, place, message, format!("add a state named '{name}'")),
    }
}

/// Reports keys of state variables that come twice.
pub(super) fn variables(definition: &Definition<'_>, root: &Place<'_>, issues: &mut Issues) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let list = definition
        .config
        .and_then(|config| config.get("state_variables"))
        .and_then(crate::Value::as_items)
        .unwrap_or_default();
    let place = root.key("state_variables");
    for (position, item) in list.iter().enumerate() {
        let key = item
            .as_text()
            .or_else(|| item.as_map()?.get("key")?.as_text());
        if let Some(key) = key
            && seen.insert(key, position).is_some()
        {
            issues.add(
                Code::DuplicateVariable,
                &place.index(position),
                format!("Duplicate state_variable key: '{key}'"),
            );
        }
    }
}
