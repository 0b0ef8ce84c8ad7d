//! Compression of answers: what is worth it, by which coding, and who does the work.

mod encoder;
mod stream;

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http_body::Body as HttpBody;

pub(crate) use self::encoder::Encoder;
use self::stream::Compressed;
use crate::accept_encoding::AcceptEncoding;
use crate::body::Body;
use crate::coding::Coding;
use crate::handler::Reply;
use crate::response::Response;
use crate::service::Endpoint;
use crate::vary;

/// Bodies up to this many bytes are compressed at once: handing them to another thread would take longer.
const AT_ONCE: usize = 8 * 1024;

/// How answers are compressed.
#[derive(Clone, Debug)]
pub struct Compression {
    /// What is offered, the dearest first.
    pub codings: Vec<Coding>,
    /// Smaller bodies stay as they are.
    pub min_size: u64,
    /// From 0, the fastest, to 11; gzip knows 1 to 9.
    pub quality: u32,
    /// Media types to leave alone: `text/csv`, `image/*`.
    pub exclude_types: Vec<String>,
    /// Whether compressed request bodies are taken.
    pub decode_requests: bool,
}

/// A route's own choice, which its answers carry as an extension; `None` leaves them alone.
#[derive(Clone, Debug)]
pub(crate) struct RouteCompression(pub(crate) Option<Arc<Compression>>);

impl RouteCompression {
    pub(crate) fn of(endpoint: &Endpoint) -> Option<Self> {
        endpoint.compression.clone().map(Self)
    }

    /// The answer with the choice on it.
    pub(crate) fn mark(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

impl Compression {
    /// Whether a body is of a size that is worth a closer look. This is all that small answers cost.
    pub(crate) fn is_worth_a_look(&self, body: &Body) -> bool {
        match body {
            Body::Empty | Body::Upgrade(_) => false,
            Body::Full(bytes) => bytes.len() as u64 >= self.min_size,
            Body::Stream(stream) => stream
                .size_hint()
                .exact()
                .is_none_or(|size| size >= self.min_size && size > 0),
        }
    }

    /// The answer in the coding its client likes best. `is_asked` takes in event streams, too.
    pub(crate) fn apply(
        &self,
        mut response: Response,
        accept: Option<&HeaderValue>,
        is_asked: bool,
    ) -> Reply {
        if !self.is_eligible(&response, is_asked) {
            return Reply::Ready(response);
        }
        vary::add(response.headers_mut(), "Accept-Encoding");
        let chosen = accept
            .and_then(|accept| accept.to_str().ok())
            .and_then(|text| AcceptEncoding::parse(text).choose(&self.codings));
        match chosen {
            Some(coding) => self.compress(response, coding),
            None => Reply::Ready(response),
        }
    }

    fn is_eligible(&self, response: &Response, is_asked: bool) -> bool {
        let (status, headers) = (response.status(), response.headers());
        let has_body = !status.is_informational()
            && !matches!(
                status,
                StatusCode::NO_CONTENT
                    | StatusCode::RESET_CONTENT
                    | StatusCode::PARTIAL_CONTENT
                    | StatusCode::NOT_MODIFIED
            );
        has_body
            && !headers.contains_key(header::CONTENT_ENCODING)
            && !headers.contains_key(header::CONTENT_RANGE)
            && !forbids_transforming(headers)
            && headers
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|content_type| self.takes_type(content_type, is_asked))
    }

    fn takes_type(&self, content_type: &str, is_asked: bool) -> bool {
        let essence = content_type.split(';').next().unwrap_or("").trim();
        let is_excluded =
            self.exclude_types
                .iter()
                .any(|excluded| match excluded.strip_suffix("/*") {
                    Some(kind) => essence
                        .split_once('/')
                        .is_some_and(|(own, _)| own.eq_ignore_ascii_case(kind)),
                    None => essence.eq_ignore_ascii_case(excluded),
                });
        !is_excluded && is_compressible(&essence.to_ascii_lowercase(), is_asked)
    }

    fn compress(&self, response: Response, coding: Coding) -> Reply {
        let (parts, body) = response.into_parts();
        let quality = self.quality;
        match body {
            Body::Full(bytes) if bytes.len() > AT_ONCE => Reply::Later(Box::pin(async move {
                let original = bytes.clone();
                let work = move || Encoder::whole(coding, quality, &bytes);
                let coded = tokio::task::spawn_blocking(work).await;
                finished(parts, coding, original, coded.ok().and_then(Result::ok))
            })),
            Body::Full(bytes) => {
                let coded = Encoder::whole(coding, quality, &bytes).ok();
                Reply::Ready(finished(parts, coding, bytes, coded))
            }
            Body::Stream(stream) => {
                // What a handler sends bit by bit has to arrive bit by bit; a file need not.
                let size = stream.size_hint().exact();
                let Ok(encoder) = Encoder::new(coding, quality, size) else {
                    return Reply::Ready(Response::from_parts(parts, Body::Stream(stream)));
                };
                let body = Compressed::new(stream, encoder, size.is_none());
                let mut response = Response::from_parts(parts, Body::Stream(Box::pin(body)));
                declare(response.headers_mut(), coding);
                Reply::Ready(response)
            }
            Body::Empty | Body::Upgrade(_) => Reply::Ready(Response::from_parts(parts, body)),
        }
    }
}

/// The answer with its coded body, or as it was if that did not work.
fn finished(
    parts: http::response::Parts,
    coding: Coding,
    original: Bytes,
    coded: Option<Bytes>,
) -> Response {
    let Some(coded) = coded else {
        return Response::from_parts(parts, Body::Full(original));
    };
    let mut response = Response::from_parts(parts, Body::Full(coded));
    declare(response.headers_mut(), coding);
    response
}

/// Sets the headers right for a body that is not the one they were written for.
fn declare(headers: &mut HeaderMap, coding: Coding) {
    headers.insert(
        header::CONTENT_ENCODING,
        HeaderValue::from_static(coding.token()),
    );
    headers.remove(header::CONTENT_LENGTH);
    // Ranges would be those of the plain body.
    headers.remove(header::ACCEPT_RANGES);
    if let Some(tag) = headers.get(header::ETAG)
        && tag.as_bytes().starts_with(b"\"")
    {
        let weak = [b"W/", tag.as_bytes()].concat();
        if let Ok(weak) = HeaderValue::from_bytes(&weak) {
            headers.insert(header::ETAG, weak);
        }
    }
}

fn forbids_transforming(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

/// Whether bodies of a type get smaller by it. The type is in lower case, without parameters.
fn is_compressible(essence: &str, is_asked: bool) -> bool {
    if essence == "text/event-stream" {
        return is_asked;
    }
    let Some((kind, subtype)) = essence.split_once('/') else {
        return false;
    };
    match kind {
        "text" => true,
        "application" => {
            subtype.ends_with("+json")
                || subtype.ends_with("+xml")
                || subtype.ends_with("+yaml")
                || matches!(
                    subtype,
                    "json"
                        | "xml"
                        | "javascript"
                        | "x-javascript"
                        | "ecmascript"
                        | "wasm"
                        | "x-www-form-urlencoded"
                        | "x-ndjson"
                        | "ndjson"
                        | "jsonl"
                        | "json-seq"
                        | "yaml"
                        | "x-yaml"
                )
        }
        "image" => subtype == "svg+xml",
        _ => false,
    }
}

#[cfg(test)]
mod tests;
