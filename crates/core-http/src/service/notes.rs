//! What the server itself reads in the headers of a request.

use http::header::{ACCEPT_ENCODING, EXPECT, HOST, HeaderMap, HeaderValue};

use super::Service;
use crate::accept_encoding;
use crate::request_id::RequestId;

/// Found in one pass over the headers: a look-up for each costs more, since requests have few headers.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// How many `Host` headers there are.
    pub(super) hosts: usize,
    pub(super) has_expect: bool,
    /// What the client calls the request, if the server wants to know.
    pub(super) id: Option<RequestId>,
    /// What the client accepts, if the server compresses anything.
    pub(super) accept_encoding: Option<HeaderValue>,
    /// The head says both how long its body is and that it is chunked.
    pub(super) is_ambiguous: bool,
}

impl Notes {
    pub(super) fn of(service: &Service, headers: &HeaderMap) -> Self {
        let mut notes = Self::default();
        let id_name = service.settings.request_id_header.as_ref();
        for (name, value) in headers {
            if name == HOST {
                notes.hosts += 1;
            } else if name == EXPECT {
                notes.has_expect = true;
            } else if name == ACCEPT_ENCODING {
                if service.compresses && notes.accept_encoding.is_none() {
                    notes.accept_encoding = accept_encoding::joined(headers);
                }
            } else if notes.id.is_none() && id_name == Some(name) {
                // Of several only the first counts, presentable or not.
                notes.id = Some(RequestId::accept_or_new(
                    Some(value.as_bytes()),
                    service.settings.fresh_ids,
                ));
            }
        }
        notes
    }
}
