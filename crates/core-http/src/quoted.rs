//! Quoted strings in header values: lists and parameters are split outside of them only.

use std::borrow::Cow;

/// The parts of a header value between separators that stand outside quotes, trimmed; empty ones too.
pub fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        let (part, behind) = match find_unquoted(current, separator) {
            Some(at) => (&current[..at], Some(&current[at + separator.len_utf8()..])),
            None => (current, None),
        };
        rest = behind;
        Some(part.trim_matches([' ', '\t']))
    })
}

/// The text of a quoted string, or the text itself when it is not one.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        // A backslash at the very end escapes nothing and goes away.
        out.extend(if letter == '\\' {
            letters.next()
        } else {
            Some(letter)
        });
    }
    Cow::Owned(out)
}

fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let mut is_quoted = false;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => {
                letters.next();
            }
            _ if letter == wanted && !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        split_unquoted(text, ',').collect()
    }

    #[test]
    fn separators_inside_quotes_do_not_split() {
        assert_eq!(parts(r#"a, "b,c" ,d"#), ["a", r#""b,c""#, "d"]);
        assert_eq!(parts(r#""a\",b",c"#), [r#""a\",b""#, "c"]);
        assert_eq!(parts(r#"a,"open,b"#), ["a", r#""open,b"#]);
        assert_eq!(parts(",a,"), ["", "a", ""]);
        assert_eq!(parts(""), [""]);
    }

    #[test]
    fn quotes_and_escapes_are_taken_away() {
        for (text, expected) in [
            ("x", "x"),
            (r#""x y""#, "x y"),
            (r#""a\"b\\""#, r#"a"b\"#),
            ("\"", "\""),
            ("\"\"", ""),
            (r#""a\""#, "a"),
        ] {
            assert_eq!(unquote(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn quoting_is_undone(text in any::<String>()) {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(parts(&quoted), [quoted.as_str()]);
            prop_assert_eq!(unquote(&quoted), text);
        }
    }
}
