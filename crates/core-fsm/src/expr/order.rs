//! Equality and order, as Python has them, counted: values that share parts can be far larger than they look.

use std::cmp::Ordering;
use std::sync::Arc;

use super::code::Comparison;
use super::error::ExprError;
use super::meter::Meter;
use crate::{Key, Map, Value};

/// The outcome of a comparison.
pub(super) fn compare(
    meter: &Meter,
    operator: Comparison,
    left: &Value,
    right: &Value,
) -> Result<bool, ExprError> {
    match operator {
        Comparison::Equal => equal(meter, left, right),
        Comparison::NotEqual => Ok(!equal(meter, left, right)?),
        Comparison::In => contains(meter, right, left),
        Comparison::NotIn => Ok(!contains(meter, right, left)?),
        Comparison::Is => Ok(same(left, right)),
        Comparison::IsNot => Ok(!same(left, right)),
        Comparison::Less
        | Comparison::LessEqual
        | Comparison::Greater
        | Comparison::GreaterEqual => ordered(meter, operator, left, right),
    }
}

/// Whether an ordering is what an operator asks for.
fn fits(operator: Comparison, order: Ordering) -> bool {
    match operator {
        Comparison::Less => order.is_lt(),
        Comparison::LessEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

pub(super) fn ordered(
    meter: &Meter,
    operator: Comparison,
    left: &Value,
    right: &Value,
) -> Result<bool, ExprError> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(fits(operator, left.cmp(right))),
        (Value::Text(left), Value::Text(right)) => {
            meter.charge_length(left.len().min(right.len()))?;
            // Bytes of UTF-8 have the order of the characters.
            Ok(fits(operator, left.cmp(right)))
        }
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            for (one, other) in left.iter().zip(right.iter()) {
                if !equal(meter, one, other)? {
                    return ordered(meter, operator, one, other);
                }
            }
            Ok(fits(operator, left.len().cmp(&right.len())))
        }
        (Value::Foreign(foreign), other) => foreign
            .compare(other)
            .map(|order| fits(operator, order))
            .map_err(ExprError::type_error),
        (other, Value::Foreign(foreign)) => foreign
            .compare(other)
            .map(|order| fits(operator, order.reverse()))
            .map_err(ExprError::type_error),
        _ if left.is_number() && right.is_number() => {
            // What is no number has no order to any: every comparison is false.
            Ok(left
                .compare_numbers(right)
                .is_some_and(|order| fits(operator, order)))
        }
        _ => Err(ExprError::type_error(format!(
            "'{}' not supported between instances of '{}' and '{}'",
            operator.symbol(),
            left.type_name(),
            right.type_name()
        ))),
    }
}

pub(super) fn equal(meter: &Meter, left: &Value, right: &Value) -> Result<bool, ExprError> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(left == right),
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (one, other) in left.iter().zip(right.iter()) {
                meter.charge(1)?;
                if !same(one, other) && !equal(meter, one, other)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, value) in left.iter() {
                meter.charge(1)?;
                match right.get_key(key) {
                    Some(other) if same(value, other) || equal(meter, value, other)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(left == right),
    }
}

/// Whether two are one and the same. Equal numbers and equal texts of one type are.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Big(left), Value::Big(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left.total_cmp(right).is_eq(),
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::List(left), Value::List(right)) | (Value::Tuple(left), Value::Tuple(right)) => {
            Arc::ptr_eq(left, right)
        }
        (Value::Map(left), Value::Map(right)) => Arc::ptr_eq(left, right),
        (Value::Foreign(left), Value::Foreign(right)) => left.is_same(&**right),
        _ => false,
    }
}

/// Whether something holds an item, a key or a part of a text.
pub(super) fn contains(meter: &Meter, holder: &Value, value: &Value) -> Result<bool, ExprError> {
    match holder {
        Value::Text(text) => match value {
            Value::Text(part) => {
                meter.charge_length(text.len())?;
                Ok(text.contains(&**part))
            }
            _ => Err(ExprError::type_error(format!(
                "'in <string>' requires string as left operand, not {}",
                value.type_name()
            ))),
        },
        Value::List(items) | Value::Tuple(items) => {
            for item in items.iter() {
                meter.charge(1)?;
                if same(item, value) || equal(meter, item, value)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => Ok(find(meter, map, value)?.is_some()),
        Value::Foreign(foreign) => match foreign.contains(value) {
            Some(found) => found.map_err(ExprError::type_error),
            None => Err(not_iterable(holder)),
        },
        _ => Err(not_iterable(holder)),
    }
}

fn not_iterable(value: &Value) -> ExprError {
    ExprError::type_error(format!(
        "argument of type '{}' is not iterable",
        value.type_name()
    ))
}

/// The entry of a mapping under any value.
pub(super) fn find<'a>(
    meter: &Meter,
    map: &'a Map,
    value: &Value,
) -> Result<Option<&'a Value>, ExprError> {
    match value {
        Value::Text(text) => Ok(map.get(text)),
        _ => Ok(map.get_key(&key(meter, value)?)),
    }
}

/// A value as the key of a mapping.
pub(super) fn key(meter: &Meter, value: &Value) -> Result<Key, ExprError> {
    Ok(match value {
        Value::Text(text) => Key::Text(text.clone()),
        Value::Int(number) => Key::Int(*number),
        Value::List(_) | Value::Map(_) => {
            return Err(ExprError::type_error(format!(
                "unhashable type: '{}'",
                value.type_name()
            )));
        }
        Value::Tuple(items) => {
            for item in items.iter() {
                meter.charge(1)?;
                key(meter, item)?;
            }
            Key::Other(value.clone(), super::repr::repr(meter, value)?.into())
        }
        _ => Key::Other(value.clone(), super::repr::repr(meter, value)?.into()),
    })
}
