use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use crate::{Foreign, Value};

const DAY: f64 = 86_400_000_000.0;

/// A point in time, to the microsecond: what `now()` and `date()` give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

/// The time between two points: what `days()` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(i64);

impl Moment {
    /// So many microseconds after the beginning of 1970.
    pub fn new(micros: i64) -> Self {
        Self(micros)
    }

    pub fn micros(self) -> i64 {
        self.0
    }

    /// What a value means as a time: a text as ISO 8601 has it, seconds since 1970, or a time of the host's.
    pub fn of(value: &Value) -> Result<Self, String> {
        match value {
            Value::Text(text) => Self::parse(text),
            Value::Int(seconds) => seconds
                .checked_mul(1_000_000)
                .map(Self)
                .ok_or_else(|| format!("{seconds} seconds are out of range")),
            Value::Float(seconds) if seconds.abs() < 9e12 => {
                Ok(Self((seconds * 1_000_000.0).round() as i64))
            }
            Value::Foreign(foreign) => match foreign.as_any().downcast_ref::<Self>() {
                Some(moment) => Ok(*moment),
                None => foreign
                    .moment()
                    .map(Self)
                    .ok_or_else(|| format!("a {} is no time", foreign.type_name())),
            },
            other => Err(format!("a {} is no time", other.type_name())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(Self(timestamp.as_microsecond()));
        }
        text.parse::<civil::DateTime>()
            .and_then(|local| local.to_zoned(TimeZone::UTC))
            .map(|zoned| Self(zoned.timestamp().as_microsecond()))
            .map_err(|_| format!("{text:?} is no date; write 2026-01-31 or 2026-01-31T12:00:00Z"))
    }

    /// As `datetime.isoformat()` writes it, in UTC.
    pub fn iso(self) -> String {
        self.write('T')
    }

    fn write(self, separator: char) -> String {
        let Ok(timestamp) = Timestamp::from_microsecond(self.0) else {
            return format!("{} microseconds after 1970", self.0);
        };
        let at = TimeZone::UTC.to_datetime(timestamp);
        let fraction = match self.0.rem_euclid(1_000_000) {
            0 => String::new(),
            micros => format!(".{micros:06}"),
        };
        format!(
            "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}{fraction}+00:00",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }
}

impl Span {
    pub fn micros(self) -> i64 {
        self.0
    }

    /// So many days, unless that is longer than there is time.
    pub fn days(count: f64) -> Option<Self> {
        let micros = (count * DAY).round();
        (micros.abs() < 9e18).then_some(Self(micros as i64))
    }
}

impl From<Moment> for Value {
    fn from(moment: Moment) -> Self {
        Self::Foreign(Arc::new(moment))
    }
}

impl From<Span> for Value {
    fn from(span: Span) -> Self {
        Self::Foreign(Arc::new(span))
    }
}

/// The moment or the span that a value is.
fn native<T: Copy + 'static>(value: &Value) -> Option<T> {
    match value {
        Value::Foreign(foreign) => foreign.as_any().downcast_ref::<T>().copied(),
        _ => None,
    }
}

/// Asks the other side, where it is one of the host's values.
fn ask<T>(value: &Value, ask: impl FnOnce(&dyn Foreign) -> T) -> Option<T> {
    match value {
        Value::Foreign(foreign)
            if native::<Moment>(value).is_none() && native::<Span>(value).is_none() =>
        {
            Some(ask(&**foreign))
        }
        _ => None,
    }
}

/// Whether a time equals another value, of which the host may know more.
fn equal<T: Copy + PartialEq + Into<Value> + 'static>(time: T, other: &Value) -> bool {
    match native::<T>(other) {
        Some(other) => time == other,
        None => ask(other, |other| other.equals(&time.into())).unwrap_or(false),
    }
}

/// How a time stands to another value, of which the host may know more.
fn order<T: Copy + Ord + Into<Value> + 'static>(
    time: T,
    other: &Value,
) -> Result<Ordering, String> {
    if let Some(other) = native::<T>(other) {
        return Ok(time.cmp(&other));
    }
    let value: Value = time.into();
    ask(other, |other| other.compare(&value))
        .unwrap_or_else(|| {
            let (left, right) = (value.type_name(), other.type_name());
            Err(format!("{left} and {right} have no order"))
        })
        .map(Ordering::reverse)
}

impl Foreign for Moment {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn type_name(&self) -> String {
        "datetime.datetime".to_owned()
    }

    fn text(&self) -> Result<String, String> {
        Ok(self.write(' '))
    }

    fn truth(&self) -> Result<bool, String> {
        Ok(true)
    }

    fn equals(&self, other: &Value) -> bool {
        equal(*self, other)
    }

    fn compare(&self, other: &Value) -> Result<Ordering, String> {
        order(*self, other)
    }

    fn attribute(&self, _name: &str) -> Option<Value> {
        None
    }

    fn arithmetic(
        &self,
        operator: &str,
        other: &Value,
        reflected: bool,
    ) -> Option<Result<Value, String>> {
        let result = match (operator, native::<Span>(other), native::<Self>(other)) {
            ("+", Some(span), _) => self.0.checked_add(span.0).map(|sum| Self(sum).into()),
            ("-", Some(span), _) if !reflected => {
                self.0.checked_sub(span.0).map(|rest| Self(rest).into())
            }
            ("-", _, Some(other)) => self.0.checked_sub(other.0).map(|rest| Span(rest).into()),
            _ => return None,
        };
        Some(result.ok_or_else(|| "date value out of range".to_owned()))
    }
}

impl Foreign for Span {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn type_name(&self) -> String {
        "datetime.timedelta".to_owned()
    }

    fn text(&self) -> Result<String, String> {
        let seconds = self.0.div_euclid(1_000_000);
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let head = match days {
            0 => String::new(),
            1 | -1 => format!("{days} day, "),
            _ => format!("{days} days, "),
        };
        let fraction = match self.0.rem_euclid(1_000_000) {
            0 => String::new(),
            micros => format!(".{micros:06}"),
        };
        Ok(format!(
            "{head}{}:{:02}:{:02}{fraction}",
            rest / 3600,
            rest / 60 % 60,
            rest % 60
        ))
    }

    fn truth(&self) -> Result<bool, String> {
        Ok(self.0 != 0)
    }

    fn equals(&self, other: &Value) -> bool {
        equal(*self, other)
    }

    fn compare(&self, other: &Value) -> Result<Ordering, String> {
        order(*self, other)
    }

    fn attribute(&self, _name: &str) -> Option<Value> {
        None
    }

    fn arithmetic(
        &self,
        operator: &str,
        other: &Value,
        _reflected: bool,
    ) -> Option<Result<Value, String>> {
        let result = match (operator, native::<Self>(other), other) {
            ("+", Some(other), _) => self.0.checked_add(other.0),
            ("-", Some(other), _) => self.0.checked_sub(other.0),
            ("*", _, Value::Int(count)) => self.0.checked_mul(*count),
            _ => return None,
        };
        Some(
            result
                .map(|micros| Self(micros).into())
                .ok_or_else(|| "days out of range".to_owned()),
        )
    }
}
