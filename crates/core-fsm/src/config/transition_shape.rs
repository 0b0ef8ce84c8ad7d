use super::code::Code;
use super::issue::Issues;
use super::path::Place;
use super::{action_shape, guard_shape, kind};
use crate::{Value, parse_delay};

/// Checks the form of one transition.
pub(super) fn transition(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    let mut triggered = false;
    for (key, value) in kind::entries(map, place, issues) {
        let place = place.key(key);
        match key {
            "trigger" if !value.is_null() => match kind::text(value, &place, issues) {
                Some("") => {}
                Some(trigger) => {
                    triggered = true;
                    trigger_name(trigger, &place, issues);
                }
                None => triggered = true,
            },
            "source" => source(value, &place, issues),
            "dest" | "description" => {
                kind::text(value, &place, issues);
            }
            "region" | "ref" => kind::optional_text(value, &place, issues),
            "guards" => guard_shape::guards(value, &place, issues),
            "actions" => action_shape::actions(value, &place, issues),
            "after" if !value.is_null() => {
                triggered = true;
                delay(value, &place, issues);
            }
            // An absolute time is a trigger of its own kind.
            "at" if !value.is_null() => triggered = true,
            "internal" => kind::boolean(value, &place, issues),
            "auto" => {
                kind::boolean(value, &place, issues);
                triggered |= kind::as_boolean(value) == Some(true);
            }
            "priority" if !value.is_null() => {
                kind::whole(value, &place, issues);
            }
            "refs" => kind::texts(value, &place, issues),
            "metadata" => {
                kind::mapping(value, &place, issues);
            }
            _ => {}
        }
    }
    kind::required(map, &["source", "dest"], place, issues);
    if !triggered {
        issues.hinted(
            Code::NoTrigger,
            place,
            "Transition must have 'trigger', 'after', or 'auto: true'",
            "name the event that causes it with 'trigger'",
        );
    }
}

fn trigger_name(trigger: &str, place: &Place<'_>, issues: &mut Issues) {
    // What joins the regions of an expanded state bears the state's dotted name.
    let join = trigger
        .strip_prefix("_join_")
        .is_some_and(kind::is_dotted_name);
    if !kind::is_name(trigger) && !join {
        issues.shape(
            place,
            format!(
                "trigger must contain only lowercase letters (a-z), numbers (0-9), and underscores (_). Got: '{trigger}'"
            ),
        );
    }
}

fn source(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    match value {
        Value::Text(_) => {}
        Value::List(items) | Value::Tuple(items) => {
            for (index, item) in items.iter().enumerate() {
                kind::text(item, &place.index(index), issues);
            }
        }
        _ => issues.shape(place, "Input should be a valid string or a list of strings"),
    }
}

fn delay(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    match value {
        Value::Int(delay) if *delay < 0 => {
            issues.shape(place, "Transition delay must be non-negative");
        }
        Value::Int(_) | Value::Bool(_) => {}
        Value::Text(text) => {
            if let Err(message) = parse_delay(text) {
                issues.shape(place, message);
            }
        }
        Value::Float(number) if number.fract() == 0.0 => {}
        Value::Float(_) => issues.shape(
            place,
            "Input should be a valid integer, got a number with a fractional part",
        ),
        Value::Map(map) if map.get("expr").is_some() => {}
        _ => issues.shape(place, "Input should be a valid integer or string"),
    }
}
