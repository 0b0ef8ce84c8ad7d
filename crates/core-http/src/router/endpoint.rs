//! What the routes of one pattern answer: a table by method, and the `Allow` header.

use std::collections::BTreeSet;

use http::{HeaderValue, Method};

use super::RouteId;

/// The methods that have a slot of their own.
const STANDARD: [Method; 9] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];
const GET: usize = 0;

/// The place of a method in [`STANDARD`].
#[inline]
fn slot(method: &Method) -> Option<usize> {
    Some(match *method {
        Method::GET => GET,
        Method::POST => 1,
        Method::PUT => 2,
        Method::PATCH => 3,
        Method::DELETE => 4,
        Method::HEAD => 5,
        Method::OPTIONS => 6,
        Method::TRACE => 7,
        Method::CONNECT => 8,
        _ => return None,
    })
}

/// The routes of one pattern.
#[derive(Debug)]
pub(super) struct Endpoint {
    standard: [Option<RouteId>; STANDARD.len()],
    custom: Vec<(Method, RouteId)>,
    allow: HeaderValue,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            standard: [None; STANDARD.len()],
            custom: Vec::new(),
            allow: HeaderValue::from_static("OPTIONS"),
        }
    }
}

impl Endpoint {
    /// Add a route, or give the one that has the method already.
    pub(super) fn add(&mut self, method: &Method, id: RouteId) -> Option<RouteId> {
        if let Some(existing) = self.own(method) {
            return Some(existing);
        }
        match slot(method) {
            Some(index) => self.standard[index] = Some(id),
            None => self.custom.push((method.clone(), id)),
        }
        let mut methods = MethodSet::default();
        self.add_methods_to(&mut methods);
        self.allow = methods.to_allow();
        None
    }

    /// The route of a method, and whether it is that of GET for a HEAD.
    #[inline]
    pub(super) fn route(&self, method: &Method) -> Option<(RouteId, bool)> {
        if let Some(id) = self.own(method) {
            return Some((id, false));
        }
        if *method == Method::HEAD {
            self.standard[GET].map(|id| (id, true))
        } else {
            None
        }
    }

    pub(super) const fn allow(&self) -> &HeaderValue {
        &self.allow
    }

    pub(super) fn add_methods_to<'e>(&'e self, methods: &mut MethodSet<'e>) {
        for (method, id) in STANDARD.iter().zip(&self.standard) {
            if id.is_some() {
                methods.0.insert(method.as_str());
            }
        }
        methods
            .0
            .extend(self.custom.iter().map(|(method, _)| method.as_str()));
        if self.standard[GET].is_some() {
            methods.0.insert("HEAD");
        }
    }

    #[inline]
    fn own(&self, method: &Method) -> Option<RouteId> {
        match slot(method) {
            Some(index) => self.standard[index],
            None => self
                .custom
                .iter()
                .find(|(known, _)| known == method)
                .map(|&(_, id)| id),
        }
    }
}

/// Methods on their way to an `Allow` header; sorted.
#[derive(Debug, Default)]
pub(super) struct MethodSet<'e>(BTreeSet<&'e str>);

impl MethodSet<'_> {
    /// The header; OPTIONS is always answered.
    pub(super) fn to_allow(&self) -> HeaderValue {
        let mut names = self.0.clone();
        names.insert("OPTIONS");
        let text = names.into_iter().collect::<Vec<_>>().join(", ");
        // A method is a token and a header value takes every token, so the other case is never met.
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("OPTIONS"))
    }
}
