//! The texts of values, as `str()` and `repr()` give them in Python.

use std::sync::LazyLock;

use num_bigint::BigInt;
use regex::Regex;

use super::error::ExprError;
use super::meter::Meter;
use crate::{Key, Value};

/// As Python guards itself: larger numbers take too long to write.
pub(super) const MAX_DIGITS: usize = 4300;

/// Characters that are written as escapes.
static UNPRINTABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{C}\p{Zl}\p{Zp}\p{Zs}]").expect("a pattern that never changes")
});

/// `str(value)`.
pub(super) fn text(meter: &Meter, value: &Value) -> Result<String, ExprError> {
    match value {
        Value::Text(text) => Ok(text.as_ref().to_owned()),
        Value::Foreign(foreign) => foreign.text().map_err(ExprError::type_error),
        _ => repr(meter, value),
    }
}

/// `repr(value)`.
pub(super) fn repr(meter: &Meter, value: &Value) -> Result<String, ExprError> {
    let mut out = String::new();
    write(meter, value, &mut out)?;
    Ok(out)
}

fn write(meter: &Meter, value: &Value, out: &mut String) -> Result<(), ExprError> {
    meter.charge(1)?;
    if out.len() > meter.longest() * 4 {
        meter.check_length(out.len())?;
    }
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(flag) => out.push_str(if *flag { "True" } else { "False" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Big(number) => out.push_str(&whole(number)?),
        Value::Float(number) => out.push_str(&float(*number)),
        Value::Text(text) => {
            meter.check_length(text.len() / 4)?;
            quote(text, out);
        }
        Value::List(items) => {
            out.push('[');
            write_items(meter, items, out)?;
            out.push(']');
        }
        Value::Tuple(items) => {
            out.push('(');
            write_items(meter, items, out)?;
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        Value::Map(map) => {
            out.push('{');
            for (position, (key, value)) in map.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                match key {
                    Key::Text(text) => quote(text, out),
                    Key::Int(number) => out.push_str(&number.to_string()),
                    Key::Other(value, _) => write(meter, value, out)?,
                }
                out.push_str(": ");
                write(meter, value, out)?;
            }
            out.push('}');
        }
        Value::Foreign(foreign) => {
            out.push_str(&foreign.repr().map_err(ExprError::type_error)?);
        }
    }
    Ok(())
}

fn write_items(meter: &Meter, items: &[Value], out: &mut String) -> Result<(), ExprError> {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        write(meter, item, out)?;
    }
    Ok(())
}

/// The digits of a whole number.
pub(super) fn whole(number: &BigInt) -> Result<String, ExprError> {
    // 3.32 bits are a digit: far beyond the limit there is no need to count.
    let digits = if number.bits() > MAX_DIGITS as u64 * 4 {
        None
    } else {
        let text = number.to_string();
        (text.trim_start_matches('-').len() <= MAX_DIGITS).then_some(text)
    };
    digits.ok_or_else(|| {
        ExprError::value(format!(
            "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion"
        ))
    })
}

/// `repr` of a float: the shortest digits that mean it.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// `repr` of a text: in single quotes, unless it holds one and no double one.
fn quote(text: &str, out: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(mark);
    let mut buffer = [0; 4];
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => {
                if char == mark {
                    out.push('\\');
                }
                out.push(char);
            }
            _ if !char.is_ascii() && !UNPRINTABLE.is_match(char.encode_utf8(&mut buffer)) => {
                out.push(char);
            }
            _ => {
                let code = u32::from(char);
                let escape = match code {
                    0..=0xff => format!("\\x{code:02x}"),
                    0x100..=0xffff => format!("\\u{code:04x}"),
                    _ => format!("\\U{code:08x}"),
                };
                out.push_str(&escape);
            }
        }
    }
    out.push(mark);
}
