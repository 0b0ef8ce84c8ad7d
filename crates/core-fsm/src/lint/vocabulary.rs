use std::collections::{BTreeSet, HashSet};

use super::finding::{Finding, LintSeverity};
use crate::config::Definition;
use crate::{Expr, Key, Map, Value};

/// The guards and actions that there are functions for.
#[derive(Debug, Default)]
pub struct Registered {
    pub guards: HashSet<String>,
    pub actions: HashSet<String>,
}

/// Looks at the names that a machine uses, and at what it says in the open.
pub(super) fn check(
    definition: &Definition<'_>,
    registered: Option<&Registered>,
    findings: &mut Vec<Finding>,
) {
    if let Some(registered) = registered {
        missing(definition, registered, findings);
    }
    timers(definition, findings);
    context_keys(definition, findings);
    for (list, position, action) in actions(definition) {
        walk_actions(action, &mut |map| {
            if map.get("name").is_none() && map.get("code").is_some() {
                findings.push(Finding::at(
                    "code_action",
                    LintSeverity::Info,
                    Some((list, position)),
                    "Inline code runs only where it is allowed; a registered action runs everywhere"
                        .to_owned(),
                    &[],
                ));
            }
        });
        let mut secrets = BTreeSet::new();
        find_secrets(action, &mut secrets, 0);
        for key in secrets {
            findings.push(Finding::at(
                "secret_in_config",
                LintSeverity::Info,
                Some((list, position)),
                format!("'{key}' looks like a secret; take it from the environment: ${{NAME}}"),
                &[("key", Value::text(&key))],
            ));
        }
    }
}

/// Every action of a machine, with the list and the place of what it belongs to.
fn actions<'d>(definition: &'d Definition<'_>) -> Vec<(&'static str, usize, &'d Value)> {
    let mut actions = Vec::new();
    for (position, state) in definition.states.iter().enumerate() {
        for action in state.on_enter.iter().chain(&state.on_exit) {
            actions.push(("states", position, *action));
        }
    }
    for (position, transition) in definition.transitions.iter().enumerate() {
        for action in &transition.actions {
            actions.push(("transitions", position, *action));
        }
    }
    actions
}

/// Calls back for each mapping that is an action, those in branches included.
fn walk_actions(action: &Value, seen: &mut dyn FnMut(&Map)) {
    let Some(map) = action.as_map() else { return };
    seen(map);
    let branch = map.get("branch").and_then(Value::as_map);
    for side in ["then", "else"] {
        for inner in branch
            .and_then(|branch| branch.get(side))
            .and_then(Value::as_items)
            .unwrap_or_default()
        {
            walk_actions(inner, seen);
        }
    }
}

fn missing(definition: &Definition<'_>, registered: &Registered, findings: &mut Vec<Finding>) {
    for (position, transition) in definition.transitions.iter().enumerate() {
        let mut names = Vec::new();
        for guard in &transition.guards {
            guard_names(guard, &mut names);
        }
        for name in names {
            if !registered.guards.contains(name) {
                findings.push(Finding::of_transition(
                    "missing_guard",
                    LintSeverity::Info,
                    position,
                    format!("Guard '{name}' is not registered"),
                    &[
                        ("guard", Value::text(name)),
                        (
                            "trigger",
                            transition.trigger.map_or(Value::Null, Value::text),
                        ),
                    ],
                ));
            }
        }
    }
    // Once for each name, with the first place: those of transitions before those of states.
    let mut told = HashSet::new();
    let mut places = actions(definition);
    places.sort_by_key(|(list, ..)| *list == "states");
    for (list, position, action) in places {
        let mut names = Vec::new();
        match action.as_text() {
            Some(name) => names.push(name.to_owned()),
            None => walk_actions(action, &mut |map| {
                let custom = map.get("custom").and_then(Value::as_map).unwrap_or(map);
                names.extend(
                    custom
                        .get("name")
                        .and_then(Value::as_text)
                        .map(str::to_owned),
                );
            }),
        }
        for name in names {
            if !registered.actions.contains(&name) && told.insert(name.clone()) {
                let location = if list == "states" {
                    format!("state:{}", definition.states[position].name)
                } else {
                    "transition".to_owned()
                };
                findings.push(Finding::at(
                    "missing_action",
                    LintSeverity::Info,
                    Some((list, position)),
                    format!("Action '{name}' is not registered"),
                    &[
                        ("action", Value::text(&name)),
                        ("location", Value::text(&location)),
                    ],
                ));
            }
        }
    }
}

fn guard_names<'v>(guard: &'v Value, names: &mut Vec<&'v str>) {
    match guard {
        Value::Text(name) => names.push(name),
        Value::Map(map) => {
            if map.get("expr").is_some() {
                return;
            }
            if let Some(name) = map.get("name") {
                names.extend(name.as_text());
                return;
            }
            for key in ["allOf", "all_of", "anyOf", "any_of"] {
                for part in map.get(key).and_then(Value::as_items).unwrap_or_default() {
                    guard_names(part, names);
                }
            }
            for key in ["not", "negate"] {
                if let Some(part) = map.get(key) {
                    guard_names(part, names);
                }
            }
        }
        _ => {}
    }
}

fn timers(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    let timed = definition
        .states
        .iter()
        .any(|state| state.timeout.is_some())
        || definition
            .transitions
            .iter()
            .any(|transition| transition.after.is_some());
    if timed {
        findings.push(Finding::at(
            "timer_without_scheduler",
            LintSeverity::Info,
            None,
            "The machine has timeouts or delays; they fire only where a scheduler runs".to_owned(),
            &[],
        ));
    }
}

fn context_keys(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    let declared: Vec<&str> = definition
        .config
        .and_then(|config| config.get("state_variables")?.as_items())
        .unwrap_or_default()
        .iter()
        .filter_map(|variable| {
            variable
                .as_text()
                .or_else(|| variable.as_map()?.get("key")?.as_text())
        })
        .collect();
    if declared.is_empty() {
        return;
    }
    let mut used = BTreeSet::new();
    for transition in &definition.transitions {
        for guard in &transition.guards {
            keys_of(guard, &mut used, 0);
        }
    }
    for (_, _, action) in actions(definition) {
        keys_of(action, &mut used, 0);
    }
    for state in &definition.states {
        for item in state.when {
            keys_of(item, &mut used, 0);
        }
    }
    let invariants = definition
        .config
        .and_then(|config| config.get("context_invariants"));
    if let Some(invariants) = invariants {
        keys_of(invariants, &mut used, 0);
    }
    for key in &declared {
        if !used.contains(*key) {
            findings.push(Finding::at(
                "context_key_unused",
                LintSeverity::Info,
                None,
                format!("State variable '{key}' is declared and nowhere looked at or set"),
                &[("key", Value::text(key))],
            ));
        }
    }
    for key in used.iter().filter(|key| !declared.contains(&key.as_str())) {
        findings.push(Finding::at(
            "context_key_undeclared",
            LintSeverity::Info,
            None,
            format!("Context key '{key}' is used and not among state_variables"),
            &[("key", Value::text(key))],
        ));
    }
}

/// The context keys that checks, expressions and effects name.
fn keys_of(value: &Value, used: &mut BTreeSet<String>, depth: usize) {
    if depth > 64 {
        return;
    }
    match value {
        Value::List(items) | Value::Tuple(items) => {
            for item in items.iter() {
                keys_of(item, used, depth + 1);
            }
        }
        Value::Map(map) => {
            for (key, inner) in map.iter() {
                match (key.as_text(), inner) {
                    (Some("field"), Value::Text(field)) => {
                        used.insert(field.split('.').next().unwrap_or(field).to_owned());
                    }
                    (Some("expr" | "when"), Value::Text(expression)) => {
                        names_in(expression, used);
                    }
                    (
                        Some("timestamp" | "increment" | "decrement" | "clear"),
                        Value::Text(field),
                    ) => {
                        used.insert(field.to_string());
                    }
                    (Some("set" | "compute"), Value::Map(fields)) => {
                        used.extend(
                            fields
                                .iter()
                                .filter_map(|(key, _)| key.as_text().map(str::to_owned)),
                        );
                        for (_, expression) in fields.iter() {
                            if let (Some("compute"), Value::Text(text)) =
                                (key.as_text(), expression)
                            {
                                names_in(text, used);
                            }
                        }
                    }
                    (Some("params" | "value" | "values"), _) => {}
                    _ => keys_of(inner, used, depth + 1),
                }
            }
        }
        _ => {}
    }
}

/// The names that an expression looks up.
fn names_in(expression: &str, used: &mut BTreeSet<String>) {
    if let Ok(expression) = Expr::compile(expression) {
        used.extend(expression.names().into_iter().map(str::to_owned));
    }
}

/// Keys that hold a secret in the open.
fn find_secrets(value: &Value, found: &mut BTreeSet<String>, depth: usize) {
    const WORDS: [&str; 6] = [
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "authorization",
    ];
    if depth > 64 {
        return;
    }
    match value {
        Value::List(items) | Value::Tuple(items) => {
            for item in items.iter() {
                find_secrets(item, found, depth + 1);
            }
        }
        Value::Map(map) => {
            for (key, inner) in map.iter() {
                if let (Key::Text(key), Value::Text(text)) = (key, inner) {
                    let name = key.to_lowercase().replace('-', "_");
                    let open = !text.is_empty() && !text.contains("{{") && !text.contains("${");
                    if open && WORDS.iter().any(|word| name.ends_with(word)) {
                        found.insert(key.to_string());
                    }
                } else {
                    find_secrets(inner, found, depth + 1);
                }
            }
        }
        _ => {}
    }
}
