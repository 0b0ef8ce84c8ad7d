//! What operators do with values of every kind.

use std::sync::Arc;

use super::code::{Binary, Unary};
use super::error::ExprError;
use super::index::position;
use super::meter::Meter;
use super::number::{self, Number};
use crate::Value;

/// Whether a value counts as true.
pub(super) fn truth(value: &Value) -> Result<bool, ExprError> {
    Ok(match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Big(_) => true,
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) | Value::Tuple(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::Foreign(foreign) => return foreign.truth().map_err(ExprError::type_error),
    })
}

pub(super) fn unary(operator: Unary, value: &Value) -> Result<Value, ExprError> {
    match operator {
        Unary::Not => truth(value).map(|flag| Value::Bool(!flag)),
        _ => number::unary(operator, value),
    }
}

pub(super) fn binary(
    meter: &Meter,
    operator: Binary,
    left: &Value,
    right: &Value,
) -> Result<Value, ExprError> {
    if let (Value::Int(left), Value::Int(right)) = (left, right)
        && let Some(result) = number::small(operator, *left, *right)
    {
        return Ok(result);
    }
    match (operator, left, right) {
        (Binary::And | Binary::Or | Binary::Xor, Value::Bool(left), Value::Bool(right)) => {
            return Ok(Value::Bool(match operator {
                Binary::And => left & right,
                Binary::Or => left | right,
                _ => left ^ right,
            }));
        }
        (Binary::Add, Value::Text(left), Value::Text(right)) => {
            meter.check_length((left.len() + right.len()) / 4)?;
            return meter.text([&**left, &**right].concat());
        }
        (Binary::Add, Value::List(left), Value::List(right)) => {
            meter.check_length(left.len() + right.len())?;
            return Ok(Value::list([left.as_slice(), right.as_slice()].concat()));
        }
        (Binary::Add, Value::Tuple(left), Value::Tuple(right)) => {
            meter.check_length(left.len() + right.len())?;
            return Ok(Value::Tuple(Arc::new(
                [left.as_slice(), right.as_slice()].concat(),
            )));
        }
        (Binary::Multiply, sequence, count) | (Binary::Multiply, count, sequence)
            if is_sequence(sequence) && position(count).is_some() =>
        {
            if matches!(count, Value::Big(_)) {
                return Err(number::overflow(
                    "cannot fit 'int' into an index-sized integer",
                ));
            }
            return repeat(meter, sequence, position(count).unwrap_or_default());
        }
        (Binary::Modulo, Value::Text(_), _) => {
            return Err(ExprError::new(
                super::ExprErrorKind::Refused,
                "formatting with % is not available",
            )
            .hint("write an f-text"));
        }
        _ => {}
    }
    if let Value::Foreign(foreign) = left
        && let Some(result) = foreign.arithmetic(operator.symbol(), right, false)
    {
        return result.map_err(ExprError::type_error);
    }
    if let Value::Foreign(foreign) = right
        && let Some(result) = foreign.arithmetic(operator.symbol(), left, true)
    {
        return result.map_err(ExprError::type_error);
    }
    let bitwise = matches!(
        operator,
        Binary::And | Binary::Or | Binary::Xor | Binary::ShiftLeft | Binary::ShiftRight
    );
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Float(_)), Some(_)) | (Some(_), Some(Number::Float(_))) if bitwise => {
            Err(unsupported(operator, left, right))
        }
        (Some(one), Some(other)) => number::binary(meter, operator, one, other),
        _ => Err(unsupported(operator, left, right)),
    }
}

fn unsupported(operator: Binary, left: &Value, right: &Value) -> ExprError {
    if operator == Binary::Add && matches!(left, Value::Text(_)) {
        return ExprError::type_error(format!(
            "can only concatenate str (not \"{}\") to str",
            right.type_name()
        ));
    }
    let symbol = match operator {
        Binary::Power => "** or pow()",
        other => other.symbol(),
    };
    ExprError::type_error(format!(
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        left.type_name(),
        right.type_name()
    ))
}

fn is_sequence(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::List(_) | Value::Tuple(_))
}

fn repeat(meter: &Meter, sequence: &Value, count: i64) -> Result<Value, ExprError> {
    let count = usize::try_from(count).unwrap_or_default();
    match sequence {
        Value::Text(text) => {
            meter.check_length(text.len().div_ceil(4).saturating_mul(count))?;
            meter.text(text.repeat(count))
        }
        Value::List(items) => {
            meter.check_length(items.len().saturating_mul(count))?;
            Ok(Value::list(repeated(items, count)))
        }
        Value::Tuple(items) => {
            meter.check_length(items.len().saturating_mul(count))?;
            Ok(Value::Tuple(Arc::new(repeated(items, count))))
        }
        _ => Ok(Value::Null),
    }
}

fn repeated(items: &[Value], count: usize) -> Vec<Value> {
    items
        .iter()
        .cycle()
        .take(items.len() * count)
        .cloned()
        .collect()
}
