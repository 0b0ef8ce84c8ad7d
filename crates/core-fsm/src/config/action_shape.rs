use super::code::Code;
use super::condition_shape;
use super::guard_shape::{MAX_DEPTH, registry_name};
use super::issue::Issues;
use super::kind;
use super::path::Place;
use crate::{Map, Value};

/// The keys that make a mapping an action without a name.
pub const ACTION_KEYS: [&str; 15] = [
    "append",
    "branch",
    "cancel",
    "clear",
    "code",
    "compute",
    "custom",
    "decrement",
    "emit",
    "http",
    "increment",
    "raise",
    "send",
    "set",
    "timestamp",
];

/// Checks what stands under `actions`, `on_enter` and `on_exit`: a name, a mapping or a list of them.
pub(super) fn actions(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    match value {
        Value::Null => {}
        Value::List(items) | Value::Tuple(items) => {
            for (index, item) in items.iter().enumerate() {
                action(item, &place.index(index), issues, 0);
            }
        }
        Value::Text(_) | Value::Map(_) => action(value, place, issues, 0),
        _ => issues.shape(place, "Input should be a valid string, dictionary or list"),
    }
}

fn action(value: &Value, place: &Place<'_>, issues: &mut Issues, depth: usize) {
    match value {
        Value::Text(name) => registry_name("Action name", name, place, issues),
        Value::Map(map) => {
            if depth > MAX_DEPTH {
                issues.shape(
                    place,
                    format!("Branches are nested deeper than {MAX_DEPTH} levels"),
                );
                return;
            }
            form(map, place, issues, depth);
            if let Some(when) = map.get("when") {
                condition_shape::condition(when, &place.key("when"), issues);
            }
        }
        _ if depth > 0 => issues.shape(
            place,
            format!("Invalid action item type: {}", value.type_name()),
        ),
        _ => issues.shape(place, "Input should be a valid string or dictionary"),
    }
}

fn form(map: &Map, place: &Place<'_>, issues: &mut Issues, depth: usize) {
    if let Some(name) = map.get("name") {
        match name.as_text().filter(|name| !name.is_empty()) {
            Some(name) => registry_name("Action name", name, &place.key("name"), issues),
            None => issues.add(
                Code::Name,
                &place.key("name"),
                "Action name must be a non-empty string",
            ),
        }
    } else if let Some(custom) = map.get("custom") {
        custom_form(custom, &place.key("custom"), issues);
    } else if let Some(branch) = map.get("branch") {
        branch_form(branch, &place.key("branch"), issues, depth);
    } else if let Some(assignments) = map.get("compute") {
        let place = place.key("compute");
        for (key, expression) in assignments.as_map().into_iter().flat_map(Map::iter) {
            if let (Some(key), Value::Text(_)) = (key.as_text(), expression) {
                condition_shape::expression(expression, &place.key(key), issues);
            }
        }
    } else if !ACTION_KEYS.iter().any(|key| map.get(key).is_some()) {
        let message = format!(
            "Action mapping must contain 'name' or one declarative action key ({}).",
            ACTION_KEYS.join(", ")
        );
        let near = map
            .iter()
            .filter_map(|(key, _)| key.as_text())
            .find_map(|key| kind::closest(key, ACTION_KEYS.into_iter()));
        match near {
            Some(near) => issues.hinted(
                Code::ActionKey,
                place,
                message,
                format!("did you mean '{near}'?"),
            ),
            None => issues.add(Code::ActionKey, place, message),
        }
    }
}

fn custom_form(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = value.as_map() else {
        issues.add(Code::ActionForm, place, "custom action requires a mapping");
        return;
    };
    match map
        .get("name")
        .and_then(Value::as_text)
        .filter(|name| !name.is_empty())
    {
        Some(name) => registry_name("custom action name", name, &place.key("name"), issues),
        None => issues.add(
            Code::ActionForm,
            place,
            "custom action name must be a non-empty string",
        ),
    }
    if map
        .get("params")
        .is_some_and(|params| !params.is_null() && params.as_map().is_none())
    {
        issues.add(
            Code::ActionForm,
            &place.key("params"),
            "custom action params must be a mapping",
        );
    }
}

fn branch_form(value: &Value, place: &Place<'_>, issues: &mut Issues, depth: usize) {
    let Some(map) = value.as_map() else {
        issues.add(Code::ActionForm, place, "branch action requires a mapping");
        return;
    };
    if let Some(when) = map.get("when") {
        condition_shape::condition(when, &place.key("when"), issues);
    }
    for side in ["then", "else"] {
        let place = place.key(side);
        match map.get(side) {
            None | Some(Value::Null) => {}
            Some(Value::List(items) | Value::Tuple(items)) => {
                for (index, item) in items.iter().enumerate() {
                    action(item, &place.index(index), issues, depth + 1);
                }
            }
            Some(_) => issues.add(
                Code::ActionForm,
                &place,
                format!("branch.{side} must be a list of actions"),
            ),
        }
    }
}
