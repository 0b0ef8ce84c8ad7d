//! Path patterns: `/users/{id:int}/files/{name:path}`.

use std::borrow::Cow;

use super::{Converter, PatternFault, RouteError};
use crate::percent::{decode_segment, encode_rest, encode_segment};

/// A pattern that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
}

/// What stands between two slashes of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text to compare with a decoded segment; empty behind a trailing slash.
    Literal(String),
    Parameter {
        name: String,
        converter: Converter,
    },
}

/// The parameters of a pattern with their converters, in order.
pub fn pattern_parameters(pattern: &str) -> Result<Vec<(String, Converter)>, RouteError> {
    Ok(Pattern::parse(pattern)?
        .segments
        .into_iter()
        .filter_map(|segment| match segment {
            Segment::Parameter { name, converter } => Some((name, converter)),
            Segment::Literal(_) => None,
        })
        .collect())
}

impl Pattern {
    pub fn parse(pattern: &str) -> Result<Self, RouteError> {
        let bad = |fault| RouteError::BadPattern {
            pattern: pattern.to_owned(),
            fault,
        };
        let path = pattern
            .strip_prefix('/')
            .ok_or_else(|| bad(PatternFault::NoLeadingSlash))?;
        let mut segments: Vec<Segment> = Vec::new();
        for text in path.split('/') {
            if let Some(Segment::Parameter {
                name,
                converter: Converter::Path,
            }) = segments.last()
            {
                return Err(bad(PatternFault::PathNotLast { name: name.clone() }));
            }
            let Some((name, converter)) = parameter(text).map_err(bad)? else {
                segments.push(Segment::Literal(literal(text).map_err(bad)?));
                continue;
            };
            if segments.iter().any(
                |known| matches!(known, Segment::Parameter { name: taken, .. } if taken == name),
            ) {
                return Err(bad(PatternFault::DuplicateName {
                    name: name.to_owned(),
                }));
            }
            let converter =
                Converter::from_name(converter).ok_or_else(|| RouteError::UnknownConverter {
                    pattern: pattern.to_owned(),
                    converter: converter.to_owned(),
                })?;
            segments.push(Segment::Parameter {
                name: name.to_owned(),
                converter,
            });
        }
        Ok(Self { segments })
    }

    /// At least one; `/` is one empty literal.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The path with its parameters filled in and encoded, or the name of the first one `value_of` does not know.
    pub fn fill<'p, V: AsRef<str>>(
        &'p self,
        mut value_of: impl FnMut(&'p str) -> Option<V>,
    ) -> Result<String, &'p str> {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(&encode_segment(text)),
                Segment::Parameter { name, converter } => {
                    let value = value_of(name).ok_or(name.as_str())?;
                    let encode = if *converter == Converter::Path {
                        encode_rest
                    } else {
                        encode_segment
                    };
                    path.push_str(&encode(value.as_ref()));
                }
            }
        }
        Ok(path)
    }

    /// The one path this pattern matches when it has no parameter, as a request without escapes spells it.
    pub(super) fn whole_path(&self) -> Option<String> {
        let mut path = String::new();
        for segment in &self.segments {
            match segment {
                // A literal that decodes to a slash or to a percent sign is only ever met as an escape.
                Segment::Literal(text) if !text.contains(['/', '%']) => {
                    path.push('/');
                    path.push_str(text);
                }
                _ => return None,
            }
        }
        Some(path)
    }
}

/// Name and converter when the segment is a parameter, nothing when it is text.
fn parameter(text: &str) -> Result<Option<(&str, &str)>, PatternFault> {
    let Some(open) = text.find('{') else {
        return if text.contains('}') {
            Err(PatternFault::UnopenedBrace)
        } else {
            Ok(None)
        };
    };
    let Some(length) = text[open..].find('}') else {
        return Err(PatternFault::UnclosedBrace);
    };
    if open > 0 || length + 1 < text.len() {
        return Err(PatternFault::MixedSegment {
            segment: text.to_owned(),
        });
    }
    let inner = &text[1..length];
    let (name, converter) = inner
        .split_once(':')
        .unwrap_or((inner, Converter::Str.name()));
    if name.is_empty() {
        return Err(PatternFault::EmptyName);
    }
    if !name
        .chars()
        .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.'))
    {
        return Err(PatternFault::IllegalName {
            name: name.to_owned(),
        });
    }
    Ok(Some((name, converter)))
}

/// The text of a literal segment. Patterns may be written decoded or encoded, so `/caf%C3%A9` and `/café` are one.
fn literal(text: &str) -> Result<String, PatternFault> {
    decode_segment(text)
        .map(Cow::into_owned)
        .map_err(|_| PatternFault::BadEncoding {
            segment: text.to_owned(),
        })
}
