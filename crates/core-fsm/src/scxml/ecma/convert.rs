//! What ECMAScript thinks of values: as truths, numbers, texts, and beside each other.

use std::cmp::Ordering;

use crate::scxml::undefined::is_undefined;
use crate::{Key, Value};

pub(in crate::scxml) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0 && !number.is_nan(),
        Value::Text(text) => !text.is_empty(),
        Value::Big(_) | Value::List(_) | Value::Tuple(_) | Value::Map(_) => true,
        Value::Foreign(_) if is_undefined(value) => false,
        Value::Foreign(foreign) => foreign.truth().unwrap_or(true),
    }
}

pub(super) fn number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Int(number) => *number as f64,
        Value::Big(number) => num_traits::ToPrimitive::to_f64(&**number).unwrap_or(f64::INFINITY),
        Value::Float(number) => *number,
        Value::Text(text) => parse_number(text),
        Value::List(items) | Value::Tuple(items) => match items.as_slice() {
            [] => 0.0,
            [only] => number(only),
            _ => f64::NAN,
        },
        Value::Map(_) => f64::NAN,
        Value::Foreign(foreign) => match foreign.to_number() {
            Some(Value::Int(whole)) => whole as f64,
            Some(Value::Float(float)) => float,
            _ => f64::NAN,
        },
    }
}

fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => match text.strip_prefix("0x") {
            Some(digits) => {
                i64::from_str_radix(digits, 16).map_or(f64::NAN, |number| number as f64)
            }
            // Rust reads more than ECMAScript does: "inf", "nan".
            None if text
                .bytes()
                .any(|byte| byte.is_ascii_alphabetic() && byte | 32 != b'e') =>
            {
                f64::NAN
            }
            None => text.parse().unwrap_or(f64::NAN),
        },
    }
}

/// A number as a value: whole ones as such, where they are exact.
pub(super) fn numeric(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Big(number) => number.to_string(),
        Value::Float(number) => ryu_js::Buffer::new().format(*number).to_owned(),
        Value::Text(text) => text.to_string(),
        Value::List(items) | Value::Tuple(items) => {
            let texts: Vec<_> = items
                .iter()
                .map(|item| {
                    if item.is_null() || is_undefined(item) {
                        String::new()
                    } else {
                        text(item)
                    }
                })
                .collect();
            texts.join(",")
        }
        Value::Map(_) => "[object Object]".to_owned(),
        Value::Foreign(foreign) => foreign.text().unwrap_or_default(),
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Big(_) | Value::Float(_) => "number",
        Value::Text(_) => "string",
        value if is_undefined(value) => "undefined",
        _ => "object",
    }
}

fn is_object(value: &Value) -> bool {
    !value.is_null() && kind(value) == "object"
}

/// `===`. Objects are equal by their contents: values have no identity here.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    kind(left) == kind(right) && left == right
}

/// `==`
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    let nothing = |value: &Value| value.is_null() || is_undefined(value);
    match (nothing(left), nothing(right)) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    if kind(left) == kind(right) {
        return left == right;
    }
    match (left, right) {
        (Value::Text(one), other) | (other, Value::Text(one)) if is_object(other) => {
            **one == *text(other)
        }
        _ => number(left).partial_cmp(&number(right)) == Some(Ordering::Equal),
    }
}

/// How two values stand to each other: texts by their letters, anything else as numbers.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => number(left).partial_cmp(&number(right)),
    }
}

pub(super) fn key(value: &Value) -> Key {
    Key::from(&*text(value))
}
