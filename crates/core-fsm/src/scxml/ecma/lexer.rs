use std::sync::Arc;

use crate::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Constant(Value),
    Name(Arc<str>),
    Operator(&'static str),
    End,
}

/// Longest first.
const OPERATORS: [&str; 46] = [
    ">>>=", "===", "!==", "**=", ">>>", "<<=", ">>=", "&&=", "||=", "...", "==", "!=", "<=", ">=",
    "&&", "||", "??", "?.", "=>", "++", "--", "+=", "-=", "*=", "/=", "%=", "**", "<<", ">>", "+",
    "-", "*", "/", "%", "<", ">", "!", "?", ":", "(", ")", "[", "]", "{", "}", ",",
];
const MORE: [&str; 6] = [".", "&", "|", "^", "~", "="];

pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        if char.is_whitespace() {
            rest = &rest[char.len_utf8()..];
        } else if char.is_ascii_digit()
            || (char == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit()))
        {
            let (value, length) = number(rest)?;
            tokens.push(Token::Constant(value));
            rest = &rest[length..];
        } else if matches!(char, '"' | '\'' | '`') {
            let end = closing(rest).ok_or("a text is not closed")?;
            if char == '`' && rest[..end].contains("${") {
                return Err("templates with ${} are not available".to_owned());
            }
            tokens.push(Token::Constant(Value::text(unescaped(&rest[1..end])?)));
            rest = &rest[end + 1..];
        } else if char == '_' || char == '$' || char.is_alphabetic() {
            let end = rest
                .find(|char: char| !(char == '_' || char == '$' || char.is_alphanumeric()))
                .unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].into()));
            rest = &rest[end..];
        } else {
            let operator = OPERATORS
                .iter()
                .chain(&MORE)
                .find(|operator| rest.starts_with(**operator))
                .ok_or_else(|| format!("unexpected: {char:?}"))?;
            tokens.push(Token::Operator(operator));
            rest = &rest[operator.len()..];
        }
    }
    tokens.push(Token::End);
    Ok(tokens)
}

fn number(text: &str) -> Result<(Value, usize), String> {
    for (prefixes, radix) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let Some(digits) = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            let end = digits
                .find(|char: char| !char.is_digit(radix))
                .unwrap_or(digits.len());
            let value = i64::from_str_radix(&digits[..end], radix)
                .map_err(|_| "a number without digits, or with too many".to_owned())?;
            return Ok((Value::Int(value), end + 2));
        }
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut whole = true;
    while at < bytes.len() {
        match bytes[at] {
            b'0'..=b'9' => {}
            b'.' => whole = false,
            b'e' | b'E'
                if bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
                    || (matches!(bytes.get(at + 1), Some(b'+' | b'-'))
                        && bytes.get(at + 2).is_some_and(u8::is_ascii_digit)) =>
            {
                whole = false;
                at += 1;
            }
            _ => break,
        }
        at += 1;
    }
    let written = &text[..at];
    if text[at..].starts_with(|char: char| char == '_' || char.is_alphanumeric()) {
        return Err(format!("'{written}' runs into a name"));
    }
    let value = match written.parse::<i64>() {
        Ok(number) if whole => Some(Value::Int(number)),
        _ => written.parse().map(Value::Float).ok(),
    };
    value
        .map(|value| (value, at))
        .ok_or_else(|| format!("'{written}' is no number"))
}

fn unescaped(body: &str) -> Result<String, String> {
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('b') => text.push('\x08'),
            Some('f') => text.push('\x0c'),
            Some('v') => text.push('\x0b'),
            Some('0') => text.push('\0'),
            Some('\n') => {}
            Some(kind @ ('x' | 'u')) => {
                let digits: String = chars
                    .by_ref()
                    .take(if kind == 'x' { 2 } else { 4 })
                    .collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                text.push(code.ok_or_else(|| format!("\\{kind}{digits} is no character"))?);
            }
            Some(other) => text.push(other),
            None => return Err("a text ends with a backslash".to_owned()),
        }
    }
    Ok(text)
}

/// The byte at which the text or bracket closes that a text begins with.
pub(in crate::scxml) fn closing(text: &str) -> Option<usize> {
    let mut open: Vec<char> = Vec::new();
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        match open.last().copied() {
            Some(quote @ ('"' | '\'' | '`')) => {
                if escaped {
                    escaped = false;
                } else if char == '\\' {
                    escaped = true;
                } else if char == quote {
                    open.pop();
                }
            }
            _ => match char {
                '"' | '\'' | '`' => open.push(char),
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' if open.pop() != Some(char) => return None,
                _ => {}
            },
        }
        if open.is_empty() {
            return Some(at);
        }
    }
    None
}
