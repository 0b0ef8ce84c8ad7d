//! Looks at heads as they arrive for what hyper hides: a length beside a transfer coding.

use memchr::memchr2_iter;

/// Names heads that say both how long their body is and that it is chunked: a smuggling attempt, as like as not
/// (RFC 9112, 6.1). hyper drops the length before anybody sees it.
#[derive(Debug, Default)]
pub(crate) struct HeadWatch {
    /// A head whose end has not come yet.
    partial: Vec<u8>,
}

const CODING: &[u8] = b"chunked";

impl HeadWatch {
    /// Forgets what was left of before: what comes now is another head.
    pub(crate) fn begin(&mut self) {
        self.partial = Vec::new();
    }

    /// Takes what was read while no request was under way; tells whether a head in it is ambiguous.
    pub(crate) fn is_ambiguous(&mut self, fresh: &[u8]) -> bool {
        if self.partial.is_empty() {
            if fresh.ends_with(b"\r\n\r\n") || has_end(fresh) {
                return mentions_coding(fresh) && has_ambiguous_head(fresh);
            }
            // No longer than the parser lets a head become.
            self.partial.extend_from_slice(fresh);
            return false;
        }
        // The end may have been cut in two.
        let looked_at = self.partial.len().saturating_sub(3);
        self.partial.extend_from_slice(fresh);
        if !has_end(&self.partial[looked_at..]) {
            return false;
        }
        let head = std::mem::take(&mut self.partial);
        mentions_coding(&head) && has_ambiguous_head(&head)
    }
}

/// Whether a line is empty, with whichever line ends.
fn has_end(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes)
        .any(|at| matches!(&bytes[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

fn mentions_coding(bytes: &[u8]) -> bool {
    memchr2_iter(b'k', b'K', bytes).any(|at| {
        at.checked_sub(4)
            .and_then(|start| bytes.get(start..at + 3))
            .is_some_and(|word| word.eq_ignore_ascii_case(CODING))
    })
}

/// Whether any block of lines names both. Several requests may have come at once.
fn has_ambiguous_head(bytes: &[u8]) -> bool {
    let (mut length, mut coding) = (false, false);
    for line in bytes.split(|&byte| byte == b'\n') {
        if matches!(line, [] | [b'\r']) {
            (length, coding) = (false, false);
            continue;
        }
        let name = line.split(|&byte| byte == b':').next().unwrap_or(line);
        length |= name.eq_ignore_ascii_case(b"content-length");
        coding |= name.eq_ignore_ascii_case(b"transfer-encoding");
        if length && coding {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOTH: &[u8] =
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n";
    const ONE: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const OTHER: &[u8] = b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n";

    fn seen(pieces: &[&[u8]]) -> bool {
        let mut watch = HeadWatch::default();
        pieces
            .iter()
            .filter(|piece| watch.is_ambiguous(piece))
            .count()
            > 0
    }

    #[test]
    fn a_head_with_both_is_named_however_it_is_written() {
        assert!(seen(&[BOTH]));
        assert!(seen(&[&BOTH.to_ascii_uppercase()]));
        assert!(seen(&[&[OTHER, BOTH].concat()]));
        assert!(seen(&[&[BOTH, b"0\r\n\r\n"].concat()]));
        let text = String::from_utf8_lossy(BOTH).replace("\r\n", "\n");
        assert!(seen(&[text.as_bytes()]));
    }

    #[test]
    fn heads_with_one_of_them_are_not() {
        assert!(!seen(&[ONE]));
        assert!(!seen(&[OTHER]));
        assert!(!seen(&[&[OTHER, ONE].concat()]));
        assert!(!seen(&[ONE, OTHER]));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_a_head_is_cut(cuts in prop::collection::vec(0..BOTH.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            for (head, expected) in [(BOTH, true), (ONE, false)] {
                let mut pieces = Vec::new();
                let mut from = 0;
                for &cut in &cuts {
                    let cut = cut.min(head.len());
                    pieces.push(&head[from..cut]);
                    from = cut;
                }
                pieces.push(&head[from..]);
                pieces.retain(|piece| !piece.is_empty());
                prop_assert_eq!(seen(&pieces), expected);
            }
        }
    }
}
