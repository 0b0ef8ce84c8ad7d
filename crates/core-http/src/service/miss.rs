//! Answers when no handler matches.

use std::rc::Rc;

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};

use super::{Endpoint, Service};
use crate::body::Body;
use crate::problem::Problem;
use crate::request::Head;
use crate::response::Response;
use crate::router::Match;

impl Service {
    /// The answer when no handler matches.
    pub(super) fn miss(&self, head: &Head, found: &Match<'_, Rc<Endpoint>>) -> Response {
        let (method, path) = (&head.parts.method, head.path());
        match found {
            Match::Options { allow } => {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(header::ALLOW, allow.clone());
                response
            }
            Match::MethodNotAllowed { allow } => {
                let mut response = self.problem(head, Problem::method_not_allowed(method.as_str()));
                response.headers_mut().insert(header::ALLOW, allow.clone());
                response
            }
            Match::NotFound if self.settings.health_path.as_deref() == Some(path) => {
                Response::new(Body::Empty)
            }
            Match::NotFound
                if self.settings.redirect_slashes && self.router.alternate_slash(method, path) =>
            {
                self.redirect_slash(head)
            }
            Match::NotFound | Match::Found { .. } => {
                self.problem(head, Problem::not_found(method.as_str(), path))
            }
        }
    }

    fn redirect_slash(&self, head: &Head) -> Response {
        let path = head.path();
        let mut target = match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        if let Some(query) = head.parts.uri.query() {
            target.push('?');
            target.push_str(query);
        }
        let Ok(location) = HeaderValue::from_str(&target) else {
            return self.problem(head, Problem::not_found(head.parts.method.as_str(), path));
        };
        let mut response = Response::default();
        *response.status_mut() = match head.parts.method {
            Method::GET | Method::HEAD => StatusCode::TEMPORARY_REDIRECT,
            _ => StatusCode::PERMANENT_REDIRECT,
        };
        response.headers_mut().insert(header::LOCATION, location);
        response
    }
}
