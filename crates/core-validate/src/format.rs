//! The `format` keyword: which names are assertions, and what each demands of a text.

use serde_json::{Map, Value};

use crate::fault::FaultKind;
use crate::moment::{Date, DateTime, Duration, Time};
use crate::uuid_text;

/// What an address must look like, as clients are told.
pub(crate) const EMAIL: &str = r"^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$";

/// A format that is checked. Names not here are annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// With the demanded version.
    Uuid(Option<u8>),
    Date,
    DateTime,
    Time,
    /// With plain seconds allowed too.
    Duration(bool),
    Decimal,
    Email,
    Ipv4,
    Ipv6,
    Uri,
    UriReference,
    Hostname,
    JsonPointer,
    RelativeJsonPointer,
    Regex,
    /// Bytes: any text will do, and in a form a file.
    Binary,
}

impl Format {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "uuid" => Self::Uuid(None),
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "time" => Self::Time,
            "duration" => Self::Duration(false),
            "decimal" => Self::Decimal,
            "email" => Self::Email,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" | "url" => Self::Uri,
            "uri-reference" => Self::UriReference,
            "hostname" => Self::Hostname,
            "json-pointer" => Self::JsonPointer,
            "relative-json-pointer" => Self::RelativeJsonPointer,
            "regex" => Self::Regex,
            "binary" => Self::Binary,
            _ => match name.strip_prefix("uuid")?.as_bytes() {
                [digit @ b'1'..=b'8'] => Self::Uuid(Some(digit - b'0')),
                _ => return None,
            },
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Uuid(_) => "uuid",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Time => "time",
            Self::Duration(_) => "duration",
            Self::Decimal => "decimal",
            Self::Email => "email",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Uri => "uri",
            Self::UriReference => "uri-reference",
            Self::Hostname => "hostname",
            Self::JsonPointer => "json-pointer",
            Self::RelativeJsonPointer => "relative-json-pointer",
            Self::Regex => "regex",
            Self::Binary => "binary",
        }
    }

    pub(crate) fn accepts(self, text: &str) -> bool {
        match self {
            Self::Uuid(version) => uuid(text, version).is_ok(),
            Self::Date => Date::parse(text).is_some(),
            Self::DateTime => DateTime::parse(text).is_some(),
            Self::Time => Time::parse(text).is_some(),
            Self::Duration(seconds) => duration(text, seconds).is_some(),
            Self::Decimal => is_decimal(text),
            Self::Email => is_email(text),
            Self::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Uri => is_uri(text),
            Self::UriReference => is_uri_text(text),
            Self::Hostname => is_hostname(text),
            Self::JsonPointer => is_json_pointer(text),
            Self::RelativeJsonPointer => is_relative_json_pointer(text),
            Self::Regex => regex::Regex::new(text).is_ok(),
            Self::Binary => true,
        }
    }

    /// Kind, message and context of the fault of a text that is not of this format.
    pub(crate) fn fault(self, text: &str) -> (FaultKind, String, Map<String, Value>) {
        let mut ctx = Map::new();
        ctx.insert("format".into(), self.name().into());
        let (kind, msg) = match self {
            Self::Uuid(version) => {
                if let Err(reason) = uuid(text, version) {
                    ctx.insert("error".into(), reason.into());
                }
                (FaultKind::UuidParsing, "Input should be a valid UUID")
            }
            Self::Date => (FaultKind::DateParsing, "Input should be a valid date"),
            Self::DateTime => (
                FaultKind::DatetimeParsing,
                "Input should be a valid datetime",
            ),
            Self::Time => (FaultKind::TimeParsing, "Input should be a valid time"),
            Self::Duration(_) => (
                FaultKind::TimeDeltaParsing,
                "Input should be a valid duration",
            ),
            Self::Decimal => (FaultKind::DecimalParsing, "Input should be a valid decimal"),
            Self::Ipv4 => (FaultKind::IpV4Address, "Input is not a valid IPv4 address"),
            Self::Ipv6 => (FaultKind::IpV6Address, "Input is not a valid IPv6 address"),
            Self::Uri => (FaultKind::UrlParsing, "Input should be a valid URL"),
            Self::Email => {
                ctx.insert("pattern".into(), EMAIL.into());
                let msg = format!("String should match pattern '{EMAIL}'");
                return (FaultKind::StringPatternMismatch, msg, ctx);
            }
            _ => {
                return (
                    FaultKind::StringFormat,
                    format!("Invalid {} format", self.name()),
                    ctx,
                );
            }
        };
        (kind, msg.to_owned(), ctx)
    }
}

/// A UUID of a version, if one is demanded.
pub(crate) fn uuid(text: &str, version: Option<u8>) -> Result<[u8; 16], &'static str> {
    let bytes = uuid_text::parse(text)?;
    match version {
        Some(wanted) if uuid_text::version(bytes) != wanted => Err("wrong version"),
        _ => Ok(bytes),
    }
}

/// A duration; plain seconds only where they are allowed.
pub(crate) fn duration(text: &str, seconds: bool) -> Option<Duration> {
    Duration::parse(text).or_else(|| {
        if seconds {
            Duration::from_seconds(text)
        } else {
            None
        }
    })
}

/// Sign, digits with a point somewhere, exponent.
pub(crate) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() || !fraction.is_empty())
        && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let Some((label, rest)) = domain.split_once('.') else {
        return false;
    };
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !local.is_empty()
        && !label.is_empty()
        && !rest.is_empty()
        && local
            .bytes()
            .all(|byte| name(byte) || matches!(byte, b'_' | b'.' | b'+'))
        && label.bytes().all(name)
        && rest.bytes().all(|byte| name(byte) || byte == b'.')
}

/// Only characters RFC 3986 has, percent signs with their digits.
fn is_uri_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
        _ => byte.is_ascii_graphic(),
    }) && text.find('#') == text.rfind('#')
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    if !letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        || !letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        || rest.is_empty()
        || !is_uri_text(rest)
    {
        return false;
    }
    let Some(after) = rest.strip_prefix("//") else {
        // `http:x` is a URI by the grammar and useless as an address.
        return !["http", "https", "ws", "wss", "ftp"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
    };
    let authority = &after[..after.find(['/', '?', '#']).unwrap_or(after.len())];
    is_authority(authority) && (!authority.is_empty() || scheme.eq_ignore_ascii_case("file"))
}

fn is_authority(authority: &str) -> bool {
    let place = authority
        .rsplit_once('@')
        .map_or(authority, |(_, place)| place);
    let (host, port) = if place.starts_with('[') {
        let Some(end) = place.find(']') else {
            return false;
        };
        if place[1..end].parse::<std::net::Ipv6Addr>().is_err() {
            return false;
        }
        (&place[..=end], &place[end + 1..])
    } else {
        let at = place.find(':').unwrap_or(place.len());
        (&place[..at], &place[at..])
    };
    let port_fits = match port.strip_prefix(':') {
        Some("") => true,
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
        }
        None => port.is_empty(),
    };
    port_fits
        && (place.is_empty() || !host.is_empty())
        && (place.starts_with('[') || !host.contains(['[', ']']))
}

fn is_hostname(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

fn is_json_pointer(text: &str) -> bool {
    let bytes = text.as_bytes();
    (bytes.is_empty() || bytes[0] == b'/')
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| *byte != b'~' || matches!(bytes.get(at + 1), Some(b'0' | b'1')))
}

fn is_relative_json_pointer(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (steps, rest) = text.split_at(digits);
    digits > 0
        && (steps == "0" || !steps.starts_with('0'))
        && (rest == "#" || is_json_pointer(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let cases: Value =
            serde_json::from_str(include_str!("../tests/data/formats.json")).expect("a JSON file");
        for (name, texts) in cases.as_object().expect("an object") {
            let format = Format::of(name).expect(name);
            for (verdict, expected) in [("valid", true), ("invalid", false)] {
                for text in texts[verdict].as_array().expect("a list") {
                    let text = text.as_str().expect("a text");
                    assert_eq!(format.accepts(text), expected, "{name}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn unknown_names_are_annotations() {
        for name in ["byte", "password", "int64", "uuid9", "uuid44", "phone"] {
            assert_eq!(Format::of(name), None, "{name}");
        }
    }

    #[test]
    fn the_email_pattern_says_what_the_check_does() {
        let pattern = regex::Regex::new(EMAIL).expect("a pattern");
        for text in [
            "a@b.c", "a@b", "@b.c", "a@b.", "a@@b.c", "a b@c.d", "a@b.c.d-", "a@.c", "é@b.c",
            "a@b-c.d", "",
        ] {
            assert_eq!(is_email(text), pattern.is_match(text), "{text:?}");
        }
    }
}
