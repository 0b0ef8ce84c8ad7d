//! One policy, compiled from its configuration.

use http::header::{self, HeaderMap, HeaderValue};
use thiserror::Error;

use super::origins::{OriginFault, Origins};

/// Names that scripts of any site may send anyway (the Fetch standard's safelist).
const SAFELISTED: [&str; 5] = [
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "range",
];

/// A policy that cannot be compiled.
#[derive(Debug, Error)]
pub enum PolicyFault {
    #[error(transparent)]
    Origin(#[from] OriginFault),
    #[error("{field} does not make a header: {text:?}")]
    Header { field: &'static str, text: String },
}

/// A policy as it is configured.
#[derive(Clone, Debug)]
pub struct PolicySpec {
    pub allowed_origins: Vec<String>,
    pub allowed_origin_regex: Option<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age: u64,
    pub allow_credentials: bool,
    pub allow_private_network: bool,
    pub block_disallowed: bool,
}

/// Which origins may call, with which methods and headers.
#[derive(Debug)]
pub struct Policy {
    pub(super) origins: Origins,
    pub(super) methods: Listed,
    headers: Listed,
    expose: Option<HeaderValue>,
    max_age: HeaderValue,
    allow_credentials: bool,
    allow_private_network: bool,
    pub(crate) block_disallowed: bool,
}

/// Names that are allowed, and the header that says so; `None` allows all.
#[derive(Debug)]
pub struct Listed(Option<(Vec<String>, HeaderValue)>);

impl Listed {
    fn new(field: &'static str, names: Vec<String>) -> Result<Self, PolicyFault> {
        if names.iter().any(|name| name == "*") {
            return Ok(Self(None));
        }
        let value = header(field, &names)?;
        Ok(Self(Some((names, value))))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|(names, _)| names.iter().any(|known| known == name))
    }

    fn has_ignoring_case(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|(names, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }

    fn value(&self) -> Option<&HeaderValue> {
        self.0.as_ref().map(|(_, value)| value)
    }
}

fn header(field: &'static str, names: &[String]) -> Result<HeaderValue, PolicyFault> {
    let text = names.join(", ");
    HeaderValue::from_str(&text).map_err(|_| PolicyFault::Header { field, text })
}

impl Policy {
    pub fn new(spec: PolicySpec) -> Result<Self, PolicyFault> {
        Ok(Self {
            origins: Origins::new(spec.allowed_origins, spec.allowed_origin_regex.as_deref())?,
            methods: Listed::new("allowed_methods", spec.allowed_methods)?,
            headers: Listed::new("allowed_headers", spec.allowed_headers)?,
            expose: if spec.expose_headers.is_empty() {
                None
            } else {
                Some(header("expose_headers", &spec.expose_headers)?)
            },
            max_age: HeaderValue::from(spec.max_age),
            allow_credentials: spec.allow_credentials,
            allow_private_network: spec.allow_private_network,
            block_disallowed: spec.block_disallowed,
        })
    }

    /// Whether requests may carry a header of this name.
    pub(super) fn takes_header(&self, name: &str) -> bool {
        let is_token = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        is_token
            && (self.headers.has_ignoring_case(name)
                || SAFELISTED
                    .iter()
                    .any(|listed| listed.eq_ignore_ascii_case(name)))
    }

    /// The headers of an answer to a preflight that is granted.
    pub(super) fn grant(
        &self,
        site: &str,
        methods: impl FnOnce() -> HeaderValue,
        names: &[&str],
        wants_private: bool,
    ) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        // What was compared as text makes a header again, so the other case is never met.
        let site = HeaderValue::from_str(site).unwrap_or(HeaderValue::from_static("null"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.named(&site));
        let methods = self.methods.value().cloned().unwrap_or_else(methods);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        if !names.is_empty() {
            let asked = || HeaderValue::from_str(&names.join(", ")).ok();
            if let Some(value) = self.headers.value().cloned().or_else(asked) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, value);
            }
        }
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        if self.allow_credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if wants_private && self.allow_private_network {
            headers.insert("access-control-allow-private-network", TRUE);
        }
        headers
    }

    /// Lets the scripts of `site` read this answer, unless its handler has decided about that already.
    pub(super) fn mark(&self, site: &HeaderValue, headers: &mut HeaderMap) {
        if !headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.named(site));
            if self.allow_credentials {
                headers
                    .entry(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
                    .or_insert(TRUE);
            }
        }
        if let Some(expose) = &self.expose {
            headers
                .entry(header::ACCESS_CONTROL_EXPOSE_HEADERS)
                .or_insert_with(|| expose.clone());
        }
    }

    fn named(&self, site: &HeaderValue) -> HeaderValue {
        if self.origins.is_any() && !self.allow_credentials && site != "null" {
            HeaderValue::from_static("*")
        } else {
            site.clone()
        }
    }
}

const TRUE: HeaderValue = HeaderValue::from_static("true");
