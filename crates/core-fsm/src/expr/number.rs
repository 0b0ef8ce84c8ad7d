//! Arithmetic as Python does it: whole numbers of any size, floors instead of truncation, floats where one is a float.

use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

use super::code::{Binary, Unary};
use super::error::{ExprError, ExprErrorKind};
use super::meter::Meter;
use crate::Value;

/// A number as arithmetic sees it; true and false are 1 and 0.
pub(super) enum Number {
    Whole(BigInt),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Bool(flag) => Self::Whole(BigInt::from(u8::from(*flag))),
            Value::Int(number) => Self::Whole(BigInt::from(*number)),
            Value::Big(number) => Self::Whole(number.as_ref().clone()),
            Value::Float(number) => Self::Float(*number),
            _ => return None,
        })
    }

    /// As a float; whole numbers beyond all floats have none.
    pub(super) fn to_float(&self) -> Result<f64, ExprError> {
        match self {
            Self::Float(number) => Ok(*number),
            Self::Whole(number) => whole_to_float(number),
        }
    }
}

/// The nearest float, ties to even.
pub(super) fn whole_to_float(number: &BigInt) -> Result<f64, ExprError> {
    let bits = number.bits();
    let float = if bits <= 64 {
        // The conversion of machine integers rounds as it should.
        match number.to_i128() {
            Some(small) => small as f64,
            None => f64::INFINITY,
        }
    } else if bits > 1024 {
        f64::INFINITY
    } else {
        // 64 bits from the top; a set one below them keeps a tie from being one.
        let shift = bits - 64;
        let magnitude = number.abs();
        let top: BigInt = &magnitude >> shift;
        let sticky = (&top << shift) != magnitude;
        let top = top.to_u64().unwrap_or(u64::MAX) | u64::from(sticky);
        let float = top as f64 * 2_f64.powi(shift as i32);
        if number.is_negative() { -float } else { float }
    };
    if float.is_infinite() {
        return Err(overflow("int too large to convert to float"));
    }
    Ok(float)
}

pub(super) fn overflow(message: &str) -> ExprError {
    ExprError::new(ExprErrorKind::Overflow, message)
}

fn zero_division(message: &str) -> ExprError {
    ExprError::new(ExprErrorKind::ZeroDivision, message)
}

/// Whole numbers of one machine word, where the result is one as well.
pub(super) fn small(operator: Binary, left: i64, right: i64) -> Option<Value> {
    match operator {
        Binary::Add => left.checked_add(right),
        Binary::Subtract => left.checked_sub(right),
        Binary::Multiply => left.checked_mul(right),
        Binary::And => Some(left & right),
        Binary::Or => Some(left | right),
        Binary::Xor => Some(left ^ right),
        Binary::FloorDivide if right != 0 => left
            .checked_div_euclid(right)
            .map(|_| floor_divide(left, right)),
        Binary::Modulo if right != 0 => left
            .checked_div_euclid(right)
            .map(|_| left - floor_divide(left, right) * right),
        _ => None,
    }
    .map(Value::Int)
}

fn floor_divide(left: i64, right: i64) -> i64 {
    let quotient = left / right;
    if left % right != 0 && (left < 0) != (right < 0) {
        quotient - 1
    } else {
        quotient
    }
}

pub(super) fn binary(
    meter: &Meter,
    operator: Binary,
    left: Number,
    right: Number,
) -> Result<Value, ExprError> {
    match (left, right) {
        (Number::Whole(left), Number::Whole(right)) => whole(meter, operator, &left, &right),
        (left, right) => float(operator, left.to_float()?, right.to_float()?).map(Value::Float),
    }
}

fn whole(
    meter: &Meter,
    operator: Binary,
    left: &BigInt,
    right: &BigInt,
) -> Result<Value, ExprError> {
    let bits = left.bits().max(right.bits());
    let result = match operator {
        Binary::Add => {
            meter.check_bits(bits)?;
            left + right
        }
        Binary::Subtract => {
            meter.check_bits(bits)?;
            left - right
        }
        Binary::Multiply => {
            meter.check_bits(left.bits() + right.bits())?;
            left * right
        }
        Binary::Divide => return divide(left, right).map(Value::Float),
        Binary::FloorDivide | Binary::Modulo => {
            if right.is_zero() {
                return Err(zero_division("integer division or modulo by zero"));
            }
            // Long division takes the product of the lengths.
            let rest = left.bits().saturating_sub(right.bits()) / 64;
            meter.charge(rest * (right.bits() / 64) / 1024)?;
            let (quotient, remainder) = floor_division(left, right);
            if operator == Binary::Modulo {
                remainder
            } else {
                quotient
            }
        }
        Binary::Power => return power(meter, left, right),
        Binary::And => left & right,
        Binary::Or => left | right,
        Binary::Xor => left ^ right,
        Binary::ShiftLeft => {
            if right.is_negative() {
                return Err(ExprError::value("negative shift count"));
            }
            if left.is_zero() {
                return Ok(Value::Int(0));
            }
            let shift = right.to_u64().unwrap_or(u64::MAX);
            meter.check_bits(left.bits().saturating_add(shift))?;
            left << shift
        }
        Binary::ShiftRight => {
            if right.is_negative() {
                return Err(ExprError::value("negative shift count"));
            }
            match right.to_u64() {
                Some(shift) if shift <= left.bits() => left >> shift,
                _ => BigInt::from(if left.is_negative() { -1 } else { 0 }),
            }
        }
    };
    Ok(Value::integer(result))
}

/// Quotient and remainder of which the remainder has the sign of the divisor.
fn floor_division(left: &BigInt, right: &BigInt) -> (BigInt, BigInt) {
    let quotient = left / right;
    let remainder = left - &quotient * right;
    if !remainder.is_zero() && remainder.is_negative() != right.is_negative() {
        (quotient - 1, remainder + right)
    } else {
        (quotient, remainder)
    }
}

/// The float nearest to the true quotient.
fn divide(left: &BigInt, right: &BigInt) -> Result<f64, ExprError> {
    if right.is_zero() {
        return Err(zero_division("division by zero"));
    }
    if left.bits() <= 53 && right.bits() <= 53 {
        // Both are floats exactly, and one division rounds once.
        return Ok(whole_to_float(left)? / whole_to_float(right)?);
    }
    let negative = left.is_negative() != right.is_negative();
    let (left, right) = (left.abs(), right.abs());
    // A quotient of at least 66 bits, whose lowest says whether anything is below it; smallest floats need fewer.
    let exponent = left.bits() as i64 - right.bits() as i64;
    if exponent > 1025 {
        return Err(overflow("integer division result too large for a float"));
    }
    if exponent < -1080 {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    let shift = 66 - exponent;
    let (numerator, denominator) = if shift >= 0 {
        (&left << shift.unsigned_abs(), right)
    } else {
        (left, &right << shift.unsigned_abs())
    };
    let mut quotient = &numerator / &denominator;
    let sticky = &quotient * &denominator != numerator;
    // Below the normal floats there is less room: cut the bits that have none before rounding.
    let lowest = -1074 + shift;
    let mut scale = -shift;
    let mut lost = sticky;
    let surplus = (quotient.bits() as i64 - 54)
        .max(lowest - 1)
        .max(0)
        .unsigned_abs();
    if surplus > 0 {
        let top: BigInt = &quotient >> surplus;
        lost |= (&top << surplus) != quotient;
        quotient = top;
        scale += surplus as i64;
    }
    // One bit more than fits, and whether anything is below it.
    let mut mantissa = quotient.to_u64().unwrap_or(u64::MAX);
    let half = mantissa & 1 == 1;
    mantissa >>= 1;
    if half && (lost || mantissa & 1 == 1) {
        mantissa += 1;
    }
    let float = scale_float(mantissa as f64, scale + 1);
    if float.is_infinite() {
        return Err(overflow("integer division result too large for a float"));
    }
    Ok(if negative { -float } else { float })
}

/// Times a power of two, in two steps where one would leave the range.
fn scale_float(float: f64, exponent: i64) -> f64 {
    let half = exponent / 2;
    float * 2_f64.powi(half as i32) * 2_f64.powi((exponent - half) as i32)
}

fn power(meter: &Meter, base: &BigInt, exponent: &BigInt) -> Result<Value, ExprError> {
    if exponent.is_negative() {
        return float(
            Binary::Power,
            whole_to_float(base)?,
            whole_to_float(exponent)?,
        )
        .map(Value::Float);
    }
    if exponent.is_zero() {
        return Ok(Value::Int(1));
    }
    if base.magnitude() <= BigInt::from(1).magnitude() {
        let odd = exponent.bit(0);
        return Ok(Value::integer(if base.sign() == Sign::Minus && !odd {
            BigInt::from(1)
        } else {
            base.clone()
        }));
    }
    let count = exponent.to_u32().unwrap_or(u32::MAX);
    meter.check_bits((base.bits() - 1).saturating_mul(u64::from(count)))?;
    Ok(Value::integer(base.pow(count)))
}

fn float(operator: Binary, left: f64, right: f64) -> Result<f64, ExprError> {
    Ok(match operator {
        Binary::Add => left + right,
        Binary::Subtract => left - right,
        Binary::Multiply => left * right,
        Binary::Divide if right == 0.0 => return Err(zero_division("float division by zero")),
        Binary::Divide => left / right,
        Binary::FloorDivide if right == 0.0 => {
            return Err(zero_division("float floor division by zero"));
        }
        Binary::FloorDivide => float_floor_division(left, right).0,
        Binary::Modulo if right == 0.0 => return Err(zero_division("float modulo")),
        Binary::Modulo => float_floor_division(left, right).1,
        Binary::Power => {
            if left == 0.0 && right < 0.0 {
                return Err(zero_division("0.0 cannot be raised to a negative power"));
            }
            if left < 0.0 && left.is_finite() && right.is_finite() && right.fract() != 0.0 {
                return Err(ExprError::new(
                    ExprErrorKind::Refused,
                    "a negative number to a broken power is a complex number, which is not available",
                ));
            }
            let result = left.powf(right);
            if result.is_infinite() && left.is_finite() && right.is_finite() {
                return Err(overflow("(34, 'Numerical result out of range')"));
            }
            result
        }
        Binary::And | Binary::Or | Binary::Xor | Binary::ShiftLeft | Binary::ShiftRight => {
            return Err(ExprError::type_error(format!(
                "unsupported operand type(s) for {}: 'float' and 'float'",
                operator.symbol()
            )));
        }
    })
}

/// Floor of the quotient, and the remainder with the sign of the divisor.
fn float_floor_division(left: f64, right: f64) -> (f64, f64) {
    let mut remainder = left % right;
    let mut quotient = (left - remainder) / right;
    if remainder == 0.0 {
        remainder = 0.0_f64.copysign(right);
    } else if (right < 0.0) != (remainder < 0.0) {
        remainder += right;
        quotient -= 1.0;
    }
    let floor = if quotient == 0.0 {
        0.0_f64.copysign(left / right)
    } else {
        let floor = quotient.floor();
        if quotient - floor > 0.5 {
            floor + 1.0
        } else {
            floor
        }
    };
    (floor, remainder)
}

pub(super) fn unary(operator: Unary, value: &Value) -> Result<Value, ExprError> {
    let symbol = match operator {
        Unary::Minus => "-",
        Unary::Plus => "+",
        Unary::Invert | Unary::Not => "~",
    };
    match (operator, Number::of(value)) {
        (Unary::Minus, Some(Number::Whole(number))) => Ok(Value::integer(-number)),
        (Unary::Minus, Some(Number::Float(number))) => Ok(Value::Float(-number)),
        (Unary::Plus, Some(Number::Whole(number))) => Ok(Value::integer(number)),
        (Unary::Plus, Some(Number::Float(number))) => Ok(Value::Float(number)),
        (Unary::Invert, Some(Number::Whole(number))) => Ok(Value::integer(!number)),
        _ => Err(ExprError::type_error(format!(
            "bad operand type for unary {symbol}: '{}'",
            value.type_name()
        ))),
    }
}

/// `round(number, digits)`.
pub(super) fn round(value: &Value, digits: Option<i64>) -> Result<Value, ExprError> {
    match (Number::of(value), digits) {
        (Some(Number::Whole(number)), None | Some(0..)) => Ok(Value::integer(number)),
        (Some(Number::Whole(number)), Some(digits)) => {
            let places = digits.unsigned_abs();
            // More places than digits leave nothing.
            if places > number.bits() {
                return Ok(Value::Int(0));
            }
            let unit = BigInt::from(10).pow(places as u32);
            Ok(Value::integer(round_to_unit(&number, &unit)))
        }
        (Some(Number::Float(number)), None) => {
            if number.is_nan() {
                return Err(ExprError::value("cannot convert float NaN to integer"));
            }
            match num_traits::FromPrimitive::from_f64(number.round_ties_even()) {
                Some(whole) => Ok(Value::integer(whole)),
                None => Err(overflow("cannot convert float infinity to integer")),
            }
        }
        (Some(Number::Float(number)), Some(digits)) => {
            Ok(Value::Float(round_float(number, digits)?))
        }
        (None, _) => Err(ExprError::type_error(format!(
            "type {} doesn't define __round__ method",
            value.type_name()
        ))),
    }
}

fn round_to_unit(number: &BigInt, unit: &BigInt) -> BigInt {
    let (quotient, remainder) = floor_division(number, unit);
    let twice = remainder * 2;
    if &twice > unit || (&twice == unit && quotient.bit(0)) {
        (quotient + 1) * unit
    } else {
        quotient * unit
    }
}

fn round_float(number: f64, digits: i64) -> Result<f64, ExprError> {
    if !number.is_finite() || digits > 323 {
        return Ok(number);
    }
    if digits < -308 {
        return Ok(0.0_f64.copysign(number));
    }
    if digits >= 0 {
        // Formatting rounds the exact value, half to even.
        return Ok(format!("{number:.*}", digits as usize)
            .parse()
            .unwrap_or(number));
    }
    let Some(floor): Option<BigInt> = num_traits::FromPrimitive::from_f64(number.floor()) else {
        return Ok(number);
    };
    let unit = BigInt::from(10).pow(digits.unsigned_abs() as u32);
    let (quotient, remainder) = floor_division(&floor, &unit);
    let twice = remainder * 2;
    // A part behind the point makes a tie more than one.
    let up = twice > unit || (twice == unit && (number.fract() != 0.0 || quotient.bit(0)));
    let rounded = (quotient + i32::from(up)) * unit;
    let float =
        whole_to_float(&rounded).map_err(|_| overflow("rounded value too large to represent"))?;
    Ok(float.abs().copysign(number))
}
