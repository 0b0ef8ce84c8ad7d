use num_bigint::BigInt;

use crate::Value;

/// More digits than this are text: no machine counts so far, and reading them takes long.
const MAX_DIGITS: usize = 4_000;

/// What a plain scalar means: the core schema of YAML 1.2, and the booleans of YAML 1.1 that existing files use.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Value::text(text);
    }
    integer(text)
        .or_else(|| float(text).map(Value::Float))
        .unwrap_or_else(|| Value::text(text))
}

/// The whole number that a text writes in decimal, `0o` or `0x`.
pub(super) fn integer(text: &str) -> Option<Value> {
    let radix = |digits: &str, radix: u32| {
        (!digits.is_empty() && digits.len() <= MAX_DIGITS)
            .then(|| BigInt::parse_bytes(digits.as_bytes(), radix))?
            .filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .map(Value::integer)
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty()
        || digits.len() > MAX_DIGITS
        || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    match text.parse() {
        Ok(number) => Some(Value::Int(number)),
        Err(_) => BigInt::parse_bytes(text.as_bytes(), 10).map(Value::integer),
    }
}

/// The float that a text writes in decimal, or an infinity.
pub(super) fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Some(if text.starts_with('-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        });
    }
    // Rust reads words such as `inf` and `nan` as well.
    let plain = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'));
    let digits = unsigned.starts_with(|first: char| first.is_ascii_digit())
        || (unsigned.starts_with('.')
            && unsigned[1..].starts_with(|next: char| next.is_ascii_digit()));
    if plain && digits {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_have_the_types_of_the_core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("on", Value::Bool(true)),
            ("No", Value::Bool(false)),
            ("y", Value::text("y")),
            ("12", Value::Int(12)),
            ("-7", Value::Int(-7)),
            ("+7", Value::Int(7)),
            ("010", Value::Int(10)),
            ("0x1F", Value::Int(31)),
            ("0o17", Value::Int(15)),
            ("1.5", Value::Float(1.5)),
            ("1e3", Value::Float(1000.0)),
            (".5", Value::Float(0.5)),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("1_000", Value::text("1_000")),
            ("2024-01-01", Value::text("2024-01-01")),
            ("1.2.3", Value::text("1.2.3")),
            ("-", Value::text("-")),
            (".", Value::text(".")),
            ("0x", Value::text("0x")),
            ("inf", Value::text("inf")),
            ("1:30", Value::text("1:30")),
        ] {
            assert_eq!(resolve(text), value, "{text:?}");
        }
        assert!(matches!(resolve(".nan"), Value::Float(number) if number.is_nan()));
        assert!(matches!(resolve("99999999999999999999"), Value::Big(_)));
    }
}
