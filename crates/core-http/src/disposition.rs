//! `Content-Disposition`: under which name a client shall keep what it gets (RFC 6266).

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in an extended parameter (RFC 8187, 3.2.1).
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header for a file: to be shown if `inline`, else to be kept.
pub fn of_file(name: Option<&str>, inline: bool) -> HeaderValue {
    let kind = if inline { "inline" } else { "attachment" };
    let bare = if inline {
        HeaderValue::from_static("inline")
    } else {
        HeaderValue::from_static("attachment")
    };
    let Some(name) = name else {
        return bare;
    };
    let mut text = format!("{kind}; filename=\"");
    for letter in name.chars() {
        match letter {
            '"' | '\\' => {
                text.push('\\');
                text.push(letter);
            }
            ' '..='~' => text.push(letter),
            _ => text.push('_'),
        }
    }
    text.push('"');
    // A percent sign in the plain form is taken for an escape by some clients.
    if !name.chars().all(|letter| matches!(letter, ' '..='~')) || name.contains('%') {
        text.push_str("; filename*=UTF-8''");
        text.extend(utf8_percent_encode(name, EXTENDED));
    }
    // All of it is printable ASCII by now.
    HeaderValue::try_from(text).unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_given_twice_where_ascii_is_not_enough() {
        for (name, inline, expected) in [
            (None, true, "inline"),
            (
                Some("report.pdf"),
                false,
                "attachment; filename=\"report.pdf\"",
            ),
            (Some("a b.txt"), true, "inline; filename=\"a b.txt\""),
            (
                Some("a\"b\\c"),
                false,
                "attachment; filename=\"a\\\"b\\\\c\"",
            ),
            (
                Some("été.txt"),
                false,
                "attachment; filename=\"_t_.txt\"; filename*=UTF-8''%C3%A9t%C3%A9.txt",
            ),
            (
                Some("5%.txt"),
                false,
                "attachment; filename=\"5%.txt\"; filename*=UTF-8''5%25.txt",
            ),
            (
                Some("a\r\nSet-Cookie: b"),
                false,
                "attachment; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b",
            ),
        ] {
            assert_eq!(of_file(name, inline), expected);
        }
    }
}
