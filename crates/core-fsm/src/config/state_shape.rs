use super::issue::Issues;
use super::path::Place;
use super::{action_shape, condition_shape, kind};
use crate::{Map, Value};

pub(super) const STATE_TYPES: [&str; 6] = [
    "initial", "stable", "terminal", "error", "parallel", "choice",
];

/// Checks the form of one state.
pub(super) fn state(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    // A dotted name is what a submachine becomes; its parent is the text before the last dot.
    let parent = map.get("parent").and_then(Value::as_text);
    for (key, value) in kind::entries(map, place, issues) {
        let place = place.key(key);
        match key {
            "name" => state_name(value, parent, &place, issues),
            "type" => kind::choice(value, &STATE_TYPES, &place, issues),
            "description" => {
                kind::text(value, &place, issues);
            }
            "group" | "parent" | "initial_child" => kind::optional_text(value, &place, issues),
            "regions" => regions(value, map, &place, issues),
            "on_enter" | "on_exit" if !value.as_map().is_some_and(Map::is_empty) => {
                action_shape::actions(value, &place, issues);
            }
            "invoke" => invoke(value, &place, issues),
            "timeout" if !value.is_null() => timeout(value, &place, issues),
            "entry_points" | "exit_points" => kind::texts(value, &place, issues),
            "when" => {
                for (index, item) in kind::list(value, &place, issues)
                    .unwrap_or_default()
                    .iter()
                    .enumerate()
                {
                    condition_shape::item(item, &place.index(index), issues, 0);
                }
            }
            "metadata" => {
                kind::mapping(value, &place, issues);
            }
            _ => {}
        }
    }
    kind::required(map, &["name"], place, issues);
    if map.get("type").and_then(Value::as_text) == Some("parallel")
        && map
            .get("regions")
            .and_then(Value::as_items)
            .is_none_or(<[Value]>::is_empty)
    {
        let name = map.get("name").and_then(Value::as_text).unwrap_or_default();
        issues.hinted(
            super::code::Code::Shape,
            &place.key("regions"),
            format!("Parallel state '{name}' must have at least one region"),
            "give it regions: [{name: ..., initial: ..., states: [...]}]",
        );
    }
}

fn state_name(value: &Value, parent: Option<&str>, place: &Place<'_>, issues: &mut Issues) {
    let Some(name) = kind::text(value, place, issues) else {
        return;
    };
    let expanded =
        kind::is_dotted_name(name) && parent.is_some_and(|parent| is_within(name, parent));
    if !kind::is_name(name) && !expanded {
        kind::pattern(name, place, issues);
    }
}

/// Whether a dotted name can belong to a child of `parent`: both come of the same submachine, or the one of the other.
fn is_within(name: &str, parent: &str) -> bool {
    let prefix = name.rsplit_once('.').map_or("", |(prefix, _)| prefix);
    parent == prefix
        || parent
            .rsplit_once('.')
            .is_some_and(|(scope, _)| scope == prefix)
}

fn regions(value: &Value, state: &Map, place: &Place<'_>, issues: &mut Issues) {
    let scope = state
        .get("name")
        .and_then(Value::as_text)
        .and_then(|name| name.rsplit_once('.'))
        .map(|(scope, _)| scope);
    for (index, item) in kind::list(value, place, issues)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        region(item, scope, &place.index(index), issues);
    }
}

fn region(value: &Value, scope: Option<&str>, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    for (key, value) in kind::entries(map, place, issues) {
        let place = place.key(key);
        match key {
            "name" => {
                let expanded = value.as_text().is_some_and(|name| {
                    kind::is_dotted_name(name)
                        && name.rsplit_once('.').map(|(prefix, _)| prefix) == scope
                });
                if !expanded {
                    kind::name(value, &place, issues);
                }
            }
            "initial" | "description" => {
                kind::text(value, &place, issues);
            }
            "final" => kind::optional_text(value, &place, issues),
            "states" => kind::texts(value, &place, issues),
            _ => {}
        }
    }
    kind::required(map, &["name", "initial"], place, issues);
}

fn invoke(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    for (index, item) in kind::list(value, place, issues)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let place = place.index(index);
        let Some(map) = kind::mapping(item, &place, issues) else {
            continue;
        };
        for key in ["id", "src"] {
            if let Some(value) = map.get(key) {
                kind::text(value, &place.key(key), issues);
            }
        }
        if let Some(value) = map.get("on_done") {
            kind::optional_text(value, &place.key("on_done"), issues);
        }
        kind::required(map, &["id", "src"], &place, issues);
    }
}

fn timeout(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    if let Some(seconds) = map.get("seconds") {
        kind::positive(seconds, &place.key("seconds"), issues);
    }
    if let Some(destination) = map.get("destination") {
        kind::text(destination, &place.key("destination"), issues);
    }
    kind::required(map, &["seconds", "destination"], place, issues);
}
