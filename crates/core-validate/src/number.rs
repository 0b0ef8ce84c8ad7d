//! Numbers of JSON and of parameter text under one comparison, exact where both sides are integers or short decimals.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// A number under judgement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Num<'a> {
    Int(i64),
    /// Above `i64::MAX`.
    Unsigned(u64),
    Float(f64),
    /// Decimal digits with a sign perhaps, of an integer too long for the others.
    Digits(&'a str),
}

impl Num<'_> {
    pub(crate) fn of(number: &Number) -> Num<'static> {
        if let Some(int) = number.as_i64() {
            Num::Int(int)
        } else if let Some(unsigned) = number.as_u64() {
            Num::Unsigned(unsigned)
        } else {
            // Without arbitrary precision a JSON number that is no integer is a double.
            Num::Float(number.as_f64().unwrap_or(f64::NAN))
        }
    }

    /// True for integers, also when written as `1.0`.
    pub(crate) fn is_integer(self) -> bool {
        match self {
            Num::Float(float) => float.is_finite() && float.fract() == 0.0,
            _ => true,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Num::Int(int) => int as f64,
            Num::Unsigned(unsigned) => unsigned as f64,
            Num::Float(float) => float,
            // Digits always parse; what is too long becomes infinite, which compares as it should.
            Num::Digits(digits) => digits.parse().unwrap_or(f64::INFINITY),
        }
    }

    fn as_int(self) -> Option<i128> {
        match self {
            Num::Int(int) => Some(i128::from(int)),
            Num::Unsigned(unsigned) => Some(i128::from(unsigned)),
            Num::Float(_) => None,
            Num::Digits(digits) => digits.parse().ok(),
        }
    }

    pub(crate) fn compare(self, other: Num<'_>) -> Ordering {
        match (self, other) {
            (Num::Int(a), Num::Int(b)) => a.cmp(&b),
            (Num::Float(a), Num::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            _ => match (self.as_int(), other.as_int()) {
                (Some(a), Some(b)) => a.cmp(&b),
                (Some(a), None) => compare_mixed(a, other.as_f64()),
                (None, Some(b)) => compare_mixed(b, self.as_f64()).reverse(),
                (None, None) => self
                    .as_f64()
                    .partial_cmp(&other.as_f64())
                    .unwrap_or(Ordering::Equal),
            },
        }
    }

    /// Whether `self / divisor` is a whole number; the divisor is above zero.
    pub(crate) fn is_multiple_of(self, divisor: Num<'_>) -> bool {
        if let (Some(a), Some(b)) = (self.as_int(), divisor.as_int()) {
            return b != 0 && a % b == 0;
        }
        if let (Num::Digits(digits), Some(b)) = (self, divisor.as_int()) {
            return remainder(digits, b) == 0;
        }
        match (Decimal::of(self), Decimal::of(divisor)) {
            (Some(a), Some(b)) => a
                .is_multiple_of(b)
                .unwrap_or_else(|| divides(self.as_f64(), divisor.as_f64())),
            _ => divides(self.as_f64(), divisor.as_f64()),
        }
    }
}

fn compare_mixed(int: i128, float: f64) -> Ordering {
    // Beyond 2^127 the float decides alone; within, its floor is exact as an i128.
    if float >= 1.7e38 {
        return Ordering::Less;
    }
    if float <= -1.7e38 {
        return Ordering::Greater;
    }
    let floor = float.floor();
    match int.cmp(&(floor as i128)) {
        Ordering::Equal if float > floor => Ordering::Less,
        order => order,
    }
}

fn divides(value: f64, divisor: f64) -> bool {
    value.is_finite() && (value % divisor == 0.0)
}

fn remainder(digits: &str, divisor: i128) -> i128 {
    let modulus = divisor.unsigned_abs();
    if modulus == 0 || modulus > u128::from(u64::MAX) {
        return 1;
    }
    let mut rest: u128 = 0;
    for digit in digits.bytes().filter(u8::is_ascii_digit) {
        rest = (rest * 10 + u128::from(digit - b'0')) % modulus;
    }
    rest as i128
}

/// The shortest decimal of a double: what the writer of `0.1` meant.
#[derive(Clone, Copy)]
struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    fn of(number: Num<'_>) -> Option<Self> {
        if let Some(mantissa) = number.as_int() {
            return Some(Self {
                mantissa,
                exponent: 0,
            });
        }
        let float = number.as_f64();
        if !float.is_finite() {
            return None;
        }
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(float);
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut mantissa: i128 = whole.parse().ok()?;
        let negative = whole.starts_with('-');
        for digit in fraction.bytes() {
            let digit = i128::from(digit - b'0');
            mantissa =
                mantissa
                    .checked_mul(10)?
                    .checked_add(if negative { -digit } else { digit })?;
        }
        Some(Self {
            mantissa,
            exponent: exponent - i32::try_from(fraction.len()).ok()?,
        })
    }

    fn is_multiple_of(self, divisor: Self) -> Option<bool> {
        let lowest = self.exponent.min(divisor.exponent);
        let a = scale(self.mantissa, self.exponent - lowest)?;
        let b = scale(divisor.mantissa, divisor.exponent - lowest)?;
        if b == 0 { None } else { Some(a % b == 0) }
    }
}

fn scale(mantissa: i128, power: i32) -> Option<i128> {
    if mantissa == 0 {
        return Some(0);
    }
    mantissa.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

/// Equality of JSON values: numbers by value (`1` is `1.0`), objects in any order.
pub(crate) fn json_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => Num::of(a).compare(Num::of(b)) == Ordering::Equal,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(left, right)| json_equal(left, right))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, left)| b.get(key).is_some_and(|right| json_equal(left, right)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_floats_compare_exactly() {
        assert_eq!(
            Num::Int(9_007_199_254_740_993).compare(Num::Float(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
        assert_eq!(Num::Int(-1).compare(Num::Float(-0.5)), Ordering::Less);
        assert_eq!(Num::Float(-0.0).compare(Num::Int(0)), Ordering::Equal);
        assert_eq!(
            Num::Unsigned(u64::MAX).compare(Num::Float(1e300)),
            Ordering::Less
        );
        assert_eq!(
            Num::Digits("123456789012345678901234567890123456789012").compare(Num::Int(5)),
            Ordering::Greater
        );
        assert_eq!(
            Num::Digits("-123456789012345678901234567890123456789012").compare(Num::Int(5)),
            Ordering::Less
        );
    }

    #[test]
    fn multiples_follow_the_decimal_text() {
        assert!(Num::Float(0.3).is_multiple_of(Num::Float(0.1)));
        assert!(Num::Float(19.99).is_multiple_of(Num::Float(0.01)));
        assert!(!Num::Float(19.999).is_multiple_of(Num::Float(0.01)));
        assert!(Num::Int(10).is_multiple_of(Num::Float(2.5)));
        assert!(!Num::Float(-7.5).is_multiple_of(Num::Int(2)));
        assert!(Num::Float(1e300).is_multiple_of(Num::Int(2)));
        assert!(!Num::Float(1e-300).is_multiple_of(Num::Int(2)));
        assert!(
            Num::Digits("100000000000000000000000000000000000000000000")
                .is_multiple_of(Num::Int(5))
        );
        assert!(
            !Num::Digits("100000000000000000000000000000000000000000001")
                .is_multiple_of(Num::Int(5))
        );
    }

    #[test]
    fn equality_is_by_value() {
        assert!(json_equal(
            &serde_json::json!([1, {"a": 2.0}]),
            &serde_json::json!([1.0, {"a": 2}])
        ));
        assert!(!json_equal(&serde_json::json!(true), &serde_json::json!(1)));
    }
}
