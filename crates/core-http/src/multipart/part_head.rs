//! The header of a part: its name, and of a file its name and type.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::MultipartError;
use crate::media_type;
use crate::quoted::split_unquoted;

/// Header fields of one part; nobody sends more than a few.
const MAX_FIELDS: usize = 32;

/// What stands before the content of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartHead {
    /// The field it fills.
    pub name: String,
    /// The last component of a file's name. A part with one, even an empty one, is a file.
    pub filename: Option<String>,
    pub content_type: Option<String>,
    /// All fields, their names in lower case.
    pub headers: Vec<(String, String)>,
}

impl PartHead {
    /// Reads a header block with its empty line.
    pub(super) fn parse(block: &[u8]) -> Result<Self, MultipartError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let fields = match httparse::parse_headers(block, &mut fields) {
            Ok(httparse::Status::Complete((_, fields))) => fields,
            Ok(httparse::Status::Partial) => &[],
            Err(httparse::Error::TooManyHeaders) => {
                return Err(MultipartError::Malformed("a part has too many headers"));
            }
            Err(_) => return Err(MultipartError::Malformed("a part's header is malformed")),
        };
        let headers: Vec<(String, String)> = fields
            .iter()
            .map(|field| (field.name.to_ascii_lowercase(), text(field.value)))
            .collect();
        let find = |wanted: &str| {
            headers
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let disposition = find("content-disposition").filter(|disposition| {
            media_type::essence(disposition).eq_ignore_ascii_case("form-data")
        });
        let Some(disposition) = disposition else {
            return Err(MultipartError::Malformed(
                "a part has no 'Content-Disposition: form-data'",
            ));
        };
        let Some(name) = parameter(disposition, "name") else {
            return Err(MultipartError::Malformed("a part has no name"));
        };
        let filename = parameter(disposition, "filename*")
            .and_then(|value| extended(&value))
            .or_else(|| parameter(disposition, "filename").map(|value| unescape(&value)));
        Ok(Self {
            name: unescape(&name),
            filename: filename.as_deref().map(last_component),
            content_type: find("content-type")
                .filter(|value| !value.is_empty())
                .map(str::to_owned),
            headers,
        })
    }

    /// The character set of a text part, if it says one.
    pub fn charset(&self) -> Option<Cow<'_, str>> {
        media_type::parameter(self.content_type.as_deref()?, "charset")
    }

    /// Whether the content is JSON.
    pub fn is_json(&self) -> bool {
        self.content_type
            .as_deref()
            .is_some_and(|value| media_type::classify(value) == media_type::MediaType::Json)
    }
}

/// Browsers send names as UTF-8; what is none is taken for Latin-1.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// A parameter of the disposition, without its quotes. Only quotes and backslashes can be escaped: old browsers send
/// whole paths of Windows.
fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    split_unquoted(disposition, ';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        if !name.trim_end().eq_ignore_ascii_case(wanted) {
            return None;
        }
        let value = value.trim_start();
        let inner = value
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        Some(match inner {
            Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => value.to_owned(),
        })
    })
}

/// What browsers write for characters that a quoted string cannot hold (the Fetch standard).
fn unescape(value: &str) -> String {
    if !value.contains('%') {
        return value.to_owned();
    }
    value
        .replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// `UTF-8'en'na%C3%AFve.txt` (RFC 8187).
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())?;
    encoding
        .decode_without_bom_handling_and_without_replacement(&bytes)
        .map(Cow::into_owned)
}

/// The name without directories and control characters: it may be used as a name on disk.
fn last_component(filename: &str) -> String {
    let last = filename.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|letter| !letter.is_control()).collect();
    if matches!(name.as_str(), "." | "..") {
        String::new()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> Result<PartHead, MultipartError> {
        PartHead::parse(format!("{fields}\r\n\r\n").as_bytes())
    }

    fn filename(parameters: &str) -> Option<String> {
        head(&format!(
            "Content-Disposition: form-data; name=a; {parameters}"
        ))
        .expect("a header")
        .filename
    }

    #[test]
    fn a_file_says_its_name_and_type() {
        let head = head(
            "CONTENT-disposition: Form-Data; name=\"a b\"; filename=\"x;y.txt\"\r\nContent-Type: text/plain; charset=latin1",
        )
        .expect("a header");
        assert_eq!(head.name, "a b");
        assert_eq!(head.filename.as_deref(), Some("x;y.txt"));
        assert_eq!(
            head.content_type.as_deref(),
            Some("text/plain; charset=latin1")
        );
        assert_eq!(head.charset().as_deref(), Some("latin1"));
        assert_eq!(head.headers[0].0, "content-disposition");
    }

    #[test]
    fn file_names_are_names_only() {
        let cases = [
            ("filename=\"C:\\\\temp\\\\a.txt\"", "a.txt"),
            ("filename=\"C:\\temp\\a.txt\"", "a.txt"),
            ("filename=\"../../etc/passwd\"", "passwd"),
            ("filename=\"a\\\"b.txt\"", "a\"b.txt"),
            ("filename=\"a%22b.txt\"", "a\"b.txt"),
            ("filename=\"50%.txt\"", "50%.txt"),
            ("filename=\"naïve.txt\"", "naïve.txt"),
            ("filename=\"\"", ""),
            ("filename=\"..\"", ""),
            ("filename=plain.txt", "plain.txt"),
            (
                "filename=\"old.txt\"; filename*=UTF-8''na%C3%AFve%2Ftxt",
                "txt",
            ),
            ("filename*=iso-8859-1'en'%A3.txt", "£.txt"),
            (
                "filename*=nonsense; filename=\"fallback.txt\"",
                "fallback.txt",
            ),
            (
                "filename*=UTF-8''%FF; filename=\"fallback.txt\"",
                "fallback.txt",
            ),
            ("filename=\"a%0D%0Ab.txt\"", "ab.txt"),
        ];
        for (parameters, expected) in cases {
            assert_eq!(
                filename(parameters).as_deref(),
                Some(expected),
                "{parameters}"
            );
        }
        assert_eq!(filename("x=1"), None);
    }

    #[test]
    fn headers_that_say_no_name_are_refused() {
        let many = format!(
            "Content-Disposition: form-data; name=a{}",
            "\r\nX: y".repeat(40)
        );
        for fields in [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: attachment; name=a",
            "Content-Disposition: form-data",
            "Content Disposition: form-data; name=a",
            &many,
        ] {
            assert!(head(fields).is_err(), "{fields:?}");
        }
    }
}
