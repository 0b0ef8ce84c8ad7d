//! The problems the server answers with, each with its text.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::json;

use super::{Problem, ProblemKind};

/// Longest part of a request's path that is repeated in a detail, in characters.
const PATH_LIMIT: usize = 200;

impl Problem {
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::BadRequest).with_detail(detail)
    }

    /// A JSON body that cannot be read; `offset` is the byte where reading stopped.
    pub fn invalid_json(offset: usize, error: &str) -> Self {
        let errors = json!([{
            "type": "json_invalid",
            "loc": ["body", offset],
            "msg": "JSON decode error",
            "ctx": {"error": error},
        }]);
        Self::new(ProblemKind::InvalidJson)
            .with_detail("Invalid request format")
            .with_errors(errors.to_string())
    }

    pub fn json_too_deep(limit: usize) -> Self {
        Self::new(ProblemKind::InvalidJson).with_detail(format!(
            "Request body exceeds maximum nesting depth of {limit}"
        ))
    }

    /// Percent-encoding or text that is not UTF-8; `part` names where, as in `path` or `query string`.
    pub fn invalid_encoding(part: &str) -> Self {
        Self::new(ProblemKind::InvalidEncoding).with_detail(format!("Invalid encoding in {part}"))
    }

    pub fn invalid_host(host: &str) -> Self {
        Self::new(ProblemKind::InvalidHost)
            .with_detail(format!("Host '{}' is not allowed", cut(host)))
    }

    pub fn missing_boundary() -> Self {
        const TEXT: &str = "multipart/form-data requires 'boundary' parameter";
        Self::bad_request(TEXT).with_member("error", TEXT)
    }

    pub fn unauthorized(
        title: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ProblemKind::Unauthorized)
            .with_title(title)
            .with_detail(detail)
    }

    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::Forbidden).with_detail(detail)
    }

    pub fn cors_forbidden(origin: &str) -> Self {
        Self::new(ProblemKind::CorsForbidden)
            .with_detail(format!("CORS request from origin '{origin}' not allowed"))
    }

    pub fn not_found(method: &str, path: &str) -> Self {
        Self::new(ProblemKind::NotFound)
            .with_detail(format!("No route matches {method} {}", cut(path)))
    }

    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(ProblemKind::MethodNotAllowed)
            .with_detail(format!("Method {method} is not allowed"))
    }

    pub fn not_acceptable(produces: &[&str]) -> Self {
        Self::new(ProblemKind::NotAcceptable)
            .with_detail(format!("Available: {}", produces.join(", ")))
    }

    pub fn request_timeout(seconds: f64) -> Self {
        Self::new(ProblemKind::RequestTimeout)
            .with_detail(format!("Request timed out after {seconds} seconds"))
    }

    pub fn payload_too_large(limit: u64) -> Self {
        Self::new(ProblemKind::PayloadTooLarge).with_detail(format!(
            "Request body size exceeds maximum allowed size of {limit} bytes"
        ))
    }

    /// Too many fields, files or too large a part: a 413 that names another limit than the body's.
    pub fn payload_limit(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::PayloadTooLarge).with_detail(detail)
    }

    pub fn uri_too_long(limit: usize) -> Self {
        Self::new(ProblemKind::UriTooLong).with_detail(format!(
            "Request URI exceeds maximum allowed length of {limit} bytes"
        ))
    }

    pub fn headers_too_large(limit: usize) -> Self {
        Self::new(ProblemKind::HeaderFieldsTooLarge).with_detail(format!(
            "Request headers exceed maximum allowed size of {limit} bytes"
        ))
    }

    pub fn too_many_headers(limit: usize) -> Self {
        Self::new(ProblemKind::HeaderFieldsTooLarge).with_detail(format!(
            "Request exceeds maximum allowed number of {limit} headers"
        ))
    }

    pub fn unsupported_media_type() -> Self {
        Self::new(ProblemKind::UnsupportedMediaType).with_detail("Unsupported media type")
    }

    pub fn unsupported_charset(charset: &str) -> Self {
        Self::new(ProblemKind::UnsupportedCharset).with_detail(format!(
            "Unsupported charset '{charset}' for JSON. Only UTF-8 is supported."
        ))
    }

    pub fn range_not_satisfiable() -> Self {
        Self::new(ProblemKind::RangeNotSatisfiable)
    }

    pub fn expectation_failed() -> Self {
        Self::new(ProblemKind::ExpectationFailed)
    }

    pub fn upgrade_required(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::UpgradeRequired).with_detail(detail)
    }

    /// `count` is the number of all faults; `errors` may hold fewer of them.
    pub fn validation_error(count: usize, errors: impl Into<Bytes>, is_truncated: bool) -> Self {
        let plural = if count == 1 { "" } else { "s" };
        let problem = Self::new(ProblemKind::ValidationError)
            .with_detail(format!("{count} validation error{plural} in request"))
            .with_errors(errors);
        if is_truncated {
            problem.with_member("errors_truncated", true)
        } else {
            problem
        }
    }

    pub fn rate_limited(seconds: u64) -> Self {
        Self::new(ProblemKind::RateLimited).with_detail(format!(
            "Rate limit exceeded. Try again in {seconds} seconds."
        ))
    }

    /// What a client may know of a failure: nothing.
    pub fn internal_server_error() -> Self {
        Self::new(ProblemKind::InternalServerError).with_detail("Internal server error")
    }

    pub fn dependency_error(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::DependencyError).with_detail(detail)
    }

    pub fn not_implemented() -> Self {
        Self::new(ProblemKind::NotImplemented)
    }

    pub fn service_unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::ServiceUnavailable).with_detail(detail)
    }
}

fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(PATH_LIMIT)
        .map_or(text, |(end, _)| &text[..end])
}
