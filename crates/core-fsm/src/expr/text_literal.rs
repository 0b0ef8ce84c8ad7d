use super::error::{ExprError, ExprErrorKind};

/// A text as an expression writes it.
pub(super) enum Literal {
    Text(String),
    /// With places to fill in; escapes are still in it.
    Template {
        body: String,
        raw: bool,
    },
}

/// Reads a text with its prefix, or says that there is none here.
pub(super) fn read_literal(
    text: &[char],
    start: usize,
) -> Result<Option<(Literal, usize)>, ExprError> {
    let mut at = start;
    let (mut raw, mut template, mut bytes) = (false, false, false);
    while at < text.len() && at - start < 3 && !matches!(text[at], '"' | '\'') {
        match text[at] {
            'r' | 'R' => raw = true,
            'f' | 'F' => template = true,
            'b' | 'B' => bytes = true,
            'u' | 'U' if at == start => {}
            _ => return Ok(None),
        }
        at += 1;
    }
    let Some(quote @ ('"' | '\'')) = text.get(at).copied() else {
        return Ok(None);
    };
    let prefix: String = text[start..at].iter().collect::<String>().to_lowercase();
    if !matches!(
        prefix.as_str(),
        "" | "r" | "u" | "f" | "b" | "rf" | "fr" | "rb" | "br"
    ) {
        return Ok(None);
    }
    if bytes {
        return Err(ExprError::new(ExprErrorKind::Refused, "bytes are not available").at(start));
    }
    let width = if text.get(at + 1) == Some(&quote) && text.get(at + 2) == Some(&quote) {
        3
    } else {
        1
    };
    let begin = at + width;
    let mut end = begin;
    loop {
        match text.get(end) {
            None => return Err(unclosed(start)),
            Some('\n') if width == 1 => return Err(unclosed(start)),
            Some('\\') => end += 2,
            Some(char)
                if *char == quote
                    && text[end..]
                        .iter()
                        .take(width)
                        .filter(|next| **next == quote)
                        .count()
                        == width =>
            {
                break;
            }
            Some(_) => end += 1,
        }
    }
    let body = &text[begin..end];
    let literal = if template {
        Literal::Template {
            body: body.iter().collect(),
            raw,
        }
    } else if raw {
        Literal::Text(body.iter().collect())
    } else {
        Literal::Text(unescape(body, begin)?)
    };
    Ok(Some((literal, end + width)))
}

fn unclosed(start: usize) -> ExprError {
    ExprError::new(ExprErrorKind::Syntax, "a text that nothing closes").at(start)
}

/// Puts the characters in that escapes stand for.
pub(super) fn unescape(body: &[char], offset: usize) -> Result<String, ExprError> {
    let mut out = String::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if body[at] != '\\' || at + 1 == body.len() {
            out.push(body[at]);
            at += 1;
            continue;
        }
        let escape = body[at + 1];
        at += 2;
        match escape {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(escape),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            '0'..='7' => {
                let mut code = 0;
                at -= 1;
                for _ in 0..3 {
                    match body.get(at).and_then(|digit| digit.to_digit(8)) {
                        Some(digit) => code = code * 8 + digit,
                        None => break,
                    }
                    at += 1;
                }
                out.push(character(code, offset + at)?);
            }
            'x' | 'u' | 'U' => {
                let length = match escape {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits: String = body.iter().skip(at).take(length).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.chars().count() == length && !digits.starts_with('+'));
                match code {
                    Some(code) => out.push(character(code, offset + at)?),
                    None => {
                        return Err(ExprError::new(
                            ExprErrorKind::Syntax,
                            format!("\\{escape} needs {length} hexadecimal digits"),
                        )
                        .at(offset + at));
                    }
                }
                at += length;
            }
            'N' => {
                return Err(ExprError::new(
                    ExprErrorKind::Refused,
                    "names of characters are not available",
                )
                .at(offset + at)
                .hint("write the character, or \\u and its number"));
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    Ok(out)
}

fn character(code: u32, position: usize) -> Result<char, ExprError> {
    char::from_u32(code).ok_or_else(|| {
        ExprError::new(ExprErrorKind::Refused, format!("{code:#x} is no character")).at(position)
    })
}
