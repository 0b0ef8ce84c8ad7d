//! Problem documents (RFC 9457): the body of every refusal and failure.

mod kind;
mod refusal;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

pub use self::kind::ProblemKind;

/// The media type of [`Problem::to_json`].
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem under construction. The constructors carry the fixed texts; the `with_` methods change or add members.
#[derive(Debug, Clone, PartialEq)]
// Boxed: problems travel as the error of results that are nearly always fine.
pub struct Problem(Box<Document>);

#[derive(Debug, Clone, PartialEq)]
struct Document {
    type_name: Cow<'static, str>,
    title: Cow<'static, str>,
    status: StatusCode,
    detail: Option<Cow<'static, str>>,
    /// A JSON array, written already.
    errors: Option<Bytes>,
    members: Map<String, Value>,
    instance: Option<String>,
    request_id: Option<String>,
}

/// General ways to a problem.
impl Problem {
    /// A problem of the catalogue without a detail.
    pub fn new(kind: ProblemKind) -> Self {
        Self(Box::new(Document {
            type_name: Cow::Borrowed(kind.suffix()),
            title: Cow::Borrowed(kind.title()),
            status: kind.status(),
            detail: None,
            errors: None,
            members: Map::new(),
            instance: None,
            request_id: None,
        }))
    }

    /// A problem for any status; one the catalogue does not have is of type `about:blank`.
    pub fn of_status(status: StatusCode) -> Self {
        if let Some(kind) = ProblemKind::of_status(status) {
            return Self::new(kind);
        }
        let mut problem = Self::new(ProblemKind::InternalServerError);
        problem.0.type_name = Cow::Borrowed("about:blank");
        problem.0.title = Cow::Borrowed(status.canonical_reason().unwrap_or("Unknown Error"));
        problem.0.status = status;
        problem
    }

    /// Set the type: the end of the URI, or a whole URI (recognised by its colon).
    #[must_use]
    pub fn with_type(mut self, type_name: impl Into<Cow<'static, str>>) -> Self {
        self.0.type_name = type_name.into();
        self
    }

    #[must_use]
    pub fn with_title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.0.title = title.into();
        self
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Set `errors` from a JSON array that is written already; it goes out unchanged and unchecked.
    #[must_use]
    pub fn with_errors(mut self, json_array: impl Into<Bytes>) -> Self {
        self.0.errors = Some(json_array.into());
        self
    }

    /// Add one extension member.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.into(), value.into());
        self
    }

    /// Add extension members. `type`, `title`, `detail` and `instance` take the place of those members when they are
    /// text, `errors` in any case; `status` cannot be changed this way and is passed over.
    #[must_use]
    pub fn with_members(mut self, members: Map<String, Value>) -> Self {
        for (name, value) in members {
            match (name.as_str(), value) {
                ("type", Value::String(text)) => self.0.type_name = text.into(),
                ("title", Value::String(text)) => self.0.title = text.into(),
                ("detail", Value::String(text)) => self.0.detail = Some(text.into()),
                ("instance", Value::String(text)) => self.0.instance = Some(text),
                ("errors", value) => self.0.errors = Some(value.to_string().into()),
                ("type" | "title" | "detail" | "instance" | "status", _) => {}
                (_, value) => {
                    self.0.members.insert(name, value);
                }
            }
        }
        self
    }

    #[must_use]
    pub fn with_instance(mut self, instance: impl Into<String>) -> Self {
        self.0.instance = Some(instance.into());
        self
    }

    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(request_id.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    pub fn title(&self) -> &str {
        &self.0.title
    }

    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Whether the answer must carry `Cache-Control: no-store`.
    pub fn is_no_store(&self) -> bool {
        matches!(self.0.status.as_u16(), 401 | 403 | 429 | 500..=599)
    }

    /// Whether the answer must carry `Connection: close`, since what the client still sends will not be read.
    /// (A 408 closes too, but only when the body was unread.)
    pub fn is_closing(&self) -> bool {
        matches!(self.0.status.as_u16(), 413 | 414 | 431)
    }

    /// The document. `base_url` stands before the type, as it is.
    pub fn to_json(&self, base_url: &str) -> Bytes {
        let mut out = Vec::with_capacity(256 + self.0.errors.as_ref().map_or(0, Bytes::len));
        out.extend_from_slice(b"{\"type\":");
        if self.0.type_name.contains(':') {
            write_json(&mut out, &self.0.type_name);
        } else {
            write_json(&mut out, &format!("{base_url}{}", self.0.type_name));
        }
        write_member(&mut out, "title", &self.0.title);
        write_member(&mut out, "status", &self.0.status.as_u16());
        if let Some(detail) = &self.0.detail {
            write_member(&mut out, "detail", detail);
        }
        if let Some(errors) = &self.0.errors {
            out.extend_from_slice(b",\"errors\":");
            out.extend_from_slice(errors);
        }
        for (name, value) in &self.0.members {
            // The server's own id is the true one.
            if name != "request_id" || self.0.request_id.is_none() {
                write_member(&mut out, name, value);
            }
        }
        if let Some(instance) = &self.0.instance {
            write_member(&mut out, "instance", instance);
        }
        if let Some(request_id) = &self.0.request_id {
            write_member(&mut out, "request_id", request_id);
        }
        out.push(b'}');
        out.into()
    }
}

fn write_member<T: Serialize + ?Sized>(out: &mut Vec<u8>, name: &str, value: &T) {
    out.push(b',');
    write_json(out, name);
    out.push(b':');
    write_json(out, value);
}

/// Texts, numbers and JSON values always serialise, and a `Vec` takes all that is written to it.
fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let _ = serde_json::to_writer(out, value);
}
