//! Requests from other sites, at the door.

use http::StatusCode;
use http::header::{self, HeaderMap};

use super::Service;
use crate::cors::{Cors, Kind, Verdict, foreign};
use crate::problem::{Problem, ProblemKind};
use crate::request::Head;
use crate::response::Response;

impl Service {
    /// The answer to a preflight, and the refusal of what may not come in; nothing lets the request go on.
    pub(super) fn check_crossing(&self, cors: &Cors, head: &Head) -> Option<Response> {
        let parts = &head.parts;
        let crossing = cors.crossing(&self.router, parts, &head.origin)?;
        let refusal = match crossing.kind {
            // No browser holds back a WebSocket, so here it is on us even where requests are let through.
            Kind::Foreign
                if crossing.policy.block_disallowed || asks_for_websocket(&parts.headers) =>
            {
                foreign(&parts.headers)
            }
            Kind::Here | Kind::Allowed(_) | Kind::Foreign => return None,
            Kind::Preflight => {
                match crossing.preflight(&self.router, head.path(), &parts.headers) {
                    Verdict::Denied(refusal) => refusal,
                    Verdict::Granted(headers) => {
                        let mut response = Response::default();
                        *response.status_mut() = StatusCode::NO_CONTENT;
                        *response.headers_mut() = headers;
                        return Some(response);
                    }
                }
            }
        };
        let problem = Problem::new(ProblemKind::CorsForbidden).with_detail(refusal);
        Some(self.problem(head, problem))
    }
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
        || headers.contains_key(header::SEC_WEBSOCKET_VERSION)
}
