//! Answers to what is not even HTTP.

use bytes::Bytes;

use super::Service;
use crate::body::Body;
use crate::problem::Problem;
use crate::request_id::RequestId;
use crate::wire::Refusals;

impl Refusals for Service {
    fn refusal(&self, status: u16) -> Option<Bytes> {
        let problem = match status {
            400 => Problem::bad_request("The request could not be parsed as HTTP"),
            414 => Problem::uri_too_long(self.settings.max_uri_length),
            431 => Problem::headers_too_large(self.settings.max_header_size),
            408 => Problem::request_timeout(self.settings.header_read_timeout.as_secs_f64()),
            _ => return None,
        };
        self.refusal_bytes(problem)
    }
}

impl Service {
    /// A whole HTTP/1 answer for a connection that has no request yet.
    pub(crate) fn refusal_bytes(&self, problem: Problem) -> Option<Bytes> {
        let id = self
            .settings
            .request_id_header
            .as_ref()
            .map(|_| RequestId::accept_or_new(None, self.settings.fresh_ids));
        let response = self.render(problem, id.as_ref());
        let status = response.status();
        let Body::Full(body) = response.into_body() else {
            return None;
        };
        let id = match (&self.settings.request_id_header, &id) {
            (Some(name), Some(id)) => format!("{}: {}\r\n", name.as_str(), id.as_str()),
            _ => String::new(),
        };
        let reason = status.canonical_reason().unwrap_or("");
        let mut text = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{id}connection: close\r\ndate: {}\r\n\r\n",
            status.as_u16(),
            body.len(),
            httpdate::fmt_http_date(std::time::SystemTime::now()),
        )
        .into_bytes();
        text.extend_from_slice(&body);
        Some(text.into())
    }
}
