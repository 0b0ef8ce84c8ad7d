//! W3C Trace Context: the `traceparent` header.

/// The trace a request is part of, borrowed from its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent<'h> {
    /// The whole header.
    pub text: &'h str,
    /// 32 hexadecimal digits.
    pub trace_id: &'h str,
    /// 16 hexadecimal digits: the caller's span.
    pub span_id: &'h str,
    /// Whether the caller records the trace.
    pub is_sampled: bool,
}

/// Version, trace, span and flags with their dashes.
const LENGTH: usize = 55;

impl<'h> TraceParent<'h> {
    /// Reads a header; nothing if it is malformed, which is to be treated as if it were not there.
    pub fn parse(text: &'h str) -> Option<Self> {
        let bytes = text.as_bytes();
        let known = bytes.get(..LENGTH)?;
        let version = &known[..2];
        let has_more = match bytes.get(LENGTH) {
            None => false,
            // Versions to come may add fields behind a further dash; this one may not.
            Some(b'-') => true,
            Some(_) => return None,
        };
        if version == b"ff" || (has_more && version == b"00") {
            return None;
        }
        for (at, byte) in known.iter().enumerate() {
            let fits = match at {
                2 | 35 | 52 => *byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            };
            if !fits {
                return None;
            }
        }
        // All ASCII up to here, so the text can be cut anywhere.
        let (trace_id, span_id) = (&text[3..35], &text[36..52]);
        let is_zero = |digits: &str| digits.bytes().all(|digit| digit == b'0');
        if is_zero(trace_id) || is_zero(span_id) {
            return None;
        }
        let flags = u8::from_str_radix(&text[53..LENGTH], 16).ok()?;
        Some(Self {
            text,
            trace_id,
            span_id,
            is_sampled: flags & 1 == 1,
        })
    }

    /// The trace of a request with these headers.
    pub fn of(headers: &'h http::HeaderMap) -> Option<Self> {
        let mut values = headers.get_all("traceparent").iter();
        let first = values.next()?.to_str().ok()?;
        // More than one says nothing certain.
        if values.next().is_some() {
            return None;
        }
        Self::parse(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_parts_are_told_apart() {
        let parent = TraceParent::parse(GOOD).expect("a parent");
        assert_eq!(parent.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(parent.span_id, "00f067aa0ba902b7");
        assert!(parent.is_sampled);
        let unsampled = GOOD.replace("-01", "-02");
        assert!(!TraceParent::parse(&unsampled).expect("a parent").is_sampled);
    }

    #[test]
    fn versions_to_come_may_say_more() {
        let later = GOOD.replacen("00", "cc", 1);
        assert!(TraceParent::parse(&later).is_some());
        assert!(TraceParent::parse(&format!("{later}-more")).is_some());
        assert!(TraceParent::parse(&format!("{later}.more")).is_none());
        assert!(TraceParent::parse(&format!("{GOOD}-more")).is_none());
        assert!(TraceParent::parse(&GOOD.replacen("00", "ff", 1)).is_none());
    }

    #[test]
    fn what_is_malformed_is_not_there() {
        for bad in [
            "",
            "00",
            &GOOD[1..],
            &GOOD[..54],
            &GOOD.to_uppercase(),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("4bf9", "4bfg"),
            &GOOD.replace("4bf9", "4bé"),
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
        let mut headers = http::HeaderMap::new();
        headers.append("traceparent", http::HeaderValue::from_static(GOOD));
        assert!(TraceParent::of(&headers).is_some());
        headers.append("traceparent", http::HeaderValue::from_static(GOOD));
        assert_eq!(TraceParent::of(&headers), None);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused(text in any::<String>()) {
            let _ = TraceParent::parse(&text);
        }

        #[test]
        fn what_is_well_formed_is_read(trace in 1..=u128::MAX, span in 1..=u64::MAX, flags: u8) {
            let text = format!("00-{trace:032x}-{span:016x}-{flags:02x}");
            let parent = TraceParent::parse(&text).expect("a parent");
            prop_assert_eq!(u128::from_str_radix(parent.trace_id, 16), Ok(trace));
            prop_assert_eq!(u64::from_str_radix(parent.span_id, 16), Ok(span));
        }
    }
}
