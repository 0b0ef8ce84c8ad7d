use num_bigint::BigInt;

use super::error::{ExprError, ExprErrorKind};
use super::text_literal::{Literal, read_literal};
use super::token::{Token, TokenKind};
use crate::Value;

/// Longest first, so that `**` is not two `*`.
const OPERATORS: [&str; 46] = [
    "**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", ":=", "+", "-", "*", "/", "%", "&", "|", "^", "~",
    "<", ">", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "=", "@",
];

/// Cuts a text into tokens. Lines end an expression unless brackets are open, as in Python.
pub(super) fn tokenize(text: &[char]) -> Result<Vec<Token>, ExprError> {
    let mut tokens = Vec::new();
    let mut open = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let char = text[at];
        match char {
            ' ' | '\t' | '\x0c' => at += 1,
            '#' => {
                while at < text.len() && text[at] != '\n' {
                    at += 1;
                }
            }
            '\\' if text.get(at + 1) == Some(&'\n') => at += 2,
            '\n' | '\r' => {
                if open == 0 && !rest_is_blank(&text[at..]) {
                    return Err(syntax("a second line", at)
                        .hint("put brackets around an expression of several lines"));
                }
                at += 1;
            }
            _ if char.is_ascii_digit()
                || (char == '.' && text.get(at + 1).is_some_and(char::is_ascii_digit)) =>
            {
                let (value, end) = read_number(text, at)?;
                tokens.push(token(TokenKind::Constant(value), at));
                at = end;
            }
            _ if begins_name(char) || char == '"' || char == '\'' => {
                if let Some((literal, end)) = read_literal(text, at)? {
                    let kind = match literal {
                        Literal::Text(text) => TokenKind::Constant(Value::text(text)),
                        Literal::Template { body, raw } => TokenKind::Template {
                            body: body.into(),
                            raw,
                        },
                    };
                    tokens.push(token(kind, at));
                    at = end;
                } else {
                    let start = at;
                    while at < text.len() && continues_name(text[at]) {
                        at += 1;
                    }
                    let name: String = text[start..at].iter().collect();
                    tokens.push(token(TokenKind::Name(name.into()), start));
                }
            }
            _ => {
                let Some(operator) = OPERATORS.iter().find(|operator| {
                    text.len() - at >= operator.len()
                        && operator
                            .chars()
                            .eq(text[at..at + operator.len()].iter().copied())
                }) else {
                    return Err(syntax(format!("a stray {char:?}"), at));
                };
                match *operator {
                    "(" | "[" | "{" => open += 1,
                    ")" | "]" | "}" => open = open.saturating_sub(1),
                    _ => {}
                }
                tokens.push(token(TokenKind::Operator(operator), at));
                at += operator.len();
            }
        }
    }
    tokens.push(token(TokenKind::End, text.len()));
    Ok(tokens)
}

fn token(kind: TokenKind, position: usize) -> Token {
    Token { kind, position }
}

fn syntax(what: impl std::fmt::Display, position: usize) -> ExprError {
    ExprError::new(ExprErrorKind::Syntax, format!("unexpected: {what}")).at(position)
}

fn begins_name(char: char) -> bool {
    char == '_' || char.is_alphabetic()
}

fn continues_name(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

/// Whether nothing but white space and comments follows.
fn rest_is_blank(rest: &[char]) -> bool {
    let mut comment = false;
    rest.iter().all(|char| match char {
        '\n' => {
            comment = false;
            true
        }
        '#' => {
            comment = true;
            true
        }
        other => comment || other.is_whitespace(),
    })
}

fn read_number(text: &[char], start: usize) -> Result<(Value, usize), ExprError> {
    let radix = match (text[start], text.get(start + 1)) {
        ('0', Some('x' | 'X')) => 16,
        ('0', Some('o' | 'O')) => 8,
        ('0', Some('b' | 'B')) => 2,
        _ => 10,
    };
    if radix != 10 {
        // An underscore may follow the prefix.
        let from = start + 2 + usize::from(text.get(start + 2) == Some(&'_'));
        let (digits, end) = read_digits(text, from, radix)?;
        refuse_tail(text, end)?;
        return match BigInt::parse_bytes(digits.as_bytes(), radix) {
            Some(number) => Ok((Value::integer(number), end)),
            None => Err(syntax("a number without digits", start)),
        };
    }
    let (mut digits, mut at) = if text[start] == '.' {
        (String::new(), start)
    } else {
        read_digits(text, start, 10)?
    };
    let mut float = false;
    if text.get(at) == Some(&'.') {
        float = true;
        digits.push('.');
        at += 1;
        if text.get(at).is_some_and(char::is_ascii_digit) {
            let (fraction, end) = read_digits(text, at, 10)?;
            digits.push_str(&fraction);
            at = end;
        }
    }
    if matches!(text.get(at), Some('e' | 'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some('+' | '-')));
        if text.get(at + 1 + sign).is_some_and(char::is_ascii_digit) {
            float = true;
            digits.push('e');
            if sign == 1 {
                digits.push(text[at + 1]);
            }
            let (exponent, end) = read_digits(text, at + 1 + sign, 10)?;
            digits.push_str(&exponent);
            at = end;
        }
    }
    if matches!(text.get(at), Some('j' | 'J')) {
        return Err(
            ExprError::new(ExprErrorKind::Refused, "complex numbers are not available").at(start),
        );
    }
    refuse_tail(text, at)?;
    let value = if float {
        digits.parse().map(Value::Float).ok()
    } else if digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().any(|digit| digit != b'0')
    {
        return Err(syntax("a number that begins with 0", start).hint("leave the 0 out"));
    } else {
        digits.parse().map(Value::integer).ok()
    };
    match value {
        Some(value) => Ok((value, at)),
        None => Err(syntax("a number that is none", start)),
    }
}

/// Digits of a radix with single underscores between them.
fn read_digits(text: &[char], start: usize, radix: u32) -> Result<(String, usize), ExprError> {
    let mut digits = String::new();
    let mut at = start;
    while let Some(char) = text.get(at) {
        if char.is_digit(radix) {
            digits.push(*char);
        } else if *char == '_' && text.get(at + 1).is_some_and(|next| next.is_digit(radix)) {
            // Between digits an underscore means nothing.
        } else {
            break;
        }
        at += 1;
    }
    if digits.is_empty() {
        return Err(syntax("a number without digits", start));
    }
    Ok((digits, at))
}

/// A name may not stick to a number. Python lets the operators in words do so, with a warning; here they need the blank.
fn refuse_tail(text: &[char], at: usize) -> Result<(), ExprError> {
    match text.get(at) {
        Some(char) if continues_name(*char) => {
            Err(syntax(format!("{char:?} right behind a number"), at))
        }
        _ => Ok(()),
    }
}
