use super::code::Code;
use super::issue::Issues;
use super::path::Place;
use super::{kind, state_shape, transition_shape};
use crate::{CheckOp, Value};

/// Checks the form of a whole configuration.
pub(super) fn config(value: &Value, issues: &mut Issues) {
    let root = Place::ROOT;
    let Some(map) = kind::mapping(value, &root, issues) else {
        return;
    };
    for (key, value) in kind::entries(map, &root, issues) {
        let place = root.key(key);
        match key {
            "meta" => meta(value, &place, issues),
            "states" => {
                if let Some(items) = kind::list(value, &place, issues) {
                    if items.is_empty() {
                        issues.hinted(
                            Code::Shape,
                            &place,
                            "At least one state is required",
                            "add a state with type: initial",
                        );
                    }
                    for (index, item) in items.iter().enumerate() {
                        state_shape::state(item, &place.index(index), issues);
                    }
                }
            }
            "transitions" => {
                for (index, item) in kind::list(value, &place, issues)
                    .unwrap_or_default()
                    .iter()
                    .enumerate()
                {
                    transition_shape::transition(item, &place.index(index), issues);
                }
            }
            "groups" if !value.is_null() => {
                if let Some(map) = kind::mapping(value, &place, issues) {
                    kind::entries(map, &place, issues);
                }
            }
            "error_policy" if !value.is_null() => policy(value, &place, issues),
            "state_variables" if !value.is_null() => variables(value, &place, issues),
            "context_invariants" if !value.is_null() => invariants(value, &place, issues),
            "events" if !value.is_null() => {
                for (index, item) in kind::list(value, &place, issues)
                    .unwrap_or_default()
                    .iter()
                    .enumerate()
                {
                    kind::mapping(item, &place.index(index), issues);
                }
            }
            _ => {}
        }
    }
    kind::required(map, &["states", "transitions"], &root, issues);
}

fn meta(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    for (key, value) in kind::entries(map, place, issues) {
        let place = place.key(key);
        match key {
            "machine_name" | "description" => kind::optional_text(value, &place, issues),
            // A number is a version that somebody forgot to quote; a warning says so.
            "version" if !matches!(value, Value::Int(_) | Value::Float(_)) => {
                kind::optional_text(value, &place, issues);
            }
            "strict_mode" | "validate_context" => switch(value, &place, issues),
            "reject_invalid_events" | "strict_guard_registry" if !value.is_null() => {
                switch(value, &place, issues);
            }
            "event_normalizer" if !value.is_null() => {
                kind::choice(value, &["lower", "upper"], &place, issues);
            }
            "orchestrator_default_fallback" if !matches!(value, Value::Bool(_)) => {
                kind::choice(value, &["off", "hint", "persist"], &place, issues);
            }
            "self_transition" if !value.is_null() => {
                kind::choice(value, &["quiet", "reenter"], &place, issues);
            }
            "semantics" if !value.is_null() => {
                kind::choice(value, &["classic", "scxml"], &place, issues);
            }
            "auto_depth" if !value.is_null() => auto_depth(value, &place, issues),
            _ => {}
        }
    }
}

fn auto_depth(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    if kind::whole(value, place, issues).is_some_and(|depth| !(1..=1000).contains(&depth)) {
        issues.shape(place, "Input should be between 1 and 1000");
    }
}

/// A strictness switch: an empty text counts as off.
fn switch(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    if value.as_text() != Some("") {
        kind::boolean(value, place, issues);
    }
}

fn policy(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    if let Some(attempts) = map.get("retry_attempts").filter(|value| !value.is_null()) {
        let place = place.key("retry_attempts");
        if kind::whole(attempts, &place, issues).is_some_and(|attempts| attempts < 0) {
            issues.shape(&place, "Input should be greater than or equal to 0");
        }
    }
}

fn variables(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    for (index, item) in kind::list(value, place, issues)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let place = place.index(index);
        match item {
            Value::Map(map) => {
                match map.get("key") {
                    Some(key) => kind::name(key, &place.key("key"), issues),
                    None => kind::required(map, &["key"], &place, issues),
                }
                if let Some(description) = map.get("description") {
                    kind::optional_text(description, &place.key("description"), issues);
                }
                if let Some(required) = map.get("required") {
                    kind::boolean(required, &place.key("required"), issues);
                }
            }
            Value::Text(key) if !kind::is_name(key) => {
                kind::pattern(key, &place.key("key"), issues);
            }
            Value::Text(_) => {}
            _ => issues.shape(&place, "Input should be a valid string or dictionary"),
        }
    }
}

fn invariants(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    for (index, item) in kind::list(value, place, issues)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let place = place.index(index);
        let Some(map) = kind::mapping(item, &place, issues) else {
            continue;
        };
        for key in ["name", "description"] {
            if let Some(value) = map.get(key) {
                kind::optional_text(value, &place.key(key), issues);
            }
        }
        for key in ["check", "negate"] {
            if let Some(value) = map.get(key).filter(|value| !value.is_null()) {
                kind::mapping(value, &place.key(key), issues);
            }
        }
        for key in ["all_of", "any_of"] {
            if let Some(value) = map.get(key).filter(|value| !value.is_null()) {
                let place = place.key(key);
                for (index, part) in kind::list(value, &place, issues)
                    .unwrap_or_default()
                    .iter()
                    .enumerate()
                {
                    kind::mapping(part, &place.index(index), issues);
                }
            }
        }
        let checks = ["check", "all_of", "any_of", "negate"]
            .iter()
            .any(|key| map.get(key).is_some_and(|value| !value.is_null()));
        if !checks && (map.get("field").is_none() || map.get("op").is_none()) {
            issues.hinted(
                Code::InvariantWithoutCheck,
                &place,
                "context invariant requires a flat field/op check, check, all_of, any_of, or negate",
                format!(
                    "write {{name: positive, field: amount, op: gt, value: 0}}; operators: {}",
                    CheckOp::names().collect::<Vec<_>>().join(", ")
                ),
            );
        }
    }
}
