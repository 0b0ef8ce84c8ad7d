//! Cookies: reading the `Cookie` header, writing `Set-Cookie`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use thiserror::Error;

use crate::percent::{decode_strict, encode_cookie};

/// The cookies of one `Cookie` header, in wire order.
///
/// Nothing is an error here: a pair without a name or without `=` is passed over. Surrounding quotes are stripped; a
/// value is percent-decoded only when all of it can be.
pub fn parse(header: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let name = name.trim_matches([' ', '\t']);
        if name.is_empty() || name.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return None;
        }
        let value = value.trim_matches([' ', '\t']);
        let value = value
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .unwrap_or(value);
        Some((name, decode_strict(value).unwrap_or(Cow::Borrowed(value))))
    })
}

/// Write pairs as a `Cookie` header; [`parse`] gives them back.
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push_str("; ");
        }
        out.push_str(name.as_ref());
        out.push('=');
        out.push_str(&encode_cookie(value.as_ref()));
    }
    out
}

/// Why a cookie cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CookieError {
    #[error("a cookie name is one or more letters, digits or any of !#$%&'*+-.^_`|~")]
    IllegalName,
    #[error("a cookie value cannot hold control characters")]
    IllegalValue,
    #[error("a cookie path is printable ASCII without ';'")]
    IllegalPath,
    #[error("a cookie domain is letters, digits, '.', '-', '_' or ':'")]
    IllegalDomain,
    #[error("samesite 'none' is refused by browsers unless secure is set")]
    InsecureSameSiteNone,
    #[error("a cookie's expires lies after the year 9999")]
    ExpiresOutOfRange,
}

impl CookieError {
    /// A name that stays the same between releases.
    pub const fn code(self) -> &'static str {
        match self {
            Self::IllegalName => "illegal_name",
            Self::IllegalValue => "illegal_value",
            Self::IllegalPath => "illegal_path",
            Self::IllegalDomain => "illegal_domain",
            Self::InsecureSameSiteNone => "insecure_samesite_none",
            Self::ExpiresOutOfRange => "expires_out_of_range",
        }
    }
}

/// Which cross-site requests carry the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    Strict,
    Lax,
    None,
}

impl SameSite {
    /// Read `lax`, `strict` or `none`, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Strict, Self::Lax, Self::None]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// One `Set-Cookie` header. [`SetCookie::new`] gives the defaults of `Response.set_cookie`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie<'a> {
    pub name: &'a str,
    pub value: &'a str,
    /// Seconds; zero or less drops the cookie.
    pub max_age: Option<i64>,
    /// Unix seconds; what lies before 1970 is written as 1970.
    pub expires: Option<i64>,
    pub path: Option<&'a str>,
    pub domain: Option<&'a str>,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: Option<SameSite>,
    pub partitioned: bool,
}

/// The last second an HTTP date can name: 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

impl<'a> SetCookie<'a> {
    pub const fn new(name: &'a str, value: &'a str) -> Self {
        Self {
            name,
            value,
            max_age: None,
            expires: None,
            path: Some("/"),
            domain: None,
            secure: false,
            http_only: false,
            same_site: Some(SameSite::Lax),
            partitioned: false,
        }
    }

    /// The cookie that makes a browser forget `name`; path and domain must be those it was set with.
    pub const fn delete(name: &'a str, path: Option<&'a str>, domain: Option<&'a str>) -> Self {
        let mut cookie = Self::new(name, "");
        cookie.max_age = Some(0);
        cookie.expires = Some(0);
        cookie.path = path;
        cookie.domain = domain;
        cookie
    }

    /// The header's value; the cookie's value is percent-encoded where the grammar asks for it.
    pub fn to_header_value(&self) -> Result<HeaderValue, CookieError> {
        let expires = self.check()?;
        let mut out = format!("{}={}", self.name, encode_cookie(self.value));
        if let Some(moment) = expires {
            append(
                &mut out,
                format_args!("; Expires={}", httpdate::HttpDate::from(moment)),
            );
        }
        if let Some(seconds) = self.max_age {
            append(&mut out, format_args!("; Max-Age={seconds}"));
        }
        if let Some(domain) = self.domain {
            append(&mut out, format_args!("; Domain={domain}"));
        }
        if let Some(path) = self.path {
            append(&mut out, format_args!("; Path={path}"));
        }
        if self.secure {
            out.push_str("; Secure");
        }
        if self.http_only {
            out.push_str("; HttpOnly");
        }
        if let Some(same_site) = self.same_site {
            append(&mut out, format_args!("; SameSite={}", same_site.as_str()));
        }
        if self.partitioned {
            out.push_str("; Partitioned");
        }
        // `check` let only printable ASCII through, so this cannot fail; the error is the nearest true one.
        HeaderValue::try_from(out).map_err(|_| CookieError::IllegalValue)
    }

    fn check(&self) -> Result<Option<SystemTime>, CookieError> {
        if self.name.is_empty() || !self.name.bytes().all(is_token_byte) {
            return Err(CookieError::IllegalName);
        }
        if self.value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(CookieError::IllegalValue);
        }
        if self.path.is_some_and(|path| {
            !path
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~') && byte != b';')
        }) {
            return Err(CookieError::IllegalPath);
        }
        let is_domain_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
        if self
            .domain
            .is_some_and(|domain| domain.is_empty() || !domain.bytes().all(is_domain_byte))
        {
            return Err(CookieError::IllegalDomain);
        }
        if self.same_site == Some(SameSite::None) && !self.secure {
            return Err(CookieError::InsecureSameSiteNone);
        }
        let Some(seconds) = self.expires else {
            return Ok(None);
        };
        let seconds = u64::try_from(seconds).unwrap_or(0);
        if seconds > LAST_SECOND {
            return Err(CookieError::ExpiresOutOfRange);
        }
        Ok(Some(UNIX_EPOCH + Duration::from_secs(seconds)))
    }
}

/// Writing to a `String` has no failing case.
fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// A byte of an RFC 9110 token.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cookies(header: &str) -> Vec<(String, String)> {
        parse(header)
            .map(|(name, value)| (name.to_owned(), value.into_owned()))
            .collect()
    }

    fn written(cookie: &SetCookie<'_>) -> String {
        cookie
            .to_header_value()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_header_gives_its_pairs_in_order() {
        let expected =
            [("a", "1"), ("b", "2"), ("a", "3")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(cookies("a=1; b=2;a=3"), expected);
    }

    #[test]
    fn quotes_are_stripped_and_escapes_decoded_when_they_can_be() {
        let cases = [
            ("s=\"a b\"", "a b"),
            ("s=a%20b", "a b"),
            ("s=\"caf%C3%A9\"", "café"),
            ("s=100%", "100%"),
            ("s=%FF", "%FF"),
            ("s=a=b==", "a=b=="),
            ("s=", ""),
            ("s=\"", "\""),
            ("s = x ", "x"),
        ];
        for (header, expected) in cases {
            assert_eq!(
                cookies(header),
                [("s".to_owned(), expected.to_owned())],
                "{header}"
            );
        }
    }

    #[test]
    fn malformed_pairs_are_passed_over() {
        assert_eq!(
            cookies("; ;nothing; =x; a b=c; ok=1;"),
            [("ok".to_owned(), "1".to_owned())]
        );
        assert_eq!(cookies(""), []);
    }

    #[test]
    fn the_defaults_are_those_of_set_cookie() {
        assert_eq!(
            written(&SetCookie::new("id", "7")),
            "id=7; Path=/; SameSite=Lax"
        );
    }

    #[test]
    fn every_attribute_is_written() {
        let cookie = SetCookie {
            max_age: Some(60),
            expires: Some(784_111_777),
            path: Some("/app"),
            domain: Some("example.com"),
            secure: true,
            http_only: true,
            same_site: SameSite::from_name("none"),
            partitioned: true,
            ..SetCookie::new("id", "a b;é%")
        };
        assert_eq!(
            written(&cookie),
            "id=a%20b%3B%C3%A9%25; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=60; Domain=example.com; Path=/app; \
             Secure; HttpOnly; SameSite=None; Partitioned"
        );
    }

    #[test]
    fn deletion_is_an_empty_value_of_the_past() {
        assert_eq!(
            written(&SetCookie::delete("id", Some("/x"), None)),
            "id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/x; SameSite=Lax"
        );
    }

    #[test]
    fn what_browsers_or_headers_refuse_is_an_error() {
        let base = SetCookie::new("id", "x");
        let cases = [
            (SetCookie::new("", "x"), CookieError::IllegalName),
            (SetCookie::new("a b", "x"), CookieError::IllegalName),
            (SetCookie::new("a=b", "x"), CookieError::IllegalName),
            (SetCookie::new("é", "x"), CookieError::IllegalName),
            (
                SetCookie::new("id", "x\r\nset-cookie: y"),
                CookieError::IllegalValue,
            ),
            (SetCookie::new("id", "\0"), CookieError::IllegalValue),
            (
                SetCookie {
                    path: Some("/;x"),
                    ..base.clone()
                },
                CookieError::IllegalPath,
            ),
            (
                SetCookie {
                    path: Some("/\n"),
                    ..base.clone()
                },
                CookieError::IllegalPath,
            ),
            (
                SetCookie {
                    domain: Some("x y"),
                    ..base.clone()
                },
                CookieError::IllegalDomain,
            ),
            (
                SetCookie {
                    domain: Some(""),
                    ..base.clone()
                },
                CookieError::IllegalDomain,
            ),
            (
                SetCookie {
                    same_site: Some(SameSite::None),
                    ..base.clone()
                },
                CookieError::InsecureSameSiteNone,
            ),
            (
                SetCookie {
                    expires: Some(i64::MAX),
                    ..base.clone()
                },
                CookieError::ExpiresOutOfRange,
            ),
        ];
        for (cookie, expected) in cases {
            assert_eq!(cookie.to_header_value(), Err(expected), "{cookie:?}");
        }
    }

    #[test]
    fn the_range_of_expires_is_the_range_of_an_http_date() {
        let last = SetCookie {
            expires: Some(253_402_300_799),
            ..SetCookie::new("id", "")
        };
        assert!(written(&last).contains("Fri, 31 Dec 9999 23:59:59 GMT"));
        let before_1970 = SetCookie {
            expires: Some(-5),
            ..SetCookie::new("id", "")
        };
        assert!(written(&before_1970).contains("Thu, 01 Jan 1970 00:00:00 GMT"));
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was_set(name in "[!#-'*+\\-.0-9A-Z^-z|~]{1,12}", value in "[^\\x00-\\x1f\\x7f]{0,40}") {
            let header = written(&SetCookie::new(&name, &value));
            let pair = header.split("; ").next().unwrap();
            prop_assert_eq!(cookies(pair), [(name, value)]);
        }

        #[test]
        fn a_header_value_is_one_line_whatever_goes_in(name in any::<String>(), value in any::<String>(), path in any::<String>()) {
            let cookie = SetCookie { path: Some(&path), ..SetCookie::new(&name, &value) };
            if let Ok(header) = cookie.to_header_value() {
                prop_assert!(header.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)));
            }
        }

        #[test]
        fn reading_never_panics(header in any::<String>()) {
            parse(&header).for_each(drop);
        }
    }
}
