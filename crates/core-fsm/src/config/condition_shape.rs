use super::code::Code;
use super::guard_shape::{MAX_DEPTH, alternative};
use super::issue::Issues;
use super::kind;
use super::path::Place;
use crate::{Check, CheckOp, Expr, Map, Value};

/// Checks the text of an expression.
pub(super) fn expression(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    let Some(text) = kind::text(value, place, issues) else {
        return;
    };
    if let Err(error) = Expr::compile(text) {
        let message = format!("Expression '{text}' does not compile: {error}");
        match error.advice() {
            Some(advice) => issues.hinted(Code::Expression, place, message, advice),
            None => issues.add(Code::Expression, place, message),
        }
    }
}

/// Checks `when` of an action or a branch: a check or an expression.
pub(super) fn condition(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    match value {
        Value::Text(_) => expression(value, place, issues),
        Value::Map(_) => item(value, place, issues, 0),
        // Constants: `when: true`.
        _ => {}
    }
}

/// Checks `{field, op, …}`.
pub(super) fn check(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    if let Some(map) = kind::mapping(value, place, issues) {
        flat(map, place, issues);
    }
}

/// Checks an item of a state's `when`: a check, or a composite of them.
pub(super) fn item(value: &Value, place: &Place<'_>, issues: &mut Issues, depth: usize) {
    let Some(map) = kind::mapping(value, place, issues) else {
        return;
    };
    if depth > MAX_DEPTH {
        issues.shape(
            place,
            format!("Checks are nested deeper than {MAX_DEPTH} levels"),
        );
    } else if let Some((key, items)) = alternative(map, &["any_of", "all_of", "anyOf", "allOf"]) {
        let place = place.key(key);
        if let Some(items) = kind::list(items, &place, issues) {
            if items.is_empty() {
                issues.shape(&place, format!("'{key}' should have at least one item"));
            }
            for (index, part) in items.iter().enumerate() {
                item(part, &place.index(index), issues, depth + 1);
            }
        }
    } else if let Some((key, part)) = alternative(map, &["negate", "not"]) {
        item(part, &place.key(key), issues, depth + 1);
    } else if let Some(part) = map.get("check") {
        check(part, &place.key("check"), issues);
    } else {
        flat(map, place, issues);
    }
}

fn flat(map: &Map, place: &Place<'_>, issues: &mut Issues) {
    let (Some(field), Some(op)) = (map.get("field"), map.get("op")) else {
        issues.hinted(
            Code::Shape,
            place,
            format!(
                "CheckSpec requires 'field' and 'op': {}",
                Value::map(map.clone())
            ),
            "write {field: amount, op: gt, value: 100}",
        );
        return;
    };
    kind::text(field, &place.key("field"), issues);
    let op_place = place.key("op");
    let Some(op) = kind::text(op, &op_place, issues) else {
        return;
    };
    if CheckOp::parse(op).is_err()
        && let Some(near) = kind::closest(op, CheckOp::names())
    {
        let message = Check::from_config(map).err().unwrap_or_default();
        issues.hinted(
            Code::Shape,
            &op_place,
            message,
            format!("did you mean '{near}'?"),
        );
    } else if let Err(message) = Check::from_config(map) {
        issues.shape(place, message);
    }
}
