//! The functions that expressions may call.

use num_bigint::BigInt;

use super::code::{Binary, Comparison};
use super::error::{ExprError, ExprErrorKind};
use super::host::Env;
use super::meter::Meter;
use super::method::{is_blank, key_value};
use super::number::{Number, overflow, round};
use super::operation::{binary, truth};
use super::order::ordered;
use super::repr::{MAX_DIGITS, repr, text};
use crate::moment::{Moment, Span};
use crate::{Value, pattern};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Len,
    Min,
    Max,
    Abs,
    Sum,
    Round,
    Str,
    Int,
    Float,
    Bool,
    Any,
    All,
    Rand,
    RandInt,
    Now,
    Date,
    Days,
    Coalesce,
    Matches,
    InState,
}

/// Names, and how many arguments they take.
const FUNCTIONS: [(&str, Function, usize, usize); 21] = [
    ("len", Function::Len, 1, 1),
    ("min", Function::Min, 1, usize::MAX),
    ("max", Function::Max, 1, usize::MAX),
    ("abs", Function::Abs, 1, 1),
    ("sum", Function::Sum, 1, 2),
    ("round", Function::Round, 1, 2),
    ("str", Function::Str, 0, 1),
    ("int", Function::Int, 0, 2),
    ("float", Function::Float, 0, 1),
    ("bool", Function::Bool, 0, 1),
    ("any", Function::Any, 1, 1),
    ("all", Function::All, 1, 1),
    ("rand", Function::Rand, 0, 0),
    ("randint", Function::RandInt, 1, 1),
    ("now", Function::Now, 0, 0),
    ("date", Function::Date, 1, 1),
    ("days", Function::Days, 1, 1),
    ("coalesce", Function::Coalesce, 1, usize::MAX),
    ("matches", Function::Matches, 2, 2),
    ("in_state", Function::InState, 1, 1),
    // As SCXML calls it.
    ("In", Function::InState, 1, 1),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        FUNCTIONS
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(_, function, ..)| *function)
    }

    /// What there is, for messages.
    pub(super) fn list() -> String {
        let names: Vec<_> = FUNCTIONS.iter().map(|(name, ..)| *name).collect();
        format!("there are {}", names.join(", "))
    }

    /// Whether so many arguments are right.
    pub(super) fn check_count(self, count: usize) -> Result<(), ExprError> {
        let Some((name, _, least, most)) = FUNCTIONS.iter().find(|(_, known, ..)| *known == self)
        else {
            return Ok(());
        };
        if (*least..=*most).contains(&count) {
            return Ok(());
        }
        let expected = match (least, most) {
            (least, most) if least == most => least.to_string(),
            (least, &usize::MAX) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        };
        Err(ExprError::type_error(format!(
            "{name}() takes {expected} argument{}, not {count}",
            if expected == "1" { "" } else { "s" }
        )))
    }

    pub(super) fn call(
        self,
        meter: &Meter,
        env: &Env<'_>,
        arguments: &[Value],
    ) -> Result<Value, ExprError> {
        match (self, arguments) {
            (Self::Len, [value]) => length(meter, value),
            (Self::Min, _) => extreme(meter, arguments, Comparison::Less, "min"),
            (Self::Max, _) => extreme(meter, arguments, Comparison::Greater, "max"),
            (Self::Abs, [value]) => absolute(value),
            (Self::Sum, [values]) => sum(meter, values, Value::Int(0)),
            (Self::Sum, [values, start]) => sum(meter, values, start.clone()),
            (Self::Round, [value] | [value, Value::Null]) => round(value, None),
            (Self::Round, [value, digits]) => match super::index::position(digits) {
                Some(digits) => round(value, Some(digits)),
                None => Err(ExprError::type_error(format!(
                    "'{}' object cannot be interpreted as an integer",
                    digits.type_name()
                ))),
            },
            (Self::Str, []) => Ok(Value::text("")),
            (Self::Str, [value]) => meter.text(text(meter, value)?),
            (Self::Int, []) => Ok(Value::Int(0)),
            (Self::Int, [value]) => to_whole(meter, value),
            (Self::Int, [Value::Text(digits), radix]) => match super::index::position(radix) {
                Some(radix @ (0 | 2..=36)) => parse_whole(meter, digits, radix as u32),
                _ => Err(ExprError::value("int() base must be >= 2 and <= 36, or 0")),
            },
            (Self::Int, _) => Err(ExprError::type_error(
                "int() can't convert non-string with explicit base",
            )),
            (Self::Float, []) => Ok(Value::Float(0.0)),
            (Self::Float, [value]) => to_float(meter, value),
            (Self::Bool, []) => Ok(Value::Bool(false)),
            (Self::Bool, [value]) => Ok(Value::Bool(truth(value)?)),
            (Self::Any | Self::All, [values]) => {
                let wanted = self == Self::Any;
                for value in &items(meter, values)? {
                    if truth(value)? == wanted {
                        return Ok(Value::Bool(wanted));
                    }
                }
                Ok(Value::Bool(!wanted))
            }
            (Self::Rand, _) => match env.host.random() {
                Some(number) => Ok(Value::Float(number)),
                None => Err(no_chance()),
            },
            (Self::RandInt, [limit]) => match (Number::of(limit), env.host.random()) {
                (Some(limit), Some(number)) => Ok(Value::Int((number * limit.to_float()?) as i64)),
                (None, _) => Err(ExprError::type_error(format!(
                    "randint() takes a number, not {}",
                    limit.type_name()
                ))),
                (_, None) => Err(no_chance()),
            },
            (Self::Now, _) => match env.host.now() {
                Some(micros) => Ok(Moment::new(micros).into()),
                None => Err(ExprError::new(
                    ExprErrorKind::Refused,
                    "now() has no clock here",
                )),
            },
            (Self::Date, [value]) => Moment::of(value).map(Into::into).map_err(ExprError::value),
            (Self::Days, [value]) => match Number::of(value) {
                Some(number) => Span::days(number.to_float()?)
                    .map(Into::into)
                    .ok_or_else(|| overflow("days() is out of range")),
                None => Err(ExprError::type_error(format!(
                    "days() takes a number, not {}",
                    value.type_name()
                ))),
            },
            (Self::Coalesce, _) => Ok(arguments
                .iter()
                .find(|value| !value.is_null())
                .cloned()
                .unwrap_or(Value::Null)),
            (Self::Matches, [subject, pattern]) => {
                let Value::Text(pattern) = pattern else {
                    return Err(ExprError::type_error(format!(
                        "matches() takes a pattern in text, not {}",
                        pattern.type_name()
                    )));
                };
                if subject.is_null() {
                    return Ok(Value::Bool(false));
                }
                let subject = text(meter, subject)?;
                // Compiling costs far more than a step, searching a little for every character.
                meter.charge(100 + pattern.len() as u64)?;
                meter.charge_length(subject.len() * 8)?;
                pattern::cached(pattern)
                    .map(|pattern| Value::Bool(pattern.is_match(&subject)))
                    .map_err(ExprError::value)
            }
            (Self::InState, [name]) => {
                let Value::Text(name) = name else {
                    return Err(ExprError::type_error(format!(
                        "in_state() takes a name in text, not {}",
                        name.type_name()
                    )));
                };
                env.host.in_state(name).map(Value::Bool).ok_or_else(|| {
                    ExprError::new(ExprErrorKind::Refused, "in_state() has no states here")
                })
            }
            // The compiler has counted the arguments.
            _ => self.check_count(arguments.len()).map(|()| Value::Null),
        }
    }
}

fn no_chance() -> ExprError {
    ExprError::new(
        ExprErrorKind::Refused,
        "rand() and randint() are not available: with them the same event has not the same result",
    )
    .hint("allow them with allow_random=True")
}

fn length(meter: &Meter, value: &Value) -> Result<Value, ExprError> {
    let length = match value {
        Value::Text(text) if text.is_ascii() => Some(text.len()),
        Value::Text(text) => {
            meter.charge_length(text.len())?;
            Some(text.chars().count())
        }
        Value::List(items) | Value::Tuple(items) => Some(items.len()),
        Value::Map(map) => Some(map.len()),
        Value::Foreign(foreign) => foreign.length(),
        _ => None,
    };
    match length {
        Some(length) => Ok(Value::Int(length as i64)),
        None => Err(ExprError::type_error(format!(
            "object of type '{}' has no len()",
            value.type_name()
        ))),
    }
}

/// The items of whatever has some.
pub(super) fn items(meter: &Meter, value: &Value) -> Result<Vec<Value>, ExprError> {
    let items: Vec<Value> = match value {
        Value::List(items) | Value::Tuple(items) => items.as_ref().clone(),
        Value::Text(text) => {
            meter.check_length(text.len() / 4)?;
            text.chars()
                .map(|char| Value::text(char.to_string()))
                .collect()
        }
        Value::Map(map) => map.iter().map(|(key, _)| key_value(key)).collect(),
        Value::Foreign(foreign) => match foreign.items() {
            Some(items) => items,
            None => return Err(not_iterable(value)),
        },
        _ => return Err(not_iterable(value)),
    };
    meter.charge(items.len() as u64 / 8)?;
    Ok(items)
}

fn not_iterable(value: &Value) -> ExprError {
    ExprError::type_error(format!("'{}' object is not iterable", value.type_name()))
}

fn extreme(
    meter: &Meter,
    arguments: &[Value],
    better: Comparison,
    name: &str,
) -> Result<Value, ExprError> {
    let values = match arguments {
        [values] => items(meter, values)?,
        _ => arguments.to_vec(),
    };
    let mut values = values.into_iter();
    let Some(mut best) = values.next() else {
        return Err(ExprError::value(format!(
            "{name}() arg is an empty sequence"
        )));
    };
    for value in values {
        meter.charge(1)?;
        if ordered(meter, better, &value, &best)? {
            best = value;
        }
    }
    Ok(best)
}

fn absolute(value: &Value) -> Result<Value, ExprError> {
    match Number::of(value) {
        Some(Number::Whole(number)) => Ok(Value::integer(BigInt::from(number.magnitude().clone()))),
        Some(Number::Float(number)) => Ok(Value::Float(number.abs())),
        None => Err(ExprError::type_error(format!(
            "bad operand type for abs(): '{}'",
            value.type_name()
        ))),
    }
}

fn sum(meter: &Meter, values: &Value, start: Value) -> Result<Value, ExprError> {
    if matches!(start, Value::Text(_)) {
        return Err(ExprError::type_error(
            "sum() can't sum strings [use ''.join(seq) instead]",
        ));
    }
    let mut total = start;
    for value in &items(meter, values)? {
        meter.charge(1)?;
        total = binary(meter, Binary::Add, &total, value)?;
    }
    Ok(total)
}

fn to_whole(meter: &Meter, value: &Value) -> Result<Value, ExprError> {
    if let Value::Text(text) = value {
        return parse_whole(meter, text, 10);
    }
    match Number::of(value) {
        Some(Number::Whole(number)) => Ok(Value::integer(number)),
        Some(Number::Float(number)) if number.is_nan() => {
            Err(ExprError::value("cannot convert float NaN to integer"))
        }
        Some(Number::Float(number)) => match num_traits::FromPrimitive::from_f64(number.trunc()) {
            Some(whole) => Ok(Value::integer(whole)),
            None => Err(overflow("cannot convert float infinity to integer")),
        },
        None => match value {
            Value::Foreign(foreign) => foreign.to_number().and_then(|number| match number {
                Value::Float(_) => to_whole(meter, &number).ok(),
                other => Some(other),
            }),
            _ => None,
        }
        .ok_or_else(|| {
            ExprError::type_error(format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                value.type_name()
            ))
        }),
    }
}

fn parse_whole(meter: &Meter, text: &str, radix: u32) -> Result<Value, ExprError> {
    let quoted = repr(meter, &Value::text(text))?;
    let wrong = || {
        ExprError::value(format!(
            "invalid literal for int() with base {radix}: {quoted}"
        ))
    };
    let trimmed = text.trim_matches(is_blank);
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let prefixed = prefixes
        .iter()
        .find(|(prefix, base)| lower.starts_with(prefix) && (radix == 0 || radix == *base));
    let (digits, base) = match prefixed {
        Some((_, base)) => {
            let rest = &lower[2..];
            (rest.strip_prefix('_').unwrap_or(rest), *base)
        }
        None if radix == 0 => {
            if lower.len() > 1
                && lower.starts_with('0')
                && lower.bytes().any(|byte| byte != b'0' && byte != b'_')
            {
                return Err(wrong());
            }
            (lower.as_str(), 10)
        }
        None => (lower.as_str(), radix),
    };
    let shape = !digits.is_empty()
        && !digits.starts_with('_')
        && !digits.ends_with('_')
        && !digits.contains("__")
        && digits
            .chars()
            .all(|char| char == '_' || char.is_digit(base));
    if !shape {
        return Err(wrong());
    }
    if !base.is_power_of_two() && digits.len() > MAX_DIGITS {
        return Err(ExprError::value(format!(
            "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion"
        )));
    }
    meter.check_bits(digits.len() as u64 * 4)?;
    let plain = digits.replace('_', "");
    let number = BigInt::parse_bytes(plain.as_bytes(), base).ok_or_else(wrong)?;
    Ok(Value::integer(if negative { -number } else { number }))
}

fn to_float(meter: &Meter, value: &Value) -> Result<Value, ExprError> {
    if let Value::Text(text) = value {
        let trimmed = text.trim_matches(is_blank);
        let bytes = trimmed.as_bytes();
        // An underscore may stand between two digits.
        let loose = bytes.iter().enumerate().any(|(at, byte)| {
            *byte == b'_'
                && !(at > 0
                    && bytes[at - 1].is_ascii_digit()
                    && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
        });
        let parsed = if loose {
            None
        } else {
            trimmed.replace('_', "").parse().ok()
        };
        return match parsed {
            Some(number) => Ok(Value::Float(number)),
            None => Err(ExprError::value(format!(
                "could not convert string to float: {}",
                repr(meter, value)?
            ))),
        };
    }
    match (Number::of(value), value) {
        (Some(number), _) => return number.to_float().map(Value::Float),
        (None, Value::Foreign(foreign)) => foreign
            .to_number()
            .and_then(|number| Number::of(&number)?.to_float().ok())
            .map(Value::Float),
        _ => None,
    }
    .ok_or_else(|| {
        ExprError::type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            value.type_name()
        ))
    })
}
