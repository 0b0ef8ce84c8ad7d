//! Conditions of a request: may the answer be given at all, and is it new to the client (RFC 9110, 13)?

use std::time::{Duration, SystemTime};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::entity_tag::{EntityTag, Tags};

/// The headers of a request that decide how a file is sent.
const DECISIVE: [HeaderName; 6] = [
    header::IF_MATCH,
    header::IF_UNMODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::RANGE,
    header::IF_RANGE,
];

/// What a request demands of the file that answers it.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    pub method: Method,
    pub headers: HeaderMap,
}

impl Terms {
    /// What is left of a request when its headers are gone.
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        let mut kept = HeaderMap::new();
        for name in DECISIVE {
            for value in headers.get_all(&name) {
                kept.append(&name, value.clone());
            }
        }
        Self {
            method: method.clone(),
            headers: kept,
        }
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// The status of an answer without the file's content, if the conditions call for one.
    pub(super) fn verdict(&self, state: &State<'_>) -> Option<StatusCode> {
        if let Some(listed) = self.text(&header::IF_MATCH) {
            let fits = state
                .tag
                .is_some_and(|own| Tags::parse(listed).any(|tag| tag.is_same(own)));
            if !fits && Tags::parse(listed) != Tags::Any {
                return Some(StatusCode::PRECONDITION_FAILED);
            }
        } else if let Some(since) = self.date(&header::IF_UNMODIFIED_SINCE)
            && state.modified.is_some_and(|modified| modified > since)
        {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
        if let Some(listed) = self.text(&header::IF_NONE_MATCH) {
            let tags = Tags::parse(listed);
            let is_known = tags == Tags::Any
                || state
                    .tag
                    .is_some_and(|own| tags.any(|tag| tag.is_alike(own)));
            return match (is_known, self.is_read()) {
                (false, _) => None,
                (true, true) => Some(StatusCode::NOT_MODIFIED),
                (true, false) => Some(StatusCode::PRECONDITION_FAILED),
            };
        }
        let since = self.date(&header::IF_MODIFIED_SINCE)?;
        let is_known = self.is_read() && state.modified.is_some_and(|modified| modified <= since);
        is_known.then_some(StatusCode::NOT_MODIFIED)
    }

    /// The ranges asked for, if they are of the state the client knows.
    pub(super) fn ranges(&self, state: &State<'_>) -> Option<&str> {
        if self.method != Method::GET {
            return None;
        }
        let ranges = self.text(&header::RANGE)?;
        match self.text(&header::IF_RANGE) {
            None => Some(ranges),
            Some(known) => state.is_exactly(known).then_some(ranges),
        }
    }

    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn date(&self, name: &HeaderName) -> Option<SystemTime> {
        httpdate::parse_http_date(self.text(name)?).ok()
    }
}

/// What marks the state of the file: as it goes out, so a date has whole seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct State<'a> {
    tag: Option<EntityTag<'a>>,
    modified: Option<SystemTime>,
    now: SystemTime,
}

impl<'a> State<'a> {
    /// From the headers of the answer.
    pub(super) fn of(headers: &'a HeaderMap, now: SystemTime) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        Self {
            tag: text(header::ETAG).and_then(EntityTag::parse),
            modified: text(header::LAST_MODIFIED)
                .and_then(|date| httpdate::parse_http_date(date).ok()),
            now,
        }
    }

    /// Whether an `If-Range` means these very bytes.
    fn is_exactly(&self, known: &str) -> bool {
        if let Some(tag) = EntityTag::parse(known) {
            return self.tag.is_some_and(|own| own.is_same(tag));
        }
        // Within the second of a change there may be another one, which the date would not tell.
        httpdate::parse_http_date(known).is_ok_and(|known| {
            self.modified == Some(known)
                && self
                    .now
                    .duration_since(known)
                    .is_ok_and(|age| age >= Duration::from_secs(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const CHANGED: &str = "Tue, 02 Jan 2024 03:04:05 GMT";
    const BEFORE: &str = "Tue, 02 Jan 2024 03:04:04 GMT";
    const AFTER: &str = "Tue, 02 Jan 2024 03:04:06 GMT";

    fn terms(method: Method, given: &[(HeaderName, &str)]) -> Terms {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        Terms { method, headers }
    }

    fn state(tag: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_str(tag).expect("a value"));
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static(CHANGED));
        headers
    }

    fn verdict(method: Method, tag: &str, given: &[(HeaderName, &str)]) -> Option<u16> {
        let headers = state(tag);
        terms(method, given)
            .verdict(&State::of(&headers, SystemTime::now()))
            .map(|status| status.as_u16())
    }

    #[test]
    fn a_known_state_is_not_sent_again() {
        for given in [
            (header::IF_NONE_MATCH, "\"a\""),
            (header::IF_NONE_MATCH, "W/\"a\""),
            (header::IF_NONE_MATCH, "\"b\", \"a\""),
            (header::IF_NONE_MATCH, "*"),
            (header::IF_MODIFIED_SINCE, CHANGED),
            (header::IF_MODIFIED_SINCE, AFTER),
        ] {
            let given = [given];
            assert_eq!(
                verdict(Method::GET, "W/\"a\"", &given),
                Some(304),
                "{given:?}"
            );
            assert_eq!(
                verdict(Method::HEAD, "W/\"a\"", &given),
                Some(304),
                "{given:?}"
            );
        }
    }

    #[test]
    fn another_state_is_sent() {
        for given in [
            (header::IF_NONE_MATCH, "\"b\""),
            (header::IF_MODIFIED_SINCE, BEFORE),
            (header::IF_MODIFIED_SINCE, "yesterday"),
            (header::IF_UNMODIFIED_SINCE, CHANGED),
            (header::IF_UNMODIFIED_SINCE, "yesterday"),
            (header::IF_MATCH, "*"),
        ] {
            let given = [given];
            assert_eq!(verdict(Method::GET, "W/\"a\"", &given), None, "{given:?}");
        }
        assert_eq!(
            verdict(Method::GET, "\"a\"", &[(header::IF_MATCH, "\"b\", \"a\"")]),
            None
        );
    }

    #[test]
    fn what_must_not_have_changed_is_refused_when_it_has() {
        for (tag, given) in [
            ("\"a\"", (header::IF_MATCH, "\"b\"")),
            ("W/\"a\"", (header::IF_MATCH, "W/\"a\"")),
            ("\"a\"", (header::IF_UNMODIFIED_SINCE, BEFORE)),
        ] {
            assert_eq!(verdict(Method::GET, tag, &[given]), Some(412));
        }
        assert_eq!(
            verdict(Method::POST, "\"a\"", &[(header::IF_NONE_MATCH, "*")]),
            Some(412)
        );
    }

    #[test]
    fn tags_go_before_dates() {
        let given = [
            (header::IF_NONE_MATCH, "\"b\""),
            (header::IF_MODIFIED_SINCE, AFTER),
        ];
        assert_eq!(verdict(Method::GET, "\"a\"", &given), None);
        let given = [
            (header::IF_MATCH, "\"a\""),
            (header::IF_UNMODIFIED_SINCE, BEFORE),
        ];
        assert_eq!(verdict(Method::GET, "\"a\"", &given), None);
    }

    #[test]
    fn dates_mean_nothing_to_a_post() {
        assert_eq!(
            verdict(Method::POST, "\"a\"", &[(header::IF_MODIFIED_SINCE, AFTER)]),
            None
        );
    }

    fn is_partial(tag: &str, known: &str, now: SystemTime) -> bool {
        let headers = state(tag);
        let given = [(header::RANGE, "bytes=0-1"), (header::IF_RANGE, known)];
        terms(Method::GET, &given)
            .ranges(&State::of(&headers, now))
            .is_some()
    }

    #[test]
    fn ranges_of_a_state_need_that_very_state() {
        let now = SystemTime::now();
        assert!(is_partial("\"a\"", "\"a\"", now));
        assert!(is_partial("\"a\"", CHANGED, now));
        assert!(!is_partial("\"a\"", "\"b\"", now));
        assert!(!is_partial("W/\"a\"", "W/\"a\"", now));
        assert!(!is_partial("\"a\"", AFTER, now));
        assert!(!is_partial("\"a\"", BEFORE, now));
        assert!(!is_partial("\"a\"", "nonsense", now));
    }

    #[test]
    fn a_date_marks_nothing_within_its_own_second() {
        let changed = httpdate::parse_http_date(CHANGED).expect("a date");
        assert!(!is_partial(
            "\"a\"",
            CHANGED,
            changed + Duration::from_millis(900)
        ));
        assert!(is_partial(
            "\"a\"",
            CHANGED,
            changed + Duration::from_secs(1)
        ));
        assert!(!is_partial("\"a\"", CHANGED, UNIX_EPOCH));
    }

    #[test]
    fn only_get_has_ranges() {
        let headers = state("\"a\"");
        let given = [(header::RANGE, "bytes=0-1")];
        let state = State::of(&headers, SystemTime::now());
        assert!(terms(Method::GET, &given).ranges(&state).is_some());
        assert!(terms(Method::HEAD, &given).ranges(&state).is_none());
        assert!(terms(Method::POST, &given).ranges(&state).is_none());
    }

    #[test]
    fn terms_keep_what_decides_and_forget_the_rest() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-"));
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b"));
        let kept = Terms::of(&Method::GET, &headers);
        assert_eq!(kept.headers.len(), 1);
        assert!(kept.headers.contains_key(header::RANGE));
    }
}
