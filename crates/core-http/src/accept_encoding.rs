//! `Accept-Encoding`: which codings a client takes, and how much it likes each (RFC 9110, 12.5.3).

use http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};

use crate::coding::Coding;

/// The weights of an `Accept-Encoding`, in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptEncoding {
    named: [Option<u16>; Coding::ALL.len()],
    identity: Option<u16>,
    any: Option<u16>,
}

impl AcceptEncoding {
    /// Reads the header's text. Members that are malformed are passed over.
    pub fn parse(text: &str) -> Self {
        let mut accept = Self::default();
        for member in text.split(',') {
            let Some((token, weight)) = member_of(member) else {
                continue;
            };
            let slot = if token == "*" {
                &mut accept.any
            } else if token.eq_ignore_ascii_case("identity") {
                &mut accept.identity
            } else if let Some(coding) = Coding::from_token(token) {
                &mut accept.named[coding as usize]
            } else {
                continue;
            };
            // Named twice, the better weight counts.
            *slot = Some(slot.map_or(weight, |known| known.max(weight)));
        }
        accept
    }

    /// The coding to use of those on offer, the dearest to us first; none where the body had better stay as it is.
    pub fn choose(&self, offered: &[Coding]) -> Option<Coding> {
        // A body that is not coded is always acceptable, so it only counts as a wish when the client names it.
        let mut best = (self.identity.unwrap_or(0), None);
        for &coding in offered {
            let weight = self.named[coding as usize].or(self.any).unwrap_or(0);
            let is_better = match best {
                (least, None) => weight > 0 && weight >= least,
                (least, Some(_)) => weight > least,
            };
            if is_better {
                best = (weight, Some(coding));
            }
        }
        best.1
    }
}

/// The header as one value: several lines are one list.
pub fn joined(headers: &HeaderMap) -> Option<HeaderValue> {
    let first = headers.get(ACCEPT_ENCODING)?;
    let mut others = headers.get_all(ACCEPT_ENCODING).iter().skip(1).peekable();
    if others.peek().is_none() {
        return Some(first.clone());
    }
    let mut text = first.as_bytes().to_vec();
    for other in others {
        text.extend_from_slice(b", ");
        text.extend_from_slice(other.as_bytes());
    }
    HeaderValue::from_bytes(&text).ok()
}

/// A member's name and weight.
fn member_of(member: &str) -> Option<(&str, u16)> {
    let mut parts = member.split(';').map(|part| part.trim_matches([' ', '\t']));
    let token = parts.next().filter(|token| !token.is_empty())?;
    let mut weight = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if !name.eq_ignore_ascii_case("q") {
            return None;
        }
        weight = weight_of(value)?;
    }
    Some((token, weight))
}

/// `0`, `0.5`, `1.000`: at most three digits, at most one.
fn weight_of(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(text: &str) -> Option<&'static str> {
        AcceptEncoding::parse(text)
            .choose(&Coding::ALL)
            .map(Coding::token)
    }

    #[test]
    fn the_highest_weight_wins_and_ties_go_by_our_order() {
        for (text, expected) in [
            ("gzip", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("gzip, deflate, br", Some("br")),
            ("gzip, br, zstd", Some("zstd")),
            ("gzip;q=1.0, br;q=0.9, zstd;q=0.8", Some("gzip")),
            ("br;q=0.5,gzip;q=0.501", Some("gzip")),
            ("br ; q=0.5 , gzip ; Q=0.5", Some("br")),
            ("*", Some("zstd")),
            ("*;q=0.1", Some("zstd")),
            ("zstd;q=0, *", Some("br")),
            ("gzip;q=0.5, *;q=0", Some("gzip")),
        ] {
            assert_eq!(chosen(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_refused_or_unknown_is_not_chosen() {
        for text in [
            "",
            "deflate",
            "gzip;q=0",
            "gzip;q=0.000",
            "*;q=0",
            "identity",
            "identity;q=0",
            "identity;q=0, gzip;q=0",
            "identity, gzip;q=0.5",
            ",,;",
        ] {
            assert_eq!(chosen(text), None, "{text}");
        }
    }

    #[test]
    fn the_body_as_it_is_yields_to_a_coding_of_the_same_weight() {
        assert_eq!(chosen("identity;q=0.5, gzip;q=0.5"), Some("gzip"));
        assert_eq!(chosen("identity;q=0, gzip;q=0.1"), Some("gzip"));
    }

    #[test]
    fn malformed_members_are_passed_over() {
        for text in [
            "gzip;q=",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=-1",
            "gzip;level=9",
            "gzip;q",
            "gzip;q=0.5x",
        ] {
            assert_eq!(chosen(text), None, "{text}");
            assert_eq!(chosen(&format!("{text}, br")), Some("br"), "{text}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        assert_eq!(joined(&headers), None);
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.1"));
        assert_eq!(
            joined(&headers),
            Some(HeaderValue::from_static("gzip;q=0.1"))
        );
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        assert_eq!(
            joined(&headers),
            Some(HeaderValue::from_static("gzip;q=0.1, br"))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,60}") {
            let _ = chosen(&text);
        }

        #[test]
        fn a_written_header_is_understood(
            weights in proptest::collection::vec((0usize..5, 0u16..=1000), 0..6),
        ) {
            let names = ["zstd", "br", "gzip", "identity", "*"];
            let text = weights
                .iter()
                .map(|&(name, weight)| {
                    format!("{}; q={}.{:03}", names[name], weight / 1000, weight % 1000)
                })
                .collect::<Vec<_>>()
                .join(",");
            let weight = |name: usize| {
                weights.iter().filter(|(other, _)| *other == name).map(|(_, weight)| *weight).max()
            };
            let given = AcceptEncoding::parse(&text).choose(&Coding::ALL);
            let of = |index: usize| weight(index).or(weight(4)).unwrap_or(0);
            let best = (0..3).map(of).max().unwrap_or(0);
            let expected = (best > 0 && best >= weight(3).unwrap_or(0))
                .then(|| (0..3).find(|&index| of(index) == best).map(|index| Coding::ALL[index]))
                .flatten();
            prop_assert_eq!(given, expected, "{}", text);
        }
    }
}
