use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::{Regex, RegexBuilder};

/// What a compiled pattern may take, in bytes.
const SIZE: usize = 1 << 20;
/// How many patterns that come up while expressions run are kept.
const KEPT: usize = 64;

/// Compiles a pattern written for Python's `re`, for an engine whose time grows with the text alone.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&translate(pattern))
        .size_limit(SIZE)
        .build()
        .map_err(|error| {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it becomes too large".to_owned(),
                other => other
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .replace("error: ", ""),
            };
            format!("the pattern {pattern:?} cannot be used: {reason}")
        })
}

/// Compiles a pattern unless this thread has done so lately.
pub(crate) fn cached(pattern: &str) -> Result<Rc<Regex>, String> {
    thread_local! {
        static PATTERNS: RefCell<HashMap<String, Rc<Regex>>> = RefCell::default();
    }
    PATTERNS.with_borrow_mut(|patterns| {
        if let Some(found) = patterns.get(pattern) {
            return Ok(found.clone());
        }
        let compiled = Rc::new(compile(pattern)?);
        if patterns.len() >= KEPT {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), compiled.clone());
        Ok(compiled)
    })
}

/// What means something else in Python: `$` is before a last line break as well, `\Z` the very end, `\b` in a class a
/// backspace; a brace that counts nothing stands for itself, and `{,3}` counts from nought.
fn translate(pattern: &str) -> String {
    let lines = pattern.starts_with("(?")
        && pattern.split_once(')').is_some_and(|(flags, _)| {
            flags[2..].chars().all(|flag| flag.is_ascii_alphabetic()) && flags.contains('m')
        });
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut class = false;
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('Z') if !class => out.push_str("\\z"),
                Some('b') if class => out.push_str("\\x08"),
                Some(next @ ('p' | 'P' | 'x' | 'u')) if chars.peek() == Some(&'{') => {
                    // Its braces are no count.
                    out.extend(['\\', next]);
                    out.extend(chars.next());
                }
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '[' if !class => {
                class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                // First in its class it stands for itself.
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            '[' => out.push_str("\\["),
            '&' | '~' | '-' if class && chars.peek() == Some(&char) => {
                // Doubled they are operators of sets here, and nothing special there.
                chars.next();
                out.extend(['\\', char, '\\', char]);
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '{' if !class => match count(chars.clone()) {
                Some(most) => out.push_str(if most { "{0" } else { "{" }),
                None => out.push_str("\\{"),
            },
            '$' if !class && !lines => out.push_str("(?:\\n?\\z)"),
            _ => out.push(char),
        }
    }
    out
}

/// Whether what follows a brace is a count as in `{2}` or `{2,3}`; and if so, whether it names only the most, as in `{,3}`.
fn count(rest: impl Iterator<Item = char>) -> Option<bool> {
    let inside: String = rest
        .take_while(|char| *char == ',' || char.is_ascii_digit() || *char == '}')
        .collect();
    let (inside, _) = inside.split_once('}')?;
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let is_count = !inside.is_empty() && !most.contains(',');
    is_count.then_some(least.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_python() {
        let matches =
            |pattern: &str, text: &str| compile(pattern).is_ok_and(|found| found.is_match(text));
        assert!(matches("a$", "a\n"));
        assert!(!matches(r"a\Z", "a\n"));
        assert!(matches("(?m)^a$", "b\na\nc"));
        assert!(matches("[]$]x", "$x"));
        assert!(matches("[a&&b]", "&"));
        assert!(matches("[[a]", "["));
        assert!(matches("^(?P<year>[0-9]{4})-", "2026-11"));
        assert!(matches("é+", "café"));
        assert!(matches("^a{,2}$", "aa") && !matches("^a{,2}$", "aaa"));
        assert!(matches("^a{2,}b{1}$", "aaab"));
        assert!(matches(r#"^{"id": {\d+}}$"#, r#"{"id": {7}}"#));
        assert!(matches("a{x}", "a{x}") && matches("a{", "a{") && matches("a{}", "a{}"));
        assert!(matches("^a{,}$", "aaa"));
        assert!(matches(r"^[\b]$", "\u{8}"));
    }

    #[test]
    fn what_can_backtrack_is_refused_and_so_is_what_grows() {
        for pattern in [
            r"(a)\1",
            "a(?=b)",
            "(?<!a)b",
            "(",
            "((((a{100}){100}){100}){100})",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
