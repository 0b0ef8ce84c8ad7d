use super::error::SourceError;
use super::mark::{Mark, Part, Position};
use super::variable::{Lookup, substitute};
use super::{MAX_DEPTH, Source, check_size, scalar};
use crate::{Key, Map, Value};

/// Reads a JSON text. Duplicate keys are errors.
pub fn read_json(text: &str, variables: Option<&Lookup<'_>>) -> Result<Source, SourceError> {
    check_size(text)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        text,
        offset: 0,
        line: 1,
        line_start: 0,
        variables,
    };
    reader.blank();
    let (value, mark) = reader.value(0)?;
    reader.blank();
    if reader.offset < text.len() {
        return Err(reader.error("expected the end of the text"));
    }
    Ok(Source { value, mark })
}

struct Reader<'t, 'v> {
    text: &'t str,
    offset: usize,
    line: usize,
    line_start: usize,
    variables: Option<&'v Lookup<'v>>,
}

impl Reader<'_, '_> {
    fn position(&self) -> Position {
        Position {
            line: self.line,
            column: self.text[self.line_start..self.offset].chars().count() + 1,
        }
    }

    fn error(&self, message: impl Into<String>) -> SourceError {
        SourceError::syntax(message, self.position())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn blank(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.offset += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.offset;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<(Value, Mark), SourceError> {
        let position = self.position();
        if depth > MAX_DEPTH {
            return Err(SourceError::limit(
                format!("lists and mappings are nested deeper than {MAX_DEPTH} levels"),
                position,
            ));
        }
        let value = match self.peek() {
            Some(b'{') => return self.object(position, depth),
            Some(b'[') => return self.array(position, depth),
            Some(b'"') => Value::text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.error("expected a value, but the text ends")),
        };
        Ok((value, Mark::leaf(position)))
    }

    fn object(&mut self, position: Position, depth: usize) -> Result<(Value, Mark), SourceError> {
        let mut map = Map::new();
        let mut mark = Mark::leaf(position);
        self.offset += 1;
        self.blank();
        if self.peek() == Some(b'}') {
            self.offset += 1;
            return Ok((Value::map(map), mark));
        }
        loop {
            let place = self.position();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in double quotes"));
            }
            let key = self.string()?;
            if let Some(first) = map
                .iter()
                .position(|(known, _)| known.as_text() == Some(key.as_str()))
            {
                let first = mark.parts[first].key.unwrap_or(position);
                return Err(SourceError::syntax(
                    format!(
                        "duplicate key '{key}', first given at line {}, column {}",
                        first.line, first.column
                    ),
                    place,
                ));
            }
            self.blank();
            self.expect(b':', "expected ':' after the key")?;
            self.blank();
            let (value, part) = self.value(depth + 1)?;
            map.insert(Key::from(key.as_str()), value);
            mark.parts.push(Part {
                key: Some(place),
                mark: part,
            });
            self.blank();
            if self.peek() == Some(b'}') {
                self.offset += 1;
                return Ok((Value::map(map), mark));
            }
            self.expect(b',', "expected ',' or '}'")?;
            self.blank();
        }
    }

    fn array(&mut self, position: Position, depth: usize) -> Result<(Value, Mark), SourceError> {
        let mut items = Vec::new();
        let mut mark = Mark::leaf(position);
        self.offset += 1;
        self.blank();
        if self.peek() == Some(b']') {
            self.offset += 1;
            return Ok((Value::list(items), mark));
        }
        loop {
            let (value, part) = self.value(depth + 1)?;
            items.push(value);
            mark.parts.push(Part {
                key: None,
                mark: part,
            });
            self.blank();
            if self.peek() == Some(b']') {
                self.offset += 1;
                return Ok((Value::list(items), mark));
            }
            self.expect(b',', "expected ',' or ']'")?;
            self.blank();
        }
    }

    fn expect(&mut self, byte: u8, message: &str) -> Result<(), SourceError> {
        if self.peek() == Some(byte) {
            self.offset += 1;
            Ok(())
        } else {
            Err(self.error(message))
        }
    }

    fn string(&mut self) -> Result<String, SourceError> {
        let position = self.position();
        let bytes = self.text.as_bytes();
        let mut end = self.offset + 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return Err(self.error("the text in quotes has no end")),
            }
        }
        let literal = &self.text[self.offset..=end];
        let text: String = serde_json::from_str(literal)
            .map_err(|error| SourceError::syntax(plain(&error), position))?;
        self.offset = end + 1;
        match self.variables {
            Some(lookup) => Ok(substitute(&text, lookup, position)?.0.into_owned()),
            None => Ok(text),
        }
    }

    fn token(&self) -> &str {
        let rest = &self.text[self.offset..];
        let end = rest
            .find(|letter: char| {
                !(letter.is_ascii_alphanumeric() || matches!(letter, '-' | '+' | '.' | '_'))
            })
            .unwrap_or(rest.len());
        &rest[..end]
    }

    fn number(&mut self) -> Result<Value, SourceError> {
        let token = self.token();
        let digits = token.strip_prefix('-').unwrap_or(token);
        let well_formed = digits.starts_with(|first: char| first.is_ascii_digit())
            && (digits.len() < 2
                || !digits.starts_with('0')
                || !digits[1..].starts_with(|next: char| next.is_ascii_digit()))
            && !digits.ends_with('.')
            && !digits.contains(".e")
            && !digits.contains(".E");
        let value = if well_formed && !digits.starts_with("0x") && !digits.starts_with("0o") {
            scalar::integer(token).or_else(|| scalar::float(token).map(Value::Float))
        } else {
            None
        };
        let Some(value) = value else {
            return Err(self.error(format!("'{token}' is not a number")));
        };
        self.offset += token.len();
        Ok(value)
    }

    fn word(&mut self) -> Result<Value, SourceError> {
        let token = self.token();
        let value = match token {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "" => return Err(self.error("expected a value")),
            _ => {
                return Err(self.error(format!(
                    "'{token}' is not a value; put texts in double quotes"
                )));
            }
        };
        self.offset += token.len();
        Ok(value)
    }
}

/// The message of serde without its own place, which counts from the beginning of the literal.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
