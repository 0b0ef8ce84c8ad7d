//! Query strings: pairs as they stand in the URL, decoded one at a time.

use std::borrow::Cow;
use std::iter::FusedIterator;

use memchr::memchr;

use crate::percent::{DecodeError, decode_form, encode_form};

/// The pairs of a query string (without its `?`) or of an urlencoded body, in wire order.
///
/// Only `&` separates pairs. A pair without `=` has an empty value, an empty pair is passed over. Nothing is
/// allocated for names and values that hold neither `%` nor `+`.
pub fn parse(query: &str) -> Pairs<'_> {
    Pairs { rest: query }
}

/// Iterator over decoded pairs; see [`parse`].
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(Cow<'a, str>, Cow<'a, str>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let pair = match memchr(b'&', self.rest.as_bytes()) {
                Some(end) => {
                    let pair = &self.rest[..end];
                    self.rest = &self.rest[end + 1..];
                    pair
                }
                None => std::mem::take(&mut self.rest),
            };
            if !pair.is_empty() {
                return Some(decode_pair(pair));
            }
        }
    }
}

impl FusedIterator for Pairs<'_> {}

fn decode_pair(pair: &str) -> Result<(Cow<'_, str>, Cow<'_, str>), DecodeError> {
    let (name, value) = match memchr(b'=', pair.as_bytes()) {
        Some(equals) => (&pair[..equals], &pair[equals + 1..]),
        None => (pair, ""),
    };
    Ok((decode_form(name)?, decode_form(value)?))
}

/// Write pairs as a query string; [`parse`] gives them back.
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&encode_form(name.as_ref()));
        out.push('=');
        out.push_str(&encode_form(value.as_ref()));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        parse(query)
            .map(|pair| {
                pair.map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .unwrap()
            })
            .collect()
    }

    fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn pairs_come_in_wire_order() {
        assert_eq!(
            pairs("b=2&a=1&b=3"),
            owned(&[("b", "2"), ("a", "1"), ("b", "3")])
        );
    }

    #[test]
    fn only_the_first_equals_sign_splits() {
        assert_eq!(
            pairs("a=b=c&=x&="),
            owned(&[("a", "b=c"), ("", "x"), ("", "")])
        );
    }

    #[test]
    fn a_pair_without_value_is_empty_and_empty_pairs_are_skipped() {
        assert_eq!(pairs("&a&&b=&"), owned(&[("a", ""), ("b", "")]));
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("&&&"), []);
    }

    #[test]
    fn a_semicolon_does_not_split() {
        assert_eq!(pairs("a=1;b=2"), owned(&[("a", "1;b=2")]));
    }

    #[test]
    fn names_and_values_are_decoded() {
        assert_eq!(
            pairs("n%5Bx%5D=a+b&plus=%2B&e=%F0%9F%8E%89&nul=%00&bad=%zz"),
            owned(&[
                ("n[x]", "a b"),
                ("plus", "+"),
                ("e", "🎉"),
                ("nul", "\0"),
                ("bad", "%zz")
            ])
        );
    }

    #[test]
    fn invalid_utf8_is_an_error_of_its_pair_only() {
        let all: Vec<_> = parse("a=1&b=%FF&c=3").collect();
        assert_eq!(all[0], Ok(("a".into(), "1".into())));
        assert_eq!(all[1], Err(DecodeError::InvalidUtf8));
        assert_eq!(all[2], Ok(("c".into(), "3".into())));
    }

    #[test]
    fn plain_pairs_borrow() {
        let (name, value) = parse("skip=10").next().unwrap().unwrap();
        assert!(matches!(
            (name, value),
            (Cow::Borrowed("skip"), Cow::Borrowed("10"))
        ));
    }

    proptest! {
        #[test]
        fn encoded_pairs_come_back(expected in proptest::collection::vec((any::<String>(), any::<String>()), 0..8)) {
            let written = encode(expected.iter().map(|(name, value)| (name, value)));
            prop_assert_eq!(pairs(&written), expected);
        }

        #[test]
        fn any_text_is_walked_to_its_end(text in "[a-c%+&=;0-9é]{0,40}") {
            let expected = text.split('&').filter(|pair| !pair.is_empty()).count();
            prop_assert_eq!(parse(&text).count(), expected);
        }
    }
}
