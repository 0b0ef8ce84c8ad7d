//! Percent-encoding: one decoder for paths, queries and cookies, and the sets of bytes each place must encode.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// Encoded text that stands for nothing we can hand on; the answer is a 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("percent-encoded bytes are not valid UTF-8")]
    InvalidUtf8,
    #[error("null byte in a path")]
    NullByte,
}

impl DecodeError {
    /// A name that stays the same between releases.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidUtf8 => "invalid_utf8",
            Self::NullByte => "null_byte",
        }
    }
}

/// What a path segment must encode: everything that could end the segment or the path, and what is not printable ASCII.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Like a segment, but slashes stay: the value of a `:path` parameter.
const REST: &AsciiSet = &SEGMENT.remove(b'/');

/// What the URL standard leaves bare in `application/x-www-form-urlencoded` (the space is dealt with apart).
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// What RFC 6265 does not allow in a cookie's value, and the percent sign, since it is decoded on the way back.
const COOKIE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'\\');

/// Decode one path segment (or the rest a `:path` parameter took). A percent sign that starts no escape stays as it is.
pub fn decode_segment(segment: &str) -> Result<Cow<'_, str>, DecodeError> {
    let decoded = match memchr(b'%', segment.as_bytes()) {
        None => Cow::Borrowed(segment),
        Some(first) => decode_from(segment, first, false)?,
    };
    if memchr(0, decoded.as_bytes()).is_some() {
        Err(DecodeError::NullByte)
    } else {
        Ok(decoded)
    }
}

/// Whether every segment of a path decodes; what is refused here is a 400 before any route is looked for.
pub fn check_path(path: &str) -> Result<(), DecodeError> {
    if memchr2(b'%', 0, path.as_bytes()).is_none() {
        return Ok(());
    }
    path.split('/')
        .try_for_each(|segment| decode_segment(segment).map(drop))
}

/// Decode a name or a value of a query or an urlencoded form: `+` is a space. Null bytes pass.
pub fn decode_form(text: &str) -> Result<Cow<'_, str>, DecodeError> {
    match memchr2(b'%', b'+', text.as_bytes()) {
        None => Ok(Cow::Borrowed(text)),
        Some(first) => decode_from(text, first, true),
    }
}

/// Decode a text of which each percent sign starts an escape, or say that it is not such a text.
pub(crate) fn decode_strict(text: &str) -> Option<Cow<'_, str>> {
    let Some(first) = memchr(b'%', text.as_bytes()) else {
        return Some(Cow::Borrowed(text));
    };
    let bytes = text.as_bytes();
    let well_formed = memchr::memchr_iter(b'%', bytes).all(|at| escape(bytes, at).is_some());
    if well_formed {
        decode_from(text, first, false).ok()
    } else {
        None
    }
}

/// Encode a value for one path segment.
pub fn encode_segment(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, SEGMENT).into()
}

/// Encode the value of a `:path` parameter; its slashes stay.
pub fn encode_rest(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, REST).into()
}

/// Encode a name or a value for a query or an urlencoded form.
pub fn encode_form(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for (index, word) in value.split(' ').enumerate() {
        if index > 0 {
            out.push('+');
        }
        out.extend(utf8_percent_encode(word, FORM));
    }
    out
}

/// Encode a cookie's value.
pub(crate) fn encode_cookie(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, COOKIE).into()
}

/// The byte the escape at `at` stands for.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |offset: usize| {
        bytes
            .get(at + offset)
            .and_then(|&byte| char::from(byte).to_digit(16))
    };
    // Two hex digits are at most 255.
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

fn decode_from(text: &str, first: usize, plus_is_space: bool) -> Result<Cow<'_, str>, DecodeError> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut at = first;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' if plus_is_space => out.push(b' '),
            b'%' => match escape(bytes, at - 1) {
                Some(decoded) => {
                    out.push(decoded);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            _ => out.push(byte),
        }
    }
    String::from_utf8(out)
        .map(Cow::Owned)
        .map_err(|_| DecodeError::InvalidUtf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_segment_is_decoded_once() {
        assert_eq!(decode_segment("plain"), Ok(Cow::Borrowed("plain")));
        assert_eq!(decode_segment("a%2Fb%252F").as_deref(), Ok("a/b%2F"));
        assert_eq!(decode_segment("caf%C3%A9+x").as_deref(), Ok("café+x"));
    }

    #[test]
    fn a_stray_percent_sign_stays() {
        for text in ["%", "100%", "%z1", "%4", "%%41"] {
            let expected = if text == "%%41" { "%A" } else { text };
            assert_eq!(decode_segment(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bad_paths_are_refused() {
        assert_eq!(decode_segment("%FF"), Err(DecodeError::InvalidUtf8));
        assert_eq!(decode_segment("a%00"), Err(DecodeError::NullByte));
        assert_eq!(check_path("/a/%C3/%A9"), Err(DecodeError::InvalidUtf8));
        assert_eq!(check_path("/a/b%00c/d"), Err(DecodeError::NullByte));
        assert_eq!(check_path("/a/caf%C3%A9/"), Ok(()));
    }

    #[test]
    fn strict_decoding_wants_whole_escapes() {
        assert_eq!(decode_strict("a%20b").as_deref(), Some("a b"));
        assert_eq!(decode_strict("100%"), None);
        assert_eq!(decode_strict("%FF"), None);
    }

    proptest! {
        #[test]
        fn segments_round_trip(text in "[^\0]*") {
            let encoded = encode_segment(&text);
            prop_assert!(!encoded.contains('/'));
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(decode_segment(&encoded).unwrap(), text.as_str());
        }

        #[test]
        fn rests_round_trip(text in "[^\0]*") {
            let encoded = encode_rest(&text);
            prop_assert_eq!(decode_segment(&encoded).unwrap(), text.as_str());
        }

        #[test]
        fn form_values_round_trip(text in any::<String>()) {
            let encoded = encode_form(&text);
            prop_assert!(!encoded.contains(['&', '=', ' ', ';']));
            prop_assert_eq!(decode_form(&encoded).unwrap(), text);
        }

        #[test]
        fn decoding_never_panics(text in any::<String>(), bytes in proptest::collection::vec(prop_oneof![Just('%'), Just('+'), Just('4'), Just('f'), Just('é')], 0..20)) {
            let hostile: String = bytes.into_iter().collect();
            for text in [text, hostile] {
                let _ = (decode_segment(&text), decode_form(&text), decode_strict(&text), check_path(&text));
            }
        }
    }
}
