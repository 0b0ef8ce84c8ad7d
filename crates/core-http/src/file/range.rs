//! `Range`: which parts of a file are asked for (RFC 9110, 14).

/// More parts than this are not served.
const MOST: usize = 8;

/// Some bytes of a file, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) length: u64,
}

impl Span {
    /// The last byte's position.
    pub(super) fn last(self) -> u64 {
        self.start + self.length - 1
    }
}

/// What a `Range` comes to for a file of a known size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ranges {
    /// The header is of a unit we don't know, or asks for more than there is: send the file.
    Whole,
    /// These parts, in this order.
    Parts(Vec<Span>),
    /// Nothing can be sent for it.
    Unsatisfiable,
}

/// Reads the header for a file of so many bytes.
pub(super) fn parse(text: &str, size: u64) -> Ranges {
    let Some((unit, listed)) = text.split_once('=') else {
        return Ranges::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ranges::Whole;
    }
    let mut parts = Vec::new();
    let mut asked = 0;
    for member in listed
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']))
    {
        if member.is_empty() {
            continue;
        }
        asked += 1;
        let Some(wanted) = Wanted::parse(member) else {
            return Ranges::Unsatisfiable;
        };
        if asked > MOST {
            return Ranges::Unsatisfiable;
        }
        parts.extend(wanted.within(size));
    }
    let total = parts
        .iter()
        .try_fold(0, |sum: u64, part| sum.checked_add(part.length));
    match parts.len() {
        0 => Ranges::Unsatisfiable,
        // Overlapping parts that come to more than the whole are a waste, if not an attack.
        2.. if total.is_none_or(|total| total > size) => Ranges::Whole,
        _ => Ranges::Parts(parts),
    }
}

/// One member of the list.
enum Wanted {
    FromTo(u64, u64),
    From(u64),
    Last(u64),
}

impl Wanted {
    fn parse(member: &str) -> Option<Self> {
        let (first, last) = member.split_once('-')?;
        Some(match (first, last) {
            ("", length) => Self::Last(number(length)?),
            (first, "") => Self::From(number(first)?),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return None;
                }
                Self::FromTo(first, last)
            }
        })
    }

    fn within(self, size: u64) -> Option<Span> {
        let (start, end) = match self {
            Self::FromTo(first, last) => (first, last.saturating_add(1).min(size)),
            Self::From(first) => (first, size),
            Self::Last(length) => (size.saturating_sub(length), size),
        };
        (start < end).then(|| Span {
            start,
            length: end - start,
        })
    }
}

/// Digits only; what is beyond all files counts as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str, size: u64) -> Vec<(u64, u64)> {
        match parse(text, size) {
            Ranges::Parts(parts) => parts.iter().map(|part| (part.start, part.last())).collect(),
            other => panic!("{text} of {size} is {other:?}"),
        }
    }

    #[test]
    fn parts_within_the_file() {
        assert_eq!(parts("bytes=0-0", 10), [(0, 0)]);
        assert_eq!(parts("bytes=0-9", 10), [(0, 9)]);
        assert_eq!(parts("bytes=3-", 10), [(3, 9)]);
        assert_eq!(parts("bytes=-3", 10), [(7, 9)]);
        assert_eq!(parts("BYTES=0-1", 10), [(0, 1)]);
        assert_eq!(parts("bytes= 0-1 , 3-4 ,", 10), [(0, 1), (3, 4)]);
        assert_eq!(parts("bytes=8-9,0-1", 10), [(8, 9), (0, 1)]);
    }

    #[test]
    fn parts_that_reach_beyond_are_cut() {
        assert_eq!(parts("bytes=8-99", 10), [(8, 9)]);
        assert_eq!(parts("bytes=-99", 10), [(0, 9)]);
        assert_eq!(parts("bytes=0-99999999999999999999999999", 10), [(0, 9)]);
        assert_eq!(parts("bytes=0-1,20-30", 10), [(0, 1)]);
    }

    #[test]
    fn what_is_bad_cannot_be_satisfied() {
        for text in [
            "bytes=10-",
            "bytes=10-20",
            "bytes=-0",
            "bytes=",
            "bytes=,",
            "bytes=a-b",
            "bytes=0",
            "bytes=--1",
            "bytes=5-2",
            "bytes=0-1,x",
            "bytes=+1-2",
            "bytes=0 -1",
            "bytes=99999999999999999999999999-",
            "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8",
        ] {
            assert_eq!(parse(text, 10), Ranges::Unsatisfiable, "{text}");
        }
        for text in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(parse(text, 0), Ranges::Unsatisfiable, "{text}");
        }
    }

    #[test]
    fn the_whole_file_is_sent_for_other_units_and_for_too_much() {
        for text in [
            "items=0-1",
            "nonsense",
            "",
            "bytes 0-1",
            "bytes=0-,0-",
            "bytes=0-5,4-9",
        ] {
            assert_eq!(parse(text, 10), Ranges::Whole, "{text}");
        }
    }

    #[test]
    fn eight_parts_are_served() {
        let listed = (0..8)
            .map(|at| format!("{0}-{0}", at * 2))
            .collect::<Vec<_>>();
        assert_eq!(parts(&format!("bytes={}", listed.join(",")), 100).len(), 8);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,60}", size: u64) {
            let _ = parse(&text, size);
        }

        #[test]
        fn parts_are_within_the_file_and_not_more_than_it(
            listed in proptest::collection::vec(
                (proptest::option::of(0u64..40), proptest::option::of(0u64..40)), 1..10,
            ),
            size in 0u64..30,
        ) {
            let shown = |bound: Option<u64>| bound.map_or_else(String::new, |n| n.to_string());
            let text = listed
                .iter()
                .map(|&(first, last)| format!("{}-{}", shown(first), shown(last)))
                .collect::<Vec<_>>()
                .join(", ");
            if let Ranges::Parts(parts) = parse(&format!("bytes={text}"), size) {
                prop_assert!(!parts.is_empty() && parts.len() <= MOST);
                for part in &parts {
                    prop_assert!(part.length > 0 && part.last() < size);
                }
                let total: u64 = parts.iter().map(|part| part.length).sum();
                prop_assert!(total <= size);
            }
        }

        #[test]
        fn a_single_part_is_the_one_a_slice_would_give(first in 0usize..40, last in 0usize..40) {
            let bytes: Vec<usize> = (0..20).collect();
            let expected = bytes.get(first..(last + 1).min(bytes.len())).filter(|part| !part.is_empty());
            let given = match parse(&format!("bytes={first}-{last}"), 20) {
                Ranges::Parts(parts) => {
                    let start = parts[0].start as usize;
                    Some(&bytes[start..start + parts[0].length as usize])
                }
                _ => None,
            };
            prop_assert_eq!(given, expected);
        }
    }
}
