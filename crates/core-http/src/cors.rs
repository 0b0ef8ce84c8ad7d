//! Cross-origin requests: which sites' scripts may call, and what their browsers are told.

mod origins;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;

pub use self::origins::{OriginFault, Origins};
pub use self::policy::{Listed, Policy, PolicyFault, PolicySpec};
use crate::request::Origin;
use crate::router::{Match, RouteId, Router};
use crate::vary;

const PREFLIGHT_VARY: &str =
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// The methods a path takes that no route matches: whatever answers there says so itself.
const EVERY_METHOD: HeaderValue =
    HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");

/// The policies of a server: the general one, and what single routes have in its place.
#[derive(Debug, Default)]
pub struct Cors {
    pub general: Option<Arc<Policy>>,
    /// Routes with a policy of their own; `None` switches it off.
    pub own: HashMap<RouteId, Option<Arc<Policy>>>,
}

/// What a request is to the policy that it falls under.
#[derive(Debug)]
pub(crate) struct Crossing {
    pub(crate) policy: Arc<Policy>,
    pub(crate) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No browser sent it from another site.
    Here,
    /// From a site that may call.
    Allowed(HeaderValue),
    /// From a site that may not.
    Foreign,
    /// The browser asks before it sends the request itself.
    Preflight,
}

/// Why a request is refused: what is said to the client.
pub(crate) type Refusal = String;

/// What a preflight is answered.
pub(crate) enum Verdict {
    Granted(HeaderMap),
    Denied(Refusal),
}

impl Cors {
    /// Whether any policy is in force anywhere.
    pub fn is_active(&self) -> bool {
        self.general.is_some() || self.own.values().any(Option::is_some)
    }

    /// What this request is; nothing if no policy concerns it.
    pub(crate) fn crossing<T>(
        &self,
        router: &Router<T>,
        parts: &Parts,
        origin: &Origin,
    ) -> Option<Crossing> {
        let headers = &parts.headers;
        let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
        let is_preflight = asked.is_some()
            && parts.method == Method::OPTIONS
            && headers.contains_key(header::ORIGIN);
        let path = parts.uri.path();
        let policy = match asked {
            Some(asked) if is_preflight => match Method::from_bytes(asked.as_bytes()) {
                Ok(method) => self.policy(router, &method, path),
                Err(_) => self.general.as_ref(),
            },
            _ => self.policy(router, &parts.method, path),
        }?;
        let kind = match sole(headers) {
            None => Kind::Here,
            Some(Ok(site)) if policy.origins.allow(site) => {
                if is_preflight {
                    Kind::Preflight
                } else {
                    // It has been read as text, so it makes a header again.
                    HeaderValue::from_str(site).map_or(Kind::Foreign, Kind::Allowed)
                }
            }
            Some(Ok(site)) if is_same_origin(site, parts, origin) => Kind::Here,
            Some(_) if is_preflight => Kind::Preflight,
            Some(_) => Kind::Foreign,
        };
        Some(Crossing {
            policy: Arc::clone(policy),
            kind,
        })
    }

    fn policy<T>(&self, router: &Router<T>, method: &Method, path: &str) -> Option<&Arc<Policy>> {
        if self.own.is_empty() {
            return self.general.as_ref();
        }
        let own = match router.find(method, path) {
            Match::Found { id, .. } => self.own.get(&id),
            _ => None,
        };
        match own {
            Some(own) => own.as_ref(),
            None => self.general.as_ref(),
        }
    }
}

impl Crossing {
    /// Answers a preflight.
    pub(crate) fn preflight<T>(
        &self,
        router: &Router<T>,
        path: &str,
        headers: &HeaderMap,
    ) -> Verdict {
        let site = match sole(headers) {
            Some(Ok(site)) if self.policy.origins.allow(site) => site,
            _ => return Verdict::Denied(foreign(headers)),
        };
        let method = text(headers, &header::ACCESS_CONTROL_REQUEST_METHOD);
        if !self.policy.methods.has(method) {
            return Verdict::Denied(format!(
                "CORS request with method '{}' not allowed",
                cut(method)
            ));
        }
        let names: Vec<&str> = headers
            .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if let Some(name) = names.iter().find(|name| !self.policy.takes_header(name)) {
            return Verdict::Denied(format!(
                "CORS request with header '{}' not allowed",
                cut(name)
            ));
        }
        let wants_private = headers
            .get("access-control-request-private-network")
            .is_some_and(|value| value == "true");
        let methods = || router.allow(path).unwrap_or(EVERY_METHOD);
        let granted = self.policy.grant(site, methods, &names, wants_private);
        Verdict::Granted(granted)
    }

    /// Adds to any other answer what the browser has to know.
    pub(crate) fn mark(&self, headers: &mut HeaderMap) {
        match &self.kind {
            Kind::Preflight => vary::add(headers, PREFLIGHT_VARY),
            Kind::Here | Kind::Foreign => vary::add(headers, "Origin"),
            Kind::Allowed(site) => {
                self.policy.mark(site, headers);
                vary::add(headers, "Origin");
            }
        }
    }
}

/// What is said of a request from a site that may not call.
pub(crate) fn foreign(headers: &HeaderMap) -> Refusal {
    let site = text(headers, &header::ORIGIN);
    format!("CORS request from origin '{}' not allowed", cut(site))
}

/// The origin as text; an error when it is none, or when there are several.
fn sole(headers: &HeaderMap) -> Option<Result<&str, ()>> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let first = values.next()?;
    Some(match (first.to_str(), values.next()) {
        (Ok(site), None) => Ok(site),
        _ => Err(()),
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("?")
}

/// Origins in details are no longer than this.
const LONGEST_SHOWN: usize = 200;

fn cut(text: &str) -> &str {
    // Only ASCII gets here, so every byte is a border.
    text.get(..LONGEST_SHOWN).unwrap_or(text)
}

/// Whether the origin is the very place that the request was sent to.
fn is_same_origin(site: &str, parts: &Parts, origin: &Origin) -> bool {
    let Some((scheme, authority)) = site.split_once("://") else {
        return false;
    };
    let (here, default_port) = if origin.secure {
        ("https", ":443")
    } else {
        ("http", ":80")
    };
    let host = origin.host_of(parts);
    let host = host.map(|host| host.strip_suffix(default_port).unwrap_or(host));
    scheme == here && host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
}
