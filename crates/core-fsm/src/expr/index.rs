//! Items and slices.

use num_traits::ToPrimitive;

use super::error::{ExprError, ExprErrorKind};
use super::meter::Meter;
use super::order::find;
use super::repr::repr;
use crate::Value;

/// A value as a position: whole numbers only.
pub(super) fn position(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Int(number) => Some(*number),
        // Beyond every length all positions are alike.
        Value::Big(number) => Some(number.to_i64().unwrap_or(
            if number.sign() == num_bigint::Sign::Minus {
                i64::MIN
            } else {
                i64::MAX
            },
        )),
        _ => None,
    }
}

/// `holder[key]`.
pub(super) fn item(meter: &Meter, holder: &Value, key: &Value) -> Result<Value, ExprError> {
    match holder {
        Value::Map(map) => match find(meter, map, key)? {
            Some(value) => Ok(value.clone()),
            None => Err(ExprError::new(ExprErrorKind::Key, repr(meter, key)?)),
        },
        Value::List(items) | Value::Tuple(items) => {
            let name = holder.type_name();
            let at = index(key, items.len(), &name, &name)?;
            Ok(items[at].clone())
        }
        Value::Text(text) => {
            if text.is_ascii() {
                let at = index(key, text.len(), "string", "string")?;
                return Ok(Value::text(&text[at..=at]));
            }
            meter.charge_length(text.len())?;
            let at = index(key, text.chars().count(), "string", "string")?;
            Ok(text
                .chars()
                .nth(at)
                .map_or(Value::Null, |char| Value::text(char.to_string())))
        }
        Value::Foreign(foreign) => foreign.item(key).ok_or_else(|| {
            ExprError::type_error(format!("'{}' object has no such item", holder.type_name()))
        }),
        _ => Err(ExprError::type_error(format!(
            "'{}' object is not subscriptable",
            holder.type_name()
        ))),
    }
}

fn index(key: &Value, length: usize, name: &str, range: &str) -> Result<usize, ExprError> {
    let Some(at) = position(key) else {
        let or_slices = if name == "string" { "" } else { " or slices" };
        return Err(ExprError::type_error(format!(
            "{name} indices must be integers{or_slices}, not {}{}",
            if name == "string" { "'" } else { "" },
            key.type_name() + if name == "string" { "'" } else { "" }
        )));
    };
    let from_front = if at < 0 {
        at.saturating_add(length as i64)
    } else {
        at
    };
    usize::try_from(from_front)
        .ok()
        .filter(|at| *at < length)
        .ok_or_else(|| ExprError::new(ExprErrorKind::Index, format!("{range} index out of range")))
}

/// `holder[start:stop:step]`.
pub(super) fn slice(
    meter: &Meter,
    holder: &Value,
    bounds: [&Value; 3],
) -> Result<Value, ExprError> {
    match holder {
        Value::List(items) => {
            let picked = pick(meter, items.len(), bounds)?;
            Ok(Value::list(picked.map(|at| items[at].clone()).collect()))
        }
        Value::Tuple(items) => {
            let picked = pick(meter, items.len(), bounds)?;
            Ok(Value::Tuple(std::sync::Arc::new(
                picked.map(|at| items[at].clone()).collect(),
            )))
        }
        Value::Text(text) => {
            meter.charge_length(text.len())?;
            let chars: Vec<char> = text.chars().collect();
            let picked = pick(meter, chars.len(), bounds)?;
            meter.text(picked.map(|at| chars[at]).collect())
        }
        Value::Map(_) => Err(ExprError::type_error("unhashable type: 'slice'")),
        _ => Err(ExprError::type_error(format!(
            "'{}' object is not subscriptable",
            holder.type_name()
        ))),
    }
}

/// The positions that a slice means.
fn pick(
    meter: &Meter,
    length: usize,
    bounds: [&Value; 3],
) -> Result<impl Iterator<Item = usize>, ExprError> {
    let [start, stop, step] = bounds.map(|bound| match bound {
        Value::Null => Ok(None),
        other => position(other).map(Some).ok_or_else(|| {
            ExprError::type_error(
                "slice indices must be integers or None or have an __index__ method",
            )
        }),
    });
    let (start, stop, step) = (start?, stop?, step?.unwrap_or(1));
    if step == 0 {
        return Err(ExprError::value("slice step cannot be zero"));
    }
    let length = length as i64;
    // Backwards, one before the first is a place as well.
    let (lowest, highest) = if step < 0 {
        (-1, length - 1)
    } else {
        (0, length)
    };
    let clamp = |bound: i64| {
        let at = if bound < 0 {
            bound.saturating_add(length)
        } else {
            bound
        };
        at.clamp(lowest, highest)
    };
    let (first, end) = if step < 0 {
        (start.map_or(highest, clamp), stop.map_or(lowest, clamp))
    } else {
        (start.map_or(lowest, clamp), stop.map_or(highest, clamp))
    };
    let span = if step < 0 { first - end } else { end - first };
    let count = if span <= 0 {
        0
    } else {
        (span - 1) / step.saturating_abs() + 1
    };
    meter.check_length(count as usize)?;
    Ok((0..count).map(move |turn| (first + turn * step) as usize))
}
