//! Refusals that need only the head.

use http::{HeaderValue, Method, Version, header};
use hyper::ext::Protocol;

use super::notes::Notes;
use super::{Service, close_after};
use crate::problem::Problem;
use crate::request::Head;
use crate::response::Response;
use crate::router;

impl Service {
    /// Refusals that need only the head.
    pub(super) fn check_head(&self, head: &Head, notes: &Notes) -> Option<Response> {
        let settings = &self.settings;
        let uri = &head.parts.uri;
        if head.parts.method == Method::CONNECT && head.parts.extensions.get::<Protocol>().is_none()
        {
            // Nobody tunnels through here; what HTTP/2 opens a WebSocket with names its protocol.
            let mut response = self.problem(head, Problem::method_not_allowed("CONNECT"));
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static(""));
            return Some(response);
        }
        let length = uri
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        if length > settings.max_uri_length {
            let mut response = self.problem(head, Problem::uri_too_long(settings.max_uri_length));
            close_after(&mut response);
            return Some(response);
        }
        if let Err(error) = router::check_path(uri.path()) {
            return Some(self.problem(
                head,
                Problem::invalid_encoding(&format!("the path: {error}")),
            ));
        }
        if notes.has_expect
            && !head
                .header(header::EXPECT)
                .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            return Some(self.problem(head, Problem::expectation_failed()));
        }
        let fault = match notes.hosts {
            _ if notes.is_ambiguous => "Content-Length and Transfer-Encoding exclude each other",
            0 if head.parts.version == Version::HTTP_11 => "The Host header is missing",
            0 | 1 => "",
            _ => "There is more than one Host header",
        };
        if !fault.is_empty() {
            let mut response = self.problem(head, Problem::bad_request(fault));
            close_after(&mut response);
            return Some(response);
        }
        if !settings.allowed_hosts.is_empty() && !self.host_allowed(head) {
            let host = head.host().unwrap_or("");
            return Some(self.problem(head, Problem::invalid_host(host)));
        }
        None
    }

    fn host_allowed(&self, head: &Head) -> bool {
        let host = head.host().unwrap_or("");
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, _)) => inner,
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        self.settings
            .allowed_hosts
            .iter()
            .any(|allowed| match allowed.strip_prefix("*.") {
                Some(domain) => name.len().checked_sub(domain.len() + 1).is_some_and(|dot| {
                    name.as_bytes()[dot] == b'.'
                        && name.as_bytes()[dot + 1..].eq_ignore_ascii_case(domain.as_bytes())
                }),
                None => allowed == "*" || allowed.eq_ignore_ascii_case(name),
            })
    }
}
