//! One text into one scalar: the table of accepted spellings.

use std::borrow::Cow;

use crate::coerced::Coerced;
use crate::format::{self, Format};
use crate::json::short_integer;
use crate::moment::{Date, DateTime, Time};

/// As many digits as Python turns into an integer.
const MOST_DIGITS: usize = 4300;

const TRUE: [&str; 6] = ["true", "1", "yes", "on", "t", "y"];
const FALSE: [&str; 7] = ["false", "0", "no", "off", "f", "n", ""];

/// Digits with a sign perhaps; zeros may lead.
pub(crate) fn integer<'a>(text: &Cow<'a, str>) -> Option<Coerced<'a>> {
    if let Some(int) = short_integer(text) {
        return Some(Coerced::Int(int));
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty()
        || digits.len() > MOST_DIGITS
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    Some(
        text.parse()
            .map_or_else(|_| Coerced::BigInt(text.clone()), Coerced::Int),
    )
}

/// A finite decimal number, an exponent perhaps.
pub(crate) fn number(text: &str) -> Option<f64> {
    if !format::is_decimal(text) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Words of either kind in any case; empty is false.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if TRUE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(true);
    }
    FALSE
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
        .then_some(false)
}

/// A string, as its format has it; None when it is not of the format.
pub(crate) fn string<'a>(text: Cow<'a, str>, format: Option<Format>) -> Option<Coerced<'a>> {
    Some(match format {
        None => Coerced::Text(text),
        Some(Format::Uuid(version)) => Coerced::Uuid {
            bytes: format::uuid(&text, version).ok()?,
            text,
        },
        Some(Format::Date) => Coerced::Date {
            value: Date::parse(&text)?,
            text,
        },
        Some(Format::DateTime) => Coerced::DateTime {
            value: DateTime::parse(&text)?,
            text,
        },
        Some(Format::Time) => Coerced::Time {
            value: Time::parse(&text)?,
            text,
        },
        Some(Format::Duration(seconds)) => Coerced::Duration {
            value: format::duration(&text, seconds)?,
            text,
        },
        Some(Format::Decimal) => format::is_decimal(&text).then_some(Coerced::Decimal(text))?,
        Some(other) => other.accepts(&text).then_some(Coerced::Text(text))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        let read = |text: &'static str| integer(&Cow::Borrowed(text));
        assert_eq!(read("0123"), Some(Coerced::Int(123)));
        assert_eq!(read("+7"), Some(Coerced::Int(7)));
        assert_eq!(read("-0"), Some(Coerced::Int(0)));
        assert_eq!(read("-9223372036854775808"), Some(Coerced::Int(i64::MIN)));
        assert_eq!(
            read("9223372036854775808"),
            Some(Coerced::BigInt("9223372036854775808".into()))
        );
        for wrong in [
            "", " 1", "1 ", "1.0", "42.5", "1_000", "+", "-", "--1", "0x1", "١", "1e3",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
        assert!(integer(&"9".repeat(4300).into()).is_some());
        assert!(integer(&"9".repeat(4301).into()).is_none());
    }

    #[test]
    fn numbers_and_booleans() {
        assert_eq!(number("1.5e-3"), Some(0.0015));
        assert_eq!(number("-.5"), Some(-0.5));
        for wrong in [
            "", "nan", "inf", "-inf", "Infinity", "0x1p3", " 1", "1,5", "1e999",
        ] {
            assert_eq!(number(wrong), None, "{wrong:?}");
        }
        assert_eq!(boolean("YES"), Some(true));
        assert_eq!(boolean("Off"), Some(false));
        assert_eq!(boolean(""), Some(false));
        assert_eq!(boolean("2"), None);
    }
}
