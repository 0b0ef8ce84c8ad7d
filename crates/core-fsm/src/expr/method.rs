//! The methods that values have.

use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::error::{ExprError, ExprErrorKind};
use super::index::position;
use super::meter::Meter;
use super::order::{equal, find, same};
use super::repr::repr;
use crate::{Key, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Upper,
    Lower,
    Title,
    Strip,
    StripLeft,
    StripRight,
    Split,
    StartsWith,
    EndsWith,
    Replace,
    Join,
    Find,
    Count,
    IsDigit,
    IsAlpha,
    Get,
    Keys,
    Values,
    Items,
    Index,
}

const METHODS: [(&str, Method); 20] = [
    ("upper", Method::Upper),
    ("lower", Method::Lower),
    ("title", Method::Title),
    ("strip", Method::Strip),
    ("lstrip", Method::StripLeft),
    ("rstrip", Method::StripRight),
    ("split", Method::Split),
    ("startswith", Method::StartsWith),
    ("endswith", Method::EndsWith),
    ("replace", Method::Replace),
    ("join", Method::Join),
    ("find", Method::Find),
    ("count", Method::Count),
    ("isdigit", Method::IsDigit),
    ("isalpha", Method::IsAlpha),
    ("get", Method::Get),
    ("keys", Method::Keys),
    ("values", Method::Values),
    ("items", Method::Items),
    ("index", Method::Index),
];

static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^[\p{Nd}\x{b2}\x{b3}\x{b9}\x{1369}-\x{1371}\x{19da}\x{2070}\x{2074}-\x{2079}\x{2080}-\x{2089}",
        r"\x{2460}-\x{2468}\x{2474}-\x{247c}\x{2488}-\x{2490}\x{24ea}\x{24f5}-\x{24fd}\x{24ff}",
        r"\x{2776}-\x{277e}\x{2780}-\x{2788}\x{278a}-\x{2792}\x{10a40}-\x{10a43}\x{10e60}-\x{10e68}",
        r"\x{11052}-\x{1105a}\x{1f100}-\x{1f10a}]+$"
    ))
    .expect("a pattern that never changes")
});
static LETTERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\p{L}+$").expect("a pattern that never changes"));

impl Method {
    pub(super) fn named(name: &str) -> Option<Self> {
        METHODS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, method)| *method)
    }

    fn name(self) -> &'static str {
        METHODS
            .iter()
            .find(|(_, method)| *method == self)
            .map_or("", |(name, _)| name)
    }

    /// What there is, for messages.
    pub(super) fn list() -> String {
        let names: Vec<_> = METHODS.iter().map(|(name, _)| *name).collect();
        format!("there are {}", names.join(", "))
    }

    pub(super) fn call(
        self,
        meter: &Meter,
        object: &Value,
        arguments: &[Value],
    ) -> Result<Value, ExprError> {
        let found = match object {
            Value::Text(text) => self.on_text(meter, text, arguments)?,
            Value::Map(map) => match (self, arguments) {
                (Self::Get, [key]) => Some(find(meter, map, key)?.cloned().unwrap_or(Value::Null)),
                (Self::Get, [key, default]) => {
                    Some(find(meter, map, key)?.unwrap_or(default).clone())
                }
                (Self::Keys, []) => {
                    meter.check_length(map.len())?;
                    Some(Value::list(
                        map.iter().map(|(key, _)| key_value(key)).collect(),
                    ))
                }
                (Self::Values, []) => {
                    meter.check_length(map.len())?;
                    Some(Value::list(
                        map.iter().map(|(_, value)| value.clone()).collect(),
                    ))
                }
                (Self::Items, []) => {
                    meter.check_length(map.len())?;
                    Some(Value::list(
                        map.iter()
                            .map(|(key, value)| {
                                Value::Tuple(Arc::new(vec![key_value(key), value.clone()]))
                            })
                            .collect(),
                    ))
                }
                (Self::Get | Self::Keys | Self::Values | Self::Items, _) => {
                    return Err(self.wrong_count(arguments));
                }
                _ => None,
            },
            Value::List(items) | Value::Tuple(items) => match (self, arguments) {
                (Self::Count, [value]) => {
                    let mut count = 0;
                    for item in items.iter() {
                        meter.charge(1)?;
                        count += i64::from(same(item, value) || equal(meter, item, value)?);
                    }
                    Some(Value::Int(count))
                }
                (Self::Index, [value]) => {
                    for (at, item) in items.iter().enumerate() {
                        meter.charge(1)?;
                        if same(item, value) || equal(meter, item, value)? {
                            return Ok(Value::Int(at as i64));
                        }
                    }
                    return Err(ExprError::value(if matches!(object, Value::List(_)) {
                        format!("{} is not in list", repr(meter, value)?)
                    } else {
                        "tuple.index(x): x not in tuple".to_owned()
                    }));
                }
                (Self::Count | Self::Index, _) => return Err(self.wrong_count(arguments)),
                _ => None,
            },
            _ => None,
        };
        found.ok_or_else(|| {
            ExprError::new(
                ExprErrorKind::Attribute,
                format!(
                    "'{}' object has no attribute '{}' that can be called here",
                    object.type_name(),
                    self.name()
                ),
            )
        })
    }

    fn wrong_count(self, arguments: &[Value]) -> ExprError {
        ExprError::type_error(format!(
            "{}() doesn't take {} argument{} of these kinds",
            self.name(),
            arguments.len(),
            if arguments.len() == 1 { "" } else { "s" }
        ))
    }

    fn on_text(
        self,
        meter: &Meter,
        text: &Arc<str>,
        arguments: &[Value],
    ) -> Result<Option<Value>, ExprError> {
        meter.charge_length(text.len())?;
        let value = match (self, arguments) {
            (Self::Upper, []) => meter.text(text.to_uppercase())?,
            (Self::Lower, []) => meter.text(text.to_lowercase())?,
            (Self::Title, []) => meter.text(title(text))?,
            (Self::Strip | Self::StripLeft | Self::StripRight, [] | [Value::Null]) => {
                self.strip(text, is_blank)
            }
            (Self::Strip | Self::StripLeft | Self::StripRight, [Value::Text(set)]) => {
                meter.charge(text.len() as u64 * set.len() as u64 / 1024)?;
                self.strip(text, |char| set.contains(char))
            }
            (Self::Split, _) => return self.split(meter, text, arguments).map(Some),
            (Self::StartsWith, [Value::Text(part)]) => Value::Bool(text.starts_with(&**part)),
            (Self::EndsWith, [Value::Text(part)]) => Value::Bool(text.ends_with(&**part)),
            (Self::StartsWith | Self::EndsWith, [Value::Tuple(parts)]) => {
                meter.charge(parts.len() as u64)?;
                let mut found = false;
                for part in parts.iter() {
                    let Value::Text(part) = part else {
                        return Err(self.wrong_count(arguments));
                    };
                    found |= match self {
                        Self::StartsWith => text.starts_with(&**part),
                        _ => text.ends_with(&**part),
                    };
                }
                Value::Bool(found)
            }
            (Self::Replace, [Value::Text(old), Value::Text(new)]) => {
                replace(meter, text, old, new, usize::MAX)?
            }
            (Self::Replace, [Value::Text(old), Value::Text(new), count]) => {
                let Some(count) = position(count) else {
                    return Err(self.wrong_count(arguments));
                };
                replace(
                    meter,
                    text,
                    old,
                    new,
                    usize::try_from(count).unwrap_or(usize::MAX),
                )?
            }
            (Self::Join, [Value::List(items) | Value::Tuple(items)]) => join(meter, text, items)?,
            (Self::Join, [Value::Map(map)]) => {
                let keys: Vec<_> = map.iter().map(|(key, _)| key_value(key)).collect();
                join(meter, text, &keys)?
            }
            (Self::Find | Self::Count | Self::Index, [Value::Text(part)]) => match self {
                Self::Count if part.is_empty() => Value::Int(text.chars().count() as i64 + 1),
                Self::Count => Value::Int(text.matches(&**part).count() as i64),
                _ => match text.find(&**part) {
                    Some(at) => Value::Int(text[..at].chars().count() as i64),
                    None if self == Self::Find => Value::Int(-1),
                    None => return Err(ExprError::value("substring not found")),
                },
            },
            (Self::IsDigit, []) => Value::Bool(DIGITS.is_match(text)),
            (Self::IsAlpha, []) => Value::Bool(LETTERS.is_match(text)),
            (Self::Get | Self::Keys | Self::Values | Self::Items, _) => return Ok(None),
            _ => return Err(self.wrong_count(arguments)),
        };
        Ok(Some(value))
    }

    fn strip(self, text: &str, drop: impl Fn(char) -> bool) -> Value {
        Value::text(match self {
            Self::StripLeft => text.trim_start_matches(drop),
            Self::StripRight => text.trim_end_matches(drop),
            _ => text.trim_start_matches(&drop).trim_end_matches(&drop),
        })
    }

    fn split(self, meter: &Meter, text: &str, arguments: &[Value]) -> Result<Value, ExprError> {
        let most = match arguments.get(1).map(position) {
            None => usize::MAX,
            Some(Some(count)) => usize::try_from(count).unwrap_or(usize::MAX),
            Some(None) => return Err(self.wrong_count(arguments)),
        };
        let parts: Vec<Value> = match arguments {
            [] | [Value::Null] | [Value::Null, _] => {
                let mut parts = Vec::new();
                let mut rest = text.trim_start_matches(is_blank);
                while !rest.is_empty() {
                    let end = if parts.len() < most {
                        rest.find(is_blank)
                    } else {
                        None
                    };
                    let Some(end) = end else {
                        let last = if parts.len() < most {
                            rest
                        } else {
                            rest.trim_end_matches(is_blank)
                        };
                        parts.push(Value::text(last));
                        break;
                    };
                    parts.push(Value::text(&rest[..end]));
                    rest = rest[end..].trim_start_matches(is_blank);
                }
                parts
            }
            [Value::Text(separator)] | [Value::Text(separator), _] => {
                if separator.is_empty() {
                    return Err(ExprError::value("empty separator"));
                }
                text.splitn(most.saturating_add(1), &**separator)
                    .map(Value::text)
                    .collect()
            }
            _ => return Err(self.wrong_count(arguments)),
        };
        meter.check_length(parts.len())?;
        Ok(Value::list(parts))
    }
}

/// White space as Python sees it: four more separators than Unicode's own list.
pub(super) fn is_blank(char: char) -> bool {
    char.is_whitespace() || ('\x1c'..='\x1f').contains(&char)
}

pub(super) fn key_value(key: &Key) -> Value {
    match key {
        Key::Text(text) => Value::Text(text.clone()),
        Key::Int(number) => Value::Int(*number),
        Key::Other(value, _) => value.clone(),
    }
}

fn replace(
    meter: &Meter,
    text: &str,
    old: &str,
    new: &str,
    most: usize,
) -> Result<Value, ExprError> {
    let count = text.matches(old).take(most).count();
    meter.check_length((text.len() + count.saturating_mul(new.len())) / 4)?;
    meter.text(text.replacen(old, new, most))
}

fn join(meter: &Meter, separator: &str, items: &[Value]) -> Result<Value, ExprError> {
    let mut length = separator.len().saturating_mul(items.len());
    meter.charge_length(items.len() * 64)?;
    let mut parts = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let Value::Text(text) = item else {
            return Err(ExprError::type_error(format!(
                "sequence item {at}: expected str instance, {} found",
                item.type_name()
            )));
        };
        length = length.saturating_add(text.len());
        parts.push(&**text);
    }
    meter.check_length(length / 4)?;
    meter.text(parts.join(separator))
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if inside && char == 'Σ' {
            // At the end of a word it has a form of its own.
            let last = !chars.peek().is_some_and(|next| next.is_alphabetic());
            out.push(if last { 'ς' } else { 'σ' });
        } else if inside {
            out.extend(char.to_lowercase());
        } else {
            push_title(char, &mut out);
        }
        inside = char.is_uppercase() || char.is_lowercase() || is_title(char);
    }
    out
}

/// The few letters that are two in one.
fn is_title(char: char) -> bool {
    matches!(char, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}')
        || matches!(char, '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}')
        || matches!(char, '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

fn push_title(char: char, out: &mut String) {
    let titled = match char {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{1f80}'..='\u{1faf}' => char::from_u32(u32::from(char) | 8).unwrap_or(char),
        '\u{1fb3}' => '\u{1fbc}',
        '\u{1fc3}' => '\u{1fcc}',
        '\u{1ff3}' => '\u{1ffc}',
        _ => {
            // A letter that becomes several: the first of them large, the others small.
            let mut upper = char.to_uppercase();
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
            return;
        }
    };
    out.push(titled);
}
