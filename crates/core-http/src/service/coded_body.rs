//! Request bodies that come compressed.

use bytes::Bytes;
use http::header::{self, HeaderValue};

use super::{Endpoint, Service};
use crate::coding::Coding;
use crate::decoding::{DecodeError, decode};
use crate::handler::BodyPolicy;
use crate::problem::Problem;
use crate::request::Head;
use crate::response::Response;

impl Service {
    /// The coding of a body that will be read; the refusal of one that we don't undo.
    pub(super) fn body_coding(
        &self,
        endpoint: &Endpoint,
        policy: &BodyPolicy,
        head: &Head,
    ) -> Result<Option<Coding>, Box<Response>> {
        let headers = &head.parts.headers;
        if *policy == BodyPolicy::Discard || !headers.contains_key(header::CONTENT_ENCODING) {
            return Ok(None);
        }
        let compression = match &endpoint.compression {
            Some(own) => own.as_ref(),
            None => self.settings.compression.as_ref(),
        };
        let is_decoding = compression.is_some_and(|compression| compression.decode_requests);
        let mut tokens = headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(str::trim)
            .filter(|token| !token.is_empty() && !token.eq_ignore_ascii_case("identity"));
        let (first, second) = (tokens.next(), tokens.next());
        match (first, second) {
            (None, _) => return Ok(None),
            (Some(token), None) if is_decoding => {
                if let Some(coding) = Coding::from_token(token) {
                    return Ok(Some(coding));
                }
            }
            _ => {}
        }
        let problem = Problem::unsupported_media_type()
            .with_detail("Unsupported content encoding of the request body");
        let mut response = self.problem(head, problem);
        let taken = if is_decoding {
            "zstd, br, gzip"
        } else {
            "identity"
        };
        response
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, HeaderValue::from_static(taken));
        Err(Box::new(response))
    }
}

/// The body as it was before it was compressed; the head then speaks of that one.
pub(super) async fn decoded(
    coding: Coding,
    body: Bytes,
    limit: Option<u64>,
    head: &mut Head,
) -> Result<Bytes, Problem> {
    if body.is_empty() {
        return Ok(body);
    }
    let most = limit.unwrap_or(u64::MAX);
    // Even a small one may take a while: what it stands for counts.
    let work = tokio::task::spawn_blocking(move || decode(coding, &body, most));
    let body = match work.await {
        Ok(Ok(body)) => body,
        Ok(Err(DecodeError::TooLarge)) => return Err(Problem::payload_too_large(most)),
        Ok(Err(DecodeError::Malformed)) | Err(_) => {
            let detail = format!("The request body is not valid {}", coding.token());
            return Err(Problem::bad_request(detail));
        }
    };
    let headers = &mut head.parts.headers;
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Ok(body)
}
