//! What a route says about the answers of its handler.

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};

use super::Endpoint;
use crate::compression::RouteCompression;
use crate::response::Response;

/// Kept while the handler runs; a route with nothing to say has none.
pub(super) struct RouteMarks {
    compression: Option<RouteCompression>,
    cache_control: Option<HeaderValue>,
}

impl RouteMarks {
    pub(super) fn of(endpoint: &Endpoint) -> Option<Self> {
        if endpoint.compression.is_none() && endpoint.cache_control.is_none() {
            return None;
        }
        Some(Self {
            compression: RouteCompression::of(endpoint),
            cache_control: endpoint.cache_control.clone(),
        })
    }

    /// The answer as the route wants it.
    pub(super) fn put(self, mut response: Response) -> Response {
        if let Some(value) = self.cache_control
            && is_worth_keeping(response.status())
        {
            // What the handler says wins.
            response.headers_mut().entry(CACHE_CONTROL).or_insert(value);
        }
        match self.compression {
            Some(own) => own.mark(response),
            None => response,
        }
    }
}

/// Errors and redirections are not what the route was asked to keep.
fn is_worth_keeping(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}
