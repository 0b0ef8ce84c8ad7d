//! Paths that a gate lets pass: patterns with `*` for anything and `{name}` for one segment.

use percent_encoding::percent_decode_str;

use crate::request::Head;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// One segment that is not empty.
    Segment,
    /// Anything, slashes included.
    Anything,
}

/// A list of path patterns.
#[derive(Clone, Debug, Default)]
pub struct Exemptions {
    patterns: Vec<Vec<Piece>>,
}

impl Exemptions {
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self {
            patterns: patterns
                .into_iter()
                .map(|pattern| parse(pattern.as_ref()))
                .collect(),
        }
    }

    /// Whether any pattern fits the whole path, as it was sent.
    ///
    /// A path that goes up or stays (`..`, `.`), encoded or not, is never exempt: who serves it might resolve it to
    /// a path that is not.
    pub fn hold(&self, path: &str) -> bool {
        !self.patterns.is_empty()
            && self.patterns.iter().any(|pattern| fits(pattern, path))
            && !wanders(path)
    }
}

/// Whether the request asks what another origin may do, before it does it.
pub(crate) fn is_preflight(head: &Head) -> bool {
    use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
    head.parts.method == http::Method::OPTIONS
        && head.parts.headers.contains_key(ORIGIN)
        && head
            .parts
            .headers
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

fn wanders(path: &str) -> bool {
    percent_decode_str(path)
        .decode_utf8_lossy()
        .split(['/', '\\'])
        .any(|segment| matches!(segment, "." | ".."))
}

fn parse(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(start) = rest.find(['*', '{']) {
        if start > 0 {
            pieces.push(Piece::Text(rest[..start].to_owned()));
        }
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            if pieces.last() != Some(&Piece::Anything) {
                pieces.push(Piece::Anything);
            }
        } else if let Some(end) = rest.find('}') {
            let is_rest = rest[..end].ends_with(":path");
            rest = &rest[end + 1..];
            pieces.push(if is_rest {
                Piece::Anything
            } else {
                Piece::Segment
            });
        } else {
            break;
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    pieces
}

/// Only the last `*` seen is tried at further places: earlier ones gain nothing by it, so the time is bounded by the
/// product of both lengths.
fn fits(pattern: &[Piece], path: &str) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(piece) {
            None if at == path.len() => return true,
            None => None,
            Some(Piece::Anything) => {
                retry = Some((piece, at));
                Some(at)
            }
            Some(Piece::Text(text)) => path[at..]
                .starts_with(text.as_str())
                .then(|| at + text.len()),
            Some(Piece::Segment) => {
                let length = path[at..].find('/').unwrap_or(path.len() - at);
                (length > 0).then_some(at + length)
            }
        };
        match (step, retry) {
            (Some(next), _) => (piece, at) = (piece + 1, next),
            (None, Some((star, from))) => {
                let Some(skipped) = path[from..].chars().next() else {
                    return false;
                };
                let from = from + skipped.len_utf8();
                retry = Some((star, from));
                (piece, at) = (star + 1, from);
            }
            (None, None) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_paths() {
        for (pattern, path, expected) in [
            ("/health", "/health", true),
            ("/health", "/health/", false),
            ("/health", "/healthy", false),
            ("/public/*", "/public/a/b.css", true),
            ("/public/*", "/public/", true),
            ("/public/*", "/public", false),
            ("/public/*", "/publicity/a", false),
            ("/docs*", "/docs/x", true),
            ("*", "/anything/at/all", true),
            ("*.css", "/a/b.css", true),
            ("*.css", "/a/b.css/c", false),
            ("/items/{id}", "/items/3", true),
            ("/items/{id}", "/items/", false),
            ("/items/{id}", "/items/3/4", false),
            ("/items/{id:int}/x", "/items/3/x", true),
            ("/files/{rest:path}", "/files/a/b", true),
            ("/a*b*c", "/a1b2c", true),
            ("/a*b*c", "/abcb", false),
            ("/*/{id}/end", "/a/b/c/end", true),
            ("/é*", "/éü", true),
            ("*ü", "/éü", true),
        ] {
            assert_eq!(
                Exemptions::new([pattern]).hold(path),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn paths_that_wander_are_not_exempt() {
        let exempt = Exemptions::new(["/public/*"]);
        for path in [
            "/public/../admin",
            "/public/%2e%2E/admin",
            "/public/..%2Fadmin",
            "/public/..\\admin",
            "/public/..%5cadmin",
            "/public/./x",
        ] {
            assert!(!exempt.hold(path), "{path}");
        }
        assert!(exempt.hold("/public/.well-known/a..b"));
    }

    #[test]
    fn nothing_is_exempt_without_patterns() {
        assert!(!Exemptions::default().hold("/"));
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = format!("/{}x", "*a".repeat(20));
        let path = format!("/{}", "a".repeat(8000));
        assert!(!Exemptions::new([pattern]).hold(&path));
    }
}
