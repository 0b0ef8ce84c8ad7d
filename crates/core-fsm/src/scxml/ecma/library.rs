//! The functions and methods that expressions may call.

use super::convert::{key, number, numeric, same, text, truth};
use super::eval::{MAX_LENGTH, checked};
use crate::scxml::json::to_json;
use crate::scxml::undefined::{is_undefined, undefined};
use crate::source::read_json;
use crate::{Key, Value};

pub(super) fn constant(object: &str, name: &str) -> Option<Value> {
    match (object, name) {
        ("Math", "PI") => Some(Value::Float(std::f64::consts::PI)),
        ("Math", "E") => Some(Value::Float(std::f64::consts::E)),
        ("Number", "MAX_SAFE_INTEGER") => Some(Value::Int(9_007_199_254_740_991)),
        _ => None,
    }
}

pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let first = arguments.first().cloned().unwrap_or_else(undefined);
    let one = number(&first);
    let two = arguments.get(1).map_or(f64::NAN, number);
    Ok(match name {
        "String" => checked(if arguments.is_empty() {
            String::new()
        } else {
            text(&first)
        })?,
        "Number" => numeric(if arguments.is_empty() { 0.0 } else { one }),
        "Boolean" => Value::Bool(truth(&first)),
        "isNaN" | "Number.isNaN" => Value::Bool(one.is_nan()),
        "isFinite" | "Number.isFinite" => Value::Bool(one.is_finite()),
        "Number.isInteger" => Value::Bool(one.is_finite() && one.fract() == 0.0),
        "parseInt" => parse_leading(&text(&first), false),
        "parseFloat" => parse_leading(&text(&first), true),
        "Math.abs" => numeric(one.abs()),
        "Math.ceil" => numeric(one.ceil()),
        "Math.floor" => numeric(one.floor()),
        "Math.round" => numeric((one + 0.5).floor()),
        "Math.trunc" => numeric(one.trunc()),
        "Math.sign" => numeric(if one == 0.0 { 0.0 } else { one.signum() }),
        "Math.sqrt" => numeric(one.sqrt()),
        "Math.pow" => numeric(one.powf(two)),
        "Math.max" => numeric(extreme(arguments, f64::NEG_INFINITY, f64::max)),
        "Math.min" => numeric(extreme(arguments, f64::INFINITY, f64::min)),
        "Array.isArray" => Value::Bool(first.as_items().is_some()),
        "Object.keys" => match &first {
            Value::Map(map) => Value::list(map.iter().map(|(key, _)| key_text(key)).collect()),
            _ => Value::list(Vec::new()),
        },
        "Object.values" => match &first {
            Value::Map(map) => Value::list(map.iter().map(|(_, value)| value.clone()).collect()),
            _ => Value::list(Vec::new()),
        },
        "JSON.stringify" => checked(to_json(&first))?,
        "JSON.parse" => {
            read_json(&text(&first), None)
                .map_err(|error| error.to_string())?
                .value
        }
        _ => return Err(format!("the function '{name}' is not available")),
    })
}

fn extreme(arguments: &[Value], start: f64, pick: fn(f64, f64) -> f64) -> f64 {
    arguments.iter().map(number).fold(start, |best, next| {
        if next.is_nan() {
            next
        } else {
            pick(best, next)
        }
    })
}

fn key_text(key: &Key) -> Value {
    match key {
        Key::Text(text) | Key::Other(_, text) => Value::Text(text.clone()),
        Key::Int(number) => Value::text(number.to_string()),
    }
}

/// The number that a text begins with.
fn parse_leading(text: &str, float: bool) -> Value {
    let text = text.trim();
    let sign = usize::from(text.starts_with(['-', '+']));
    let end = text[sign..]
        .find(|char: char| !(char.is_ascii_digit() || (float && char == '.')))
        .map_or(text.len(), |end| end + sign);
    text[..end]
        .trim_start_matches('+')
        .parse()
        .map_or(Value::Float(f64::NAN), numeric)
}

pub(super) fn method(object: &Value, name: &str, arguments: &[Value]) -> Result<Value, String> {
    let first = arguments.first().cloned().unwrap_or_else(undefined);
    let found = match object {
        Value::Text(subject) => of_text(subject, name, arguments, &first)?,
        Value::List(items) | Value::Tuple(items) => of_list(items, name, arguments, &first)?,
        Value::Map(map) if name == "hasOwnProperty" => {
            Some(Value::Bool(map.get_key(&key(&first)).is_some()))
        }
        Value::Int(_) | Value::Float(_) if name == "toFixed" => {
            let digits = if arguments.is_empty() {
                0.0
            } else {
                number(&first)
            };
            Some(Value::text(format!(
                "{:.*}",
                digits.clamp(0.0, 100.0) as usize,
                number(object)
            )))
        }
        _ => None,
    };
    match found {
        Some(value) => Ok(value),
        None if name == "toString" && !object.is_null() && !is_undefined(object) => {
            checked(text(object))
        }
        None => Err(format!(
            "'{name}' is no method of a {}",
            super::convert::kind(object)
        )),
    }
}

/// Start and end of a slice; negative ones count from the end where `wraps`, else they are 0.
fn bounds(arguments: &[Value], length: usize, wraps: bool) -> (usize, usize) {
    let place = |value: Option<&Value>, default: usize| match value {
        None => default,
        Some(value) if is_undefined(value) => default,
        Some(value) => {
            let at = number(value);
            let at = if at.is_nan() { 0.0 } else { at.trunc() };
            let at = if at < 0.0 && wraps {
                at + length as f64
            } else {
                at
            };
            at.clamp(0.0, length as f64) as usize
        }
    };
    (place(arguments.first(), 0), place(arguments.get(1), length))
}

fn of_text(
    subject: &str,
    name: &str,
    arguments: &[Value],
    first: &Value,
) -> Result<Option<Value>, String> {
    let wanted = text(first);
    let at = |found: Option<usize>| {
        Value::Int(found.map_or(-1, |byte| subject[..byte].chars().count() as i64))
    };
    let slice = |start: usize, end: usize| {
        let chars = subject.chars().skip(start).take(end.saturating_sub(start));
        Value::Text(chars.collect::<String>().into())
    };
    Ok(Some(match name {
        "toUpperCase" => checked(subject.to_uppercase())?,
        "toLowerCase" => checked(subject.to_lowercase())?,
        "trim" => Value::text(subject.trim()),
        "indexOf" => at(subject.find(&wanted)),
        "lastIndexOf" => at(subject.rfind(&wanted)),
        "includes" => Value::Bool(subject.contains(&wanted)),
        "startsWith" => Value::Bool(subject.starts_with(&wanted)),
        "endsWith" => Value::Bool(subject.ends_with(&wanted)),
        "charAt" => slice(
            number(first).max(0.0) as usize,
            number(first).max(0.0) as usize + 1,
        ),
        "concat" => checked(
            arguments
                .iter()
                .fold(subject.to_owned(), |whole, part| whole + &text(part)),
        )?,
        "replace" => {
            let with = arguments
                .get(1)
                .map_or_else(|| "undefined".to_owned(), text);
            checked(subject.replacen(&wanted, &with, 1))?
        }
        "slice" => {
            let (start, end) = bounds(arguments, subject.chars().count(), true);
            slice(start, end)
        }
        "substring" => {
            let (start, end) = bounds(arguments, subject.chars().count(), false);
            slice(start.min(end), start.max(end))
        }
        "split" if arguments.is_empty() => Value::list(vec![Value::text(subject)]),
        "split" if wanted.is_empty() => {
            if subject.len() > MAX_LENGTH {
                return Err(format!("the list is longer than {MAX_LENGTH}"));
            }
            Value::list(
                subject
                    .chars()
                    .map(|char| Value::text(char.to_string()))
                    .collect(),
            )
        }
        "split" => Value::list(subject.split(&*wanted).map(Value::text).collect()),
        _ => return Ok(None),
    }))
}

fn of_list(
    items: &[Value],
    name: &str,
    arguments: &[Value],
    first: &Value,
) -> Result<Option<Value>, String> {
    let found = || items.iter().position(|item| same(item, first));
    Ok(Some(match name {
        "indexOf" => Value::Int(found().map_or(-1, |at| at as i64)),
        "includes" => Value::Bool(found().is_some()),
        "join" => {
            let with = if arguments.is_empty() {
                ",".to_owned()
            } else {
                text(first)
            };
            let parts: Vec<_> = items.iter().map(text).collect();
            if parts
                .iter()
                .map(|part| part.len() + with.len())
                .sum::<usize>()
                > MAX_LENGTH
            {
                return Err(format!("the text is longer than {MAX_LENGTH}"));
            }
            checked(parts.join(&with))?
        }
        "slice" => {
            let (start, end) = bounds(arguments, items.len(), true);
            Value::list(
                items
                    .get(start..end.max(start))
                    .unwrap_or_default()
                    .to_vec(),
            )
        }
        "concat" => {
            let mut joined = items.to_vec();
            for argument in arguments {
                match argument.as_items() {
                    Some(more) => joined.extend_from_slice(more),
                    None => joined.push(argument.clone()),
                }
                if joined.len() > MAX_LENGTH {
                    return Err(format!("the list is longer than {MAX_LENGTH}"));
                }
            }
            Value::list(joined)
        }
        _ => return Ok(None),
    }))
}
