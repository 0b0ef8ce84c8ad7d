//! A file as an answer: conditions, ranges, and a body that never passes through the memory as a whole.

mod body;
mod condition;
mod entity_tag;
mod range;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use self::body::{FileBody, Segment};
use self::condition::State;
pub use self::condition::Terms;
use self::range::{Ranges, Span};
use crate::body::Body;
use crate::file_type;
use crate::problem::Problem;
use crate::response::Response;

/// Up to this size a file is read in the same go as it is opened.
const SMALL: u64 = 64 * 1024;

/// A file to be sent.
#[derive(Debug)]
pub struct FileAnswer {
    pub path: PathBuf,
    /// Other than 200 means: send it as it is, whatever the request demands.
    pub status: StatusCode,
    /// What the answer says already; a type, a tag or a date in here is kept.
    pub headers: HeaderMap,
    pub terms: Terms,
}

/// Why a file is not sent.
#[derive(Debug)]
pub enum FileFault {
    /// There is no such file, or it is something else.
    Missing,
    /// The system does not let us read it.
    Unreadable(io::Error),
    PreconditionFailed,
    /// Of a file of so many bytes.
    RangeNotSatisfiable(u64),
}

impl From<io::Error> for FileFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}

impl FileFault {
    /// The refusal. What the system said about the file is not in it.
    pub fn into_response(self, base_url: &str, request_id: Option<&str>) -> Response {
        let (problem, size) = match self {
            Self::Missing => (
                Problem::of_status(StatusCode::NOT_FOUND).with_detail("There is no such file"),
                None,
            ),
            Self::Unreadable(_) => (Problem::internal_server_error(), None),
            Self::PreconditionFailed => (Problem::of_status(StatusCode::PRECONDITION_FAILED), None),
            Self::RangeNotSatisfiable(size) => (Problem::range_not_satisfiable(), Some(size)),
        };
        let mut response = problem.into_response(base_url, request_id);
        if let Some(size) = size
            && let Ok(value) = HeaderValue::try_from(format!("bytes */{size}"))
        {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
        response
    }
}

/// An answer that is ready but for its body, which belongs to the thread of the connection.
pub(crate) struct Prepared {
    status: StatusCode,
    headers: HeaderMap,
    content: Content,
}

enum Content {
    None,
    Bytes(Bytes),
    Parts(File, Vec<Segment>),
}

impl Prepared {
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(match self.content {
            Content::None => Body::Empty,
            Content::Bytes(bytes) => Body::from(bytes),
            Content::Parts(file, parts) => Body::Stream(Box::pin(FileBody::new(file, parts))),
        });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl FileAnswer {
    /// Opens the file and answers with it, or with as much of it as is asked for.
    pub async fn answer(self) -> Result<Response, FileFault> {
        tokio::task::spawn_blocking(move || self.prepare())
            .await
            .map_err(|error| FileFault::Unreadable(io::Error::other(error)))?
            .map(Prepared::into_response)
    }

    /// Everything that has to wait for the disk.
    pub(crate) fn prepare(self) -> Result<Prepared, FileFault> {
        // Looked at before it is opened: opening a pipe would wait for its other end.
        let metadata = std::fs::metadata(&self.path)?;
        if !metadata.is_file() {
            return Err(FileFault::Missing);
        }
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        let now = SystemTime::now();
        let (size, mut headers) = (metadata.len(), self.headers);
        if !headers.contains_key(header::CONTENT_TYPE) {
            let media_type = HeaderValue::from_static(file_type::of(&self.path));
            headers.insert(header::CONTENT_TYPE, media_type);
        }
        if let Ok(modified) = metadata.modified() {
            describe(&mut headers, size, modified.min(now));
        }
        if self.status != StatusCode::OK {
            return send(file, self.status, headers, whole(size), &self.terms);
        }
        match self.terms.verdict(&State::of(&headers, now)) {
            Some(StatusCode::NOT_MODIFIED) => {
                headers.remove(header::CONTENT_TYPE);
                headers.remove(header::CONTENT_DISPOSITION);
                return Ok(Prepared {
                    status: StatusCode::NOT_MODIFIED,
                    headers,
                    content: Content::None,
                });
            }
            Some(_) => return Err(FileFault::PreconditionFailed),
            None => {}
        }
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let ranges = self
            .terms
            .ranges(&State::of(&headers, now))
            .map_or(Ranges::Whole, |text| range::parse(text, size));
        match ranges {
            Ranges::Whole => send(file, StatusCode::OK, headers, whole(size), &self.terms),
            Ranges::Unsatisfiable => Err(FileFault::RangeNotSatisfiable(size)),
            Ranges::Parts(parts) => {
                let segments = match parts.as_slice() {
                    [part] => {
                        if let Ok(value) = HeaderValue::try_from(content_range(*part, size)) {
                            headers.insert(header::CONTENT_RANGE, value);
                        }
                        vec![Segment::Span(*part)]
                    }
                    parts => in_parts(parts, size, &mut headers),
                };
                send(
                    file,
                    StatusCode::PARTIAL_CONTENT,
                    headers,
                    segments,
                    &self.terms,
                )
            }
        }
    }
}

/// Says which state of the file this is, unless somebody has.
fn describe(headers: &mut HeaderMap, size: u64, modified: SystemTime) {
    if !headers.contains_key(header::ETAG)
        && let Ok(tag) = HeaderValue::try_from(entity_tag::of_file(size, modified))
    {
        headers.insert(header::ETAG, tag);
    }
    if !headers.contains_key(header::LAST_MODIFIED)
        && let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(modified))
    {
        headers.insert(header::LAST_MODIFIED, date);
    }
}

fn whole(size: u64) -> Vec<Segment> {
    if size == 0 {
        return Vec::new();
    }
    vec![Segment::Span(Span {
        start: 0,
        length: size,
    })]
}

fn content_range(part: Span, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.last())
}

/// Several parts in one body, each with a head of its own (RFC 9110, 14.6).
fn in_parts(parts: &[Span], size: u64, headers: &mut HeaderMap) -> Vec<Segment> {
    let boundary = uuid::Uuid::new_v4().simple().to_string();
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or(file_type::UNKNOWN)
        .to_owned();
    let mut segments = Vec::with_capacity(parts.len() * 2 + 1);
    for (index, part) in parts.iter().enumerate() {
        let before = if index == 0 { "" } else { "\r\n" };
        let range = content_range(*part, size);
        segments.push(Segment::Text(
            format!(
                "{before}--{boundary}\r\ncontent-type: {media_type}\r\ncontent-range: {range}\r\n\r\n"
            )
            .into(),
        ));
        segments.push(Segment::Span(*part));
    }
    segments.push(Segment::Text(format!("\r\n--{boundary}--\r\n").into()));
    if let Ok(value) = HeaderValue::try_from(format!("multipart/byteranges; boundary={boundary}")) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    segments
}

fn send(
    mut file: File,
    status: StatusCode,
    mut headers: HeaderMap,
    segments: Vec<Segment>,
    terms: &Terms,
) -> Result<Prepared, FileFault> {
    // The body's own length is the true one.
    headers.remove(header::CONTENT_LENGTH);
    let content = match segments.as_slice() {
        [] => Content::Bytes(Bytes::new()),
        [Segment::Span(span)] if span.length <= SMALL && terms.method != Method::HEAD => {
            Content::Bytes(body::read(&mut file, *span)?)
        }
        _ => Content::Parts(file, segments),
    };
    Ok(Prepared {
        status,
        headers,
        content,
    })
}
