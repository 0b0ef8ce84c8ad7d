use super::code::Conversion;
use super::error::{ExprError, ExprErrorKind};
use super::text_literal::unescape;

/// A part of an f-text.
pub(super) enum Part {
    Text(String),
    Field {
        source: Vec<char>,
        /// What `{x=}` shows before the value.
        echo: String,
        conversion: Conversion,
        format: Option<Vec<char>>,
    },
}

/// Cuts the inside of an f-text at its braces.
pub(super) fn split_template(body: &[char], raw: bool) -> Result<Vec<Part>, ExprError> {
    let mut parts = Vec::new();
    let mut text: Vec<char> = Vec::new();
    let mut at = 0;
    while at < body.len() {
        match (body[at], body.get(at + 1)) {
            ('{', Some('{')) | ('}', Some('}')) => {
                text.push(body[at]);
                at += 2;
            }
            ('{', _) => {
                flush(&mut text, raw, &mut parts)?;
                let (field, end) = read_field(body, at + 1)?;
                parts.push(field);
                at = end;
            }
            ('}', _) => return Err(syntax("a single '}' in an f-text").hint("write '}}'")),
            ('\\', Some(next)) if !raw => {
                // Kept as a pair, so that an escaped character is none of the above.
                text.extend(['\\', *next]);
                at += 2;
            }
            (char, _) => {
                text.push(char);
                at += 1;
            }
        }
    }
    flush(&mut text, raw, &mut parts)?;
    Ok(parts)
}

fn flush(text: &mut Vec<char>, raw: bool, parts: &mut Vec<Part>) -> Result<(), ExprError> {
    if !text.is_empty() {
        let text = std::mem::take(text);
        parts.push(Part::Text(if raw {
            text.into_iter().collect()
        } else {
            unescape(&text, 0)?
        }));
    }
    Ok(())
}

fn syntax(message: &str) -> ExprError {
    ExprError::new(ExprErrorKind::Syntax, message)
}

/// Reads a field from behind its opening brace to behind its closing one.
fn read_field(body: &[char], start: usize) -> Result<(Part, usize), ExprError> {
    let end = end_of_source(body, start)?;
    let mut source = &body[start..end];
    let mut echo = String::new();
    let trimmed = source.len()
        - source
            .iter()
            .rev()
            .take_while(|char| char.is_whitespace())
            .count();
    // `{x=}`, but not `{x==y}` and the like, whose sign stands inside.
    if trimmed > 1 && source[trimmed - 1] == '=' && !"=!<>".contains(source[trimmed - 2]) {
        echo = source.iter().collect();
        source = &source[..trimmed - 1];
    }
    if source.iter().all(|char| char.is_whitespace()) {
        return Err(syntax("an empty field in an f-text"));
    }
    let source = source.to_vec();
    let mut at = end;
    let conversion = if body.get(at) == Some(&'!') {
        at += 2;
        match body.get(at - 1) {
            Some('s') => Conversion::Text,
            Some('r') => Conversion::Repr,
            _ => {
                return Err(
                    syntax("an unknown conversion in an f-text").hint("there are !s and !r")
                );
            }
        }
    } else {
        Conversion::None
    };
    let mut format = None;
    if body.get(at) == Some(&':') {
        let begin = at + 1;
        at = begin;
        let mut open = 0_usize;
        while let Some(char) = body.get(at) {
            match char {
                '{' => open += 1,
                '}' if open == 0 => break,
                '}' => open -= 1,
                _ => {}
            }
            at += 1;
        }
        format = Some(body[begin..at.min(body.len())].to_vec());
    }
    if body.get(at) != Some(&'}') {
        return Err(syntax("a field of an f-text that nothing closes").hint("'}' should be there"));
    }
    Ok((
        Part::Field {
            source,
            echo,
            conversion,
            format,
        },
        at + 1,
    ))
}

/// Where the expression of a field ends: at a `}`, `!` or `:` outside of brackets and texts.
fn end_of_source(body: &[char], start: usize) -> Result<usize, ExprError> {
    let mut open = 0_usize;
    let mut quote = None;
    let mut at = start;
    while let Some(char) = body.get(at) {
        match (quote, char) {
            (_, '\\') => return Err(syntax("a backslash in a field of an f-text")),
            (Some(mark), char) if *char == mark => quote = None,
            (None, '"' | '\'') => quote = Some(*char),
            (None, '(' | '[' | '{') => open += 1,
            (None, '}' | ':') if open == 0 => return Ok(at),
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            (None, '!') if open == 0 && body.get(at + 1) != Some(&'=') => return Ok(at),
            (None, '!') => at += 1,
            (Some(_) | None, _) => {}
        }
        at += 1;
    }
    Err(syntax("a field of an f-text that nothing closes").hint("'}' should be there"))
}
