//! Media types: what a body's `Content-Type` means to us, and which type an `Accept` header prefers.

use std::borrow::Cow;
use std::cmp::Reverse;

use thiserror::Error;

use crate::quoted::{split_unquoted, unquote};

/// How a request body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaType<'a> {
    /// No `Content-Type`, or an empty one.
    Absent,
    /// `application/json` and `application/*+json`.
    Json,
    FormUrlencoded,
    /// `multipart/form-data`; without a boundary it cannot be read.
    Multipart {
        boundary: Option<Cow<'a, str>>,
    },
    MsgPack,
    /// `text/*`.
    Text,
    /// Any other type, and what is none.
    Other,
}

/// JSON in a character set other than UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unsupported charset '{charset}' for JSON")]
pub struct UnsupportedCharset {
    pub charset: String,
}

/// The kind of a `Content-Type`; pass the empty text when there is none. Malformed parameters are passed over.
pub fn classify(content_type: &str) -> MediaType<'_> {
    // Nearly every request spells it this way.
    if content_type == "application/json" {
        return MediaType::Json;
    }
    let essence = essence(content_type);
    if essence.is_empty() {
        return if content_type.trim().is_empty() {
            MediaType::Absent
        } else {
            MediaType::Other
        };
    }
    let Some((kind, subtype)) = essence
        .split_once('/')
        .filter(|(kind, subtype)| is_token(kind) && is_token(subtype))
    else {
        return MediaType::Other;
    };
    let is = |name: &str| subtype.eq_ignore_ascii_case(name);
    if kind.eq_ignore_ascii_case("application") {
        if is("json") || has_json_suffix(subtype) {
            MediaType::Json
        } else if is("x-www-form-urlencoded") {
            MediaType::FormUrlencoded
        } else if is("msgpack") || is("x-msgpack") {
            MediaType::MsgPack
        } else {
            MediaType::Other
        }
    } else if kind.eq_ignore_ascii_case("multipart") && is("form-data") {
        MediaType::Multipart {
            boundary: parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty()),
        }
    } else if kind.eq_ignore_ascii_case("text") {
        MediaType::Text
    } else {
        MediaType::Other
    }
}

/// The type and subtype without parameters.
pub fn essence(content_type: &str) -> &str {
    content_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim_matches([' ', '\t'])
}

/// The first parameter of that name, unquoted.
pub fn parameter<'a>(content_type: &'a str, name: &str) -> Option<Cow<'a, str>> {
    split_unquoted(content_type, ';')
        .skip(1)
        .find_map(|parameter| {
            let (own, value) = parameter.split_once('=')?;
            own.trim_end()
                .eq_ignore_ascii_case(name)
                .then(|| unquote(value.trim_start()))
        })
}

/// Whether a JSON body is in a character set that we read. Types other than JSON always pass.
pub fn check_charset(content_type: &str) -> Result<(), UnsupportedCharset> {
    if !content_type.contains(';') || classify(content_type) != MediaType::Json {
        return Ok(());
    }
    match parameter(content_type, "charset") {
        Some(charset)
            if !["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known)) =>
        {
            Err(UnsupportedCharset {
                charset: charset.into_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// The offer an `Accept` header prefers: by quality, then by how closely it is named, then in the order of the offers.
///
/// An empty header accepts everything. Parameters other than `q` are not compared.
pub fn best_match<'o>(accept: &str, offers: &[&'o str]) -> Option<&'o str> {
    let ranges: Vec<Range<'_>> = split_unquoted(accept, ',')
        .filter_map(Range::parse)
        .collect();
    if ranges.is_empty() && accept.trim_matches([' ', '\t', ',']).is_empty() {
        return offers.first().copied();
    }
    offers
        .iter()
        .filter_map(|offer| {
            // The closest range decides, also when it refuses.
            let closest = ranges
                .iter()
                .filter(|range| range.covers(offer))
                .max_by_key(|range| range.closeness())?;
            (closest.quality > 0).then_some((closest, *offer))
        })
        .min_by_key(|(range, _)| Reverse((range.quality, range.closeness())))
        .map(|(_, offer)| offer)
}

/// One element of an `Accept` header.
#[derive(Debug)]
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (kind, subtype) = essence(text).split_once('/')?;
        let well_formed = is_token(kind) && is_token(subtype) && (kind != "*" || subtype == "*");
        let quality = match parameter(text, "q") {
            Some(quality) => thousandths(&quality)?,
            None => 1000,
        };
        well_formed.then_some(Self {
            kind,
            subtype,
            quality,
        })
    }

    fn covers(&self, offer: &str) -> bool {
        essence(offer)
            .split_once('/')
            .is_some_and(|(kind, subtype)| {
                (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind))
                    && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype))
            })
    }

    fn closeness(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

/// A quality value: `0`, `1` or a fraction of up to three digits.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

fn has_json_suffix(subtype: &str) -> bool {
    let bytes = subtype.as_bytes();
    bytes.len() > 5 && bytes[bytes.len() - 5..].eq_ignore_ascii_case(b"+json")
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn multipart(boundary: &str) -> MediaType<'_> {
        MediaType::Multipart {
            boundary: Some(Cow::Borrowed(boundary)),
        }
    }

    #[test]
    fn content_types_are_told_apart() {
        let cases = [
            ("", MediaType::Absent),
            ("  ", MediaType::Absent),
            ("application/json", MediaType::Json),
            ("Application/JSON; charset=UTF-8", MediaType::Json),
            ("application/json ;", MediaType::Json),
            ("application/vnd.api+json", MediaType::Json),
            ("application/problem+JSON; x=\"a;b\"", MediaType::Json),
            ("application/+json", MediaType::Other),
            ("model/gltf+json", MediaType::Other),
            (
                "application/x-www-form-urlencoded; charset=utf-8",
                MediaType::FormUrlencoded,
            ),
            ("application/msgpack", MediaType::MsgPack),
            ("application/x-msgpack", MediaType::MsgPack),
            ("text/plain; charset=utf-8", MediaType::Text),
            ("TEXT/csv", MediaType::Text),
            ("multipart/form-data; boundary=abc", multipart("abc")),
            (
                "Multipart/Form-Data; a=b; BOUNDARY=\"a b;c\"",
                multipart("a b;c"),
            ),
            (
                "multipart/form-data",
                MediaType::Multipart { boundary: None },
            ),
            (
                "multipart/form-data; boundary=",
                MediaType::Multipart { boundary: None },
            ),
            (
                "multipart/form-data; boundary",
                MediaType::Multipart { boundary: None },
            ),
            ("multipart/mixed; boundary=abc", MediaType::Other),
            ("image/png", MediaType::Other),
            ("json", MediaType::Other),
            ("application/", MediaType::Other),
            ("/json", MediaType::Other),
            ("application/json/x", MediaType::Other),
            ("application/js on", MediaType::Other),
            (";charset=utf-8", MediaType::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(classify(text), expected, "{text:?}");
        }
    }

    #[test]
    fn json_is_utf8() {
        let good = [
            "",
            "application/json",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/vnd.api+json; charset=us-ascii",
            "application/json; charset",
            "text/plain; charset=utf-16",
        ];
        for text in good {
            assert_eq!(check_charset(text), Ok(()), "{text:?}");
        }
        for text in [
            "application/json; charset=utf-16",
            "application/x+json; a=b; Charset=\"utf-16\"",
        ] {
            assert_eq!(check_charset(text).unwrap_err().charset, "utf-16");
        }
    }

    #[test]
    fn the_preferred_offer_is_found() {
        let offers = ["application/json", "text/html; charset=utf-8", "text/plain"];
        let cases = [
            ("", Some("application/json")),
            ("*/*", Some("application/json")),
            ("text/html", Some("text/html; charset=utf-8")),
            ("TEXT/PLAIN, */*;q=0.1", Some("text/plain")),
            ("text/*", Some("text/html; charset=utf-8")),
            ("text/*, text/html;q=0", Some("text/plain")),
            (
                "application/json;q=0.5, text/plain;q=0.501",
                Some("text/plain"),
            ),
            ("*/*, text/plain", Some("text/plain")),
            (
                "application/*;q=0.9;x=y, text/html; Q=0.9",
                Some("text/html; charset=utf-8"),
            ),
            ("image/png", None),
            ("*/*;q=0", None),
            ("*/*;q=0.000, text/plain;q=0.001", Some("text/plain")),
            ("nonsense", None),
            ("text/html;q=2, text/plain;q=0.1", Some("text/plain")),
            ("*/html, text/plain", Some("text/plain")),
        ];
        for (accept, expected) in cases {
            assert_eq!(best_match(accept, &offers), expected, "{accept:?}");
        }
        assert_eq!(best_match("*/*", &[]), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>(), dense in "[a-z/*;=,\"\\\\ q.01+é]{0,40}") {
            for text in [text, dense] {
                let _ = (classify(&text), check_charset(&text), best_match(&text, &["text/plain", "", "a/b"]));
            }
        }

        #[test]
        fn a_boundary_comes_back(boundary in "[0-9A-Za-z'()+_,./:=? -]{1,70}") {
            let quoted = format!("multipart/form-data; boundary=\"{boundary}\"; x=1");
            prop_assert_eq!(classify(&quoted), multipart(&boundary));
        }

        #[test]
        fn qualities_are_read_exactly(quality in 0u16..=1000) {
            let text = format!("{}.{:03}", quality / 1000, quality % 1000);
            prop_assert_eq!(thousandths(&text), Some(quality));
            prop_assert_eq!(thousandths(text.trim_end_matches('0').trim_end_matches('.')).or(Some(0)), Some(quality));
        }
    }
}
