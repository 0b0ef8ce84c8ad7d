//! Entity tags: what marks one state of a resource (RFC 9110, 8.8.3).

use std::time::{SystemTime, UNIX_EPOCH};

/// A tag as it is written, quotes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntityTag<'a> {
    is_weak: bool,
    opaque: &'a str,
}

impl<'a> EntityTag<'a> {
    /// The tag at the beginning of a text, and what follows it.
    fn split_first(text: &'a str) -> Option<(Self, &'a str)> {
        let (is_weak, quoted) = match text.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let inner = quoted.strip_prefix('"')?;
        let length = inner.find('"')?;
        let (opaque, rest) = quoted.split_at(length + 2);
        Some((Self { is_weak, opaque }, rest))
    }

    /// A single tag.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        Self::split_first(text.trim())
            .filter(|(_, rest)| rest.is_empty())
            .map(|(tag, _)| tag)
    }

    /// Whether both mark the very same bytes.
    pub(super) fn is_same(self, other: Self) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// Whether both mark content that is as good as the same.
    pub(super) fn is_alike(self, other: Self) -> bool {
        self.opaque == other.opaque
    }
}

/// The tags of an `If-Match` or `If-None-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tags<'a> {
    Any,
    Listed(&'a str),
}

impl<'a> Tags<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        match text.trim() {
            "*" => Self::Any,
            listed => Self::Listed(listed),
        }
    }

    /// Whether one of the tags fits. The list ends where it stops being one.
    pub(super) fn any(self, fits: impl Fn(EntityTag<'a>) -> bool) -> bool {
        let Self::Listed(mut rest) = self else {
            return true;
        };
        while let Some((tag, behind)) = EntityTag::split_first(rest) {
            if fits(tag) {
                return true;
            }
            rest = behind.trim_start_matches([' ', '\t', ',']);
        }
        false
    }
}

/// The tag of a file in this state: weak, since it does not look at the bytes.
pub(super) fn of_file(size: u64, modified: SystemTime) -> String {
    let stamp = modified
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    format!("W/\"{size:x}-{stamp:x}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> EntityTag<'_> {
        EntityTag::parse(text).expect("a tag")
    }

    #[test]
    fn weak_tags_are_never_the_same_but_may_be_alike() {
        assert!(tag("\"a\"").is_same(tag("\"a\"")));
        assert!(!tag("W/\"a\"").is_same(tag("W/\"a\"")));
        assert!(!tag("\"a\"").is_same(tag("W/\"a\"")));
        assert!(tag("\"a\"").is_alike(tag("W/\"a\"")));
        assert!(!tag("\"a\"").is_alike(tag("\"b\"")));
    }

    #[test]
    fn what_is_no_tag_is_none() {
        for text in [
            "",
            "a",
            "\"a",
            "w/\"a\"",
            "\"a\" ",
            " \"a\"b",
            "\"a\", \"b\"",
        ] {
            let expected = text.trim() == "\"a\"";
            assert_eq!(EntityTag::parse(text).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_list_is_searched_to_its_end() {
        let has = |list, one: &str| Tags::parse(list).any(|known| known.is_alike(tag(one)));
        let list = "\"a\", W/\"b,c\",\t\"d\" ,, \"e\"";
        for one in ["\"a\"", "\"b,c\"", "\"d\"", "\"e\""] {
            assert!(has(list, one), "{one}");
        }
        assert!(!has(list, "\"b\""));
        assert!(has(" * ", "\"a\""));
        assert!(!has("", "\"a\""));
        assert!(!has("broken, \"a\"", "\"a\""));
    }
}
