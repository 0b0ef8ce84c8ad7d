//! What parameter text becomes.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::moment::{Date, DateTime, Duration, Time};

/// A value made of text. The formats keep their text: who declared none of the types gets it unchanged.
#[derive(Debug, Clone, PartialEq)]
pub enum Coerced<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits: digits with a sign perhaps.
    BigInt(Cow<'a, str>),
    Float(f64),
    Text(Cow<'a, str>),
    Uuid {
        bytes: [u8; 16],
        text: Cow<'a, str>,
    },
    Date {
        value: Date,
        text: Cow<'a, str>,
    },
    DateTime {
        value: DateTime,
        text: Cow<'a, str>,
    },
    Time {
        value: Time,
        text: Cow<'a, str>,
    },
    Duration {
        value: Duration,
        text: Cow<'a, str>,
    },
    /// A finite decimal as it was written.
    Decimal(Cow<'a, str>),
    List(Vec<Coerced<'a>>),
    Object(Vec<(String, Coerced<'a>)>),
    /// A value given as JSON text.
    Json(Value),
    /// A file of a form, by its position among them.
    File {
        index: usize,
        filename: Cow<'a, str>,
    },
}

impl Coerced<'_> {
    /// The text of a string of any format.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text)
            | Self::Decimal(text)
            | Self::Uuid { text, .. }
            | Self::Date { text, .. }
            | Self::DateTime { text, .. }
            | Self::Time { text, .. }
            | Self::Duration { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The JSON form: what constraints on lists and objects are judged on.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(int) => Value::from(*int),
            Self::BigInt(digits) => big_number(digits),
            Self::Float(float) => Number::from_f64(*float).map_or(Value::Null, Value::Number),
            Self::Text(text)
            | Self::Decimal(text)
            | Self::Uuid { text, .. }
            | Self::Date { text, .. }
            | Self::DateTime { text, .. }
            | Self::Time { text, .. }
            | Self::Duration { text, .. } => Value::String(text.clone().into_owned()),
            Self::List(items) => Value::Array(items.iter().map(Coerced::to_json).collect()),
            Self::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.to_json()))
                    .collect::<Map<_, _>>(),
            ),
            Self::Json(value) => value.clone(),
            Self::File { filename, .. } => Value::String(filename.clone().into_owned()),
        }
    }

    /// The same value with texts of its own.
    pub fn into_owned(self) -> Coerced<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Coerced::Null,
            Self::Bool(flag) => Coerced::Bool(flag),
            Self::Int(int) => Coerced::Int(int),
            Self::BigInt(digits) => Coerced::BigInt(own(digits)),
            Self::Float(float) => Coerced::Float(float),
            Self::Text(text) => Coerced::Text(own(text)),
            Self::Uuid { bytes, text } => {
                let text = own(text);
                Coerced::Uuid { bytes, text }
            }
            Self::Date { value, text } => {
                let text = own(text);
                Coerced::Date { value, text }
            }
            Self::DateTime { value, text } => {
                let text = own(text);
                Coerced::DateTime { value, text }
            }
            Self::Time { value, text } => {
                let text = own(text);
                Coerced::Time { value, text }
            }
            Self::Duration { value, text } => {
                let text = own(text);
                Coerced::Duration { value, text }
            }
            Self::Decimal(text) => Coerced::Decimal(own(text)),
            Self::List(items) => {
                Coerced::List(items.into_iter().map(Coerced::into_owned).collect())
            }
            Self::Object(members) => Coerced::Object(
                members
                    .into_iter()
                    .map(|(name, member)| (name, member.into_owned()))
                    .collect(),
            ),
            Self::Json(value) => Coerced::Json(value),
            Self::File { index, filename } => {
                let filename = own(filename);
                Coerced::File { index, filename }
            }
        }
    }
}

/// The nearest JSON number.
fn big_number(digits: &str) -> Value {
    let unsigned = digits.strip_prefix('+').unwrap_or(digits);
    if let Ok(whole) = unsigned.parse::<u64>() {
        return Value::from(whole);
    }
    let nearest = unsigned
        .parse::<f64>()
        .unwrap_or(f64::MAX)
        .clamp(f64::MIN, f64::MAX);
    Number::from_f64(nearest).map_or(Value::Null, Value::Number)
}

/// One parameter of a request: there or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot<'a> {
    /// It did not come, or it had a fault.
    Absent,
    Value(Coerced<'a>),
}
