use std::borrow::Cow;

use super::error::{SourceError, SourceFault};
use super::mark::Position;

/// Gives the value of a variable, if it is set.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Puts variables into the text of a scalar: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. The second is true if one
/// placeholder was the whole text.
pub(super) fn substitute<'t>(
    text: &'t str,
    lookup: &Lookup<'_>,
    position: Position,
) -> Result<(Cow<'t, str>, bool), SourceError> {
    if !text.contains("${") {
        return Ok((Cow::Borrowed(text), false));
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    let mut alone = false;
    while let Some(start) = rest.find("${") {
        filled.push_str(&rest[..start]);
        let inner = &rest[start + 2..];
        let Some(end) = inner.find('}') else {
            rest = &rest[start..];
            break;
        };
        match Placeholder::of(&inner[..end]) {
            Some(placeholder) => {
                filled.push_str(&placeholder.value(lookup, position)?);
                alone = start == 0 && rest.len() == text.len() && end + 3 == text.len();
            }
            None => filled.push_str(&rest[start..start + end + 3]),
        }
        rest = &inner[end + 1..];
    }
    filled.push_str(rest);
    Ok((Cow::Owned(filled), alone))
}

/// Where the letters of placeholders are kept from being read as YAML: the first of the private ones.
const SHELTER: u32 = 0xE000;

/// Takes the letters of placeholders for others that mean nothing in YAML, one for one, so that `{a: ${NAME}}` can be read.
pub(super) fn shelter(text: &str) -> Cow<'_, str> {
    if !text.contains("${") {
        return Cow::Borrowed(text);
    }
    let mut sheltered = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = rest[start..]
            .find(['}', '\n'])
            .filter(|end| rest[start + end..].starts_with('}'));
        let Some(end) = end.map(|end| start + end + 1) else {
            sheltered.push_str(&rest[..start + 2]);
            rest = &rest[start + 2..];
            continue;
        };
        sheltered.push_str(&rest[..start]);
        sheltered.extend(rest[start..end].chars().map(|letter| {
            if letter.is_ascii() {
                char::from_u32(SHELTER + u32::from(letter)).unwrap_or(letter)
            } else {
                letter
            }
        }));
        rest = &rest[end..];
    }
    sheltered.push_str(rest);
    Cow::Owned(sheltered)
}

/// Gives placeholders their letters back.
pub(super) fn unshelter(text: &str) -> String {
    text.chars()
        .map(|letter| {
            u32::from(letter)
                .checked_sub(SHELTER)
                .filter(|code| *code < 0x80)
                .and_then(char::from_u32)
                .unwrap_or(letter)
        })
        .collect()
}

struct Placeholder<'t> {
    name: &'t str,
    otherwise: Otherwise<'t>,
}

enum Otherwise<'t> {
    Empty,
    Default(&'t str),
    Fail(&'t str),
}

impl<'t> Placeholder<'t> {
    fn of(inner: &'t str) -> Option<Self> {
        let (name, otherwise) = match inner.split_once(':') {
            None => (inner, Otherwise::Empty),
            Some((name, rest)) => {
                let otherwise = if let Some(default) = rest.strip_prefix('-') {
                    Otherwise::Default(default)
                } else {
                    Otherwise::Fail(rest.strip_prefix('?')?)
                };
                (name, otherwise)
            }
        };
        (!name.is_empty()).then_some(Self { name, otherwise })
    }

    fn value(&self, lookup: &Lookup<'_>, position: Position) -> Result<String, SourceError> {
        match (lookup(self.name), &self.otherwise) {
            (Some(value), _) => Ok(value),
            (None, Otherwise::Empty) => Ok(String::new()),
            (None, Otherwise::Default(default)) => Ok((*default).to_owned()),
            (None, Otherwise::Fail(message)) => Err(SourceError {
                fault: SourceFault::Variable(self.name.to_owned()),
                message: if message.is_empty() {
                    format!("Required variable '{}' not set", self.name)
                } else {
                    (*message).to_owned()
                },
                position,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<(String, bool), String> {
        let lookup = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        substitute(text, &lookup, Position { line: 1, column: 1 })
            .map(|(text, alone)| (text.into_owned(), alone))
            .map_err(|error| error.message)
    }

    #[test]
    fn placeholders_take_values_defaults_and_refusals() {
        assert_eq!(fill("${A}"), Ok(("1".to_owned(), true)));
        assert_eq!(fill("x${A}y"), Ok(("x1y".to_owned(), false)));
        assert_eq!(fill("${A}${A}"), Ok(("11".to_owned(), false)));
        assert_eq!(fill("${B}"), Ok((String::new(), true)));
        assert_eq!(fill("${B:-a:b}"), Ok(("a:b".to_owned(), true)));
        assert_eq!(fill("${EMPTY:-x}"), Ok((String::new(), true)));
        assert_eq!(fill("${B:?say it}"), Err("say it".to_owned()));
        assert_eq!(
            fill("${B:?}"),
            Err("Required variable 'B' not set".to_owned())
        );
        for untouched in ["${}", "${B", "$B", "${B:x}"] {
            assert_eq!(fill(untouched), Ok((untouched.to_owned(), false)));
        }
    }
}
