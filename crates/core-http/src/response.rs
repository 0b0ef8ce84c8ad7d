//! Answers, and problems as answers.

use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};

use crate::body::Body;
use crate::problem::{self, Problem};

/// An answer.
pub type Response = http::Response<Body>;

impl Problem {
    /// The problem as an answer, with the headers its kind calls for.
    pub fn into_response(self, base_url: &str, request_id: Option<&str>) -> Response {
        let (no_store, closing) = (self.is_no_store(), self.is_closing());
        let problem = match request_id {
            Some(id) => self.with_request_id(id),
            None => self,
        };
        let mut response = Response::new(Body::from(problem.to_json(base_url)));
        *response.status_mut() = problem.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(problem::CONTENT_TYPE),
        );
        if no_store {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if closing {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
