//! Statements of scripts: assignments, and the names of actions.

use std::sync::Arc;

use super::chart::Language;
use super::code::Code;
use super::ecma::closing;
use super::location::{Location, is_name};

#[derive(Debug)]
pub(super) struct Script {
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug)]
pub(super) enum Statement {
    Assign {
        location: Location,
        value: Code,
    },
    /// An expression for nothing but its errors.
    Evaluate(Code),
    /// A name by itself: an action of the host's, where it is no variable.
    Name(Arc<str>),
}

impl Script {
    pub(super) fn compile(language: Language, text: &str) -> Self {
        let statements = split(text)
            .into_iter()
            .map(|statement| compile(language, &statement))
            .collect();
        Self { statements }
    }

    /// What can't be compiled.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> + '_ {
        self.statements
            .iter()
            .filter_map(|statement| match statement {
                Statement::Assign { location, value } => location
                    .fault()
                    .or_else(|| value.fault())
                    .map(ToOwned::to_owned),
                Statement::Evaluate(code) => code.fault().map(|fault| {
                    format!(
                        "'{}' is no statement that scripts have: {fault}",
                        code.source()
                    )
                }),
                Statement::Name(_) => None,
            })
    }
}

fn compile(language: Language, statement: &str) -> Statement {
    let body = ["var ", "let ", "const "]
        .iter()
        .find_map(|word| statement.strip_prefix(word))
        .map_or(statement, str::trim_start);
    if body.len() < statement.len() && is_name(body) {
        return Statement::Assign {
            location: Location::compile(language, body),
            value: Code::compile(
                language,
                if language == Language::Ecma {
                    "undefined"
                } else {
                    "None"
                },
            ),
        };
    }
    if is_name(body) {
        return Statement::Name(body.into());
    }
    for (suffix, sign) in [("++", '+'), ("--", '-')] {
        if let Some(place) = body.strip_suffix(suffix) {
            return Statement::Assign {
                location: Location::compile(language, place),
                value: Code::compile(language, &format!("{place} {sign} 1")),
            };
        }
    }
    match assignment(body) {
        Some((place, "", value)) => Statement::Assign {
            location: Location::compile(language, place),
            value: Code::compile(language, value),
        },
        Some((place, operator, value)) => Statement::Assign {
            location: Location::compile(language, place),
            value: Code::compile(language, &format!("({place}) {operator} ({value})")),
        },
        None => Statement::Evaluate(Code::compile(language, body)),
    }
}

/// The two sides of an assignment and the operator that stands before its sign.
fn assignment(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' | b'{' | b'"' | b'\'' | b'`' => at += closing(&text[at..])?,
            b'=' if bytes.get(at + 1) == Some(&b'=') => return None,
            b'=' if at > 0 && matches!(bytes[at - 1], b'!' | b'<' | b'>' | b'=') => return None,
            b'=' => {
                let left = &text[..at];
                let place = left.trim_end_matches(['+', '-', '*', '/', '%', '|', '&', '^']);
                return Some((place.trim(), &left[place.len()..], text[at + 1..].trim()));
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Statements end with semicolons and lines; brackets and texts hold them together.
fn split(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut current = String::new();
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let taken = if rest.starts_with("//") || char == '#' {
            let end = rest.find('\n').unwrap_or(rest.len());
            rest = &rest[end..];
            continue;
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
            rest = &rest[end..];
            continue;
        } else if matches!(char, '(' | '[' | '{' | '"' | '\'' | '`') {
            closing(rest).map_or(rest.len(), |end| end + 1)
        } else {
            char.len_utf8()
        };
        let line = current.trim_end();
        let goes_on = line.ends_with(['=', '+', '-', '*', '/', ',', '?', ':', '&', '|', '\\'])
            && !line.ends_with("++")
            && !line.ends_with("--");
        let ends = char == ';' || (char == '\n' && !goes_on);
        if ends {
            statements.push(std::mem::take(&mut current));
        } else {
            current.push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    statements.push(current);
    statements
        .into_iter()
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_cut_where_nothing_holds_them() {
        assert_eq!(
            split("a = 1; b = [1,\n 2]\nc = 'x;y' // note\nd +=\n 2"),
            ["a = 1", "b = [1,\n 2]", "c = 'x;y'", "d +=\n 2"]
        );
    }

    #[test]
    fn an_assignment_has_two_sides() {
        assert_eq!(assignment("a == 1"), None);
        assert_eq!(assignment("a['='] = 1"), Some(("a['=']", "", "1")));
        assert_eq!(assignment("a += 1 == 2"), Some(("a", "+", "1 == 2")));
        assert_eq!(assignment("a >= 1"), None);
    }
}
