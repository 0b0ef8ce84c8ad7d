//! Answers when no handler matches.

use std::rc::Rc;

use http::header::{self, HeaderValue};
use http::{Method, StatusCode};

use super::{Endpoint, Service};
use crate::body::Body;
use crate::metrics;
use crate::problem::Problem;
use crate::request::Head;
use crate::response::Response;
use crate::router::Match;

impl Service {
    /// The answer when no handler matches.
    pub(super) fn miss(&self, head: &Head, found: &Match<'_, Rc<Endpoint>>) -> Response {
        let (method, path) = (&head.parts.method, head.path());
        if !is_known(method) {
            return self.problem(head, Problem::not_implemented());
        }
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
            Match::NotFound if self.has_page(path) => self.page(head),
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

    /// Whether the server itself has something at this path.
    pub(super) fn has_page(&self, path: &str) -> bool {
        let settings = &self.settings;
        let is_at = |page: &Option<String>| page.as_deref() == Some(path);
        is_at(&settings.health_path) || (self.metrics.is_some() && is_at(&settings.metrics_path))
    }

    fn page(&self, head: &Head) -> Response {
        const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
        let method = &head.parts.method;
        let mut response = match *method {
            Method::GET | Method::HEAD => match &self.metrics {
                Some(metrics) if self.settings.metrics_path.as_deref() == Some(head.path()) => {
                    let text = metrics.to_text();
                    let mut response = Response::new(Body::Full(text.into()));
                    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
                    response.headers_mut().insert(header::CONTENT_TYPE, kind);
                    response
                }
                _ => Response::new(Body::Empty),
            },
            Method::OPTIONS => {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(header::ALLOW, ALLOW);
                response
            }
            _ => {
                let mut response = self.problem(head, Problem::method_not_allowed(method.as_str()));
                response.headers_mut().insert(header::ALLOW, ALLOW);
                response
            }
        };
        let headers = response.headers_mut();
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        response
    }

    fn redirect_slash(&self, head: &Head) -> Response {
        let path = head.path();
        let root = self.settings.root_path.as_deref().unwrap_or("");
        let mut target = match path.strip_suffix('/') {
            Some(without) => format!("{root}{without}"),
            None => format!("{root}{path}/"),
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

/// Whether it is a method that anything here could have been made for; routes for others have been looked for already.
fn is_known(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET
            | Method::HEAD
            | Method::POST
            | Method::PUT
            | Method::PATCH
            | Method::DELETE
            | Method::OPTIONS
            | Method::TRACE
            | Method::CONNECT
    )
}
