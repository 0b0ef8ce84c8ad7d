//! Limits and switches of a server, fixed while it runs.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::compression::Compression;
use crate::multipart::PartRules;
use crate::proxies::TrustedProxies;
use crate::request_id::FreshIds;
use crate::security_headers::SecurityHeaders;

/// How the access log writes its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLogFormat {
    Text,
    Json,
}

/// See the configuration reference for each field's meaning and default.
#[derive(Clone, Debug)]
pub struct Settings {
    pub request_id_header: Option<HeaderName>,
    pub fresh_ids: FreshIds,
    pub max_body_size: Option<u64>,
    pub request_timeout: Option<Duration>,
    pub header_read_timeout: Duration,
    pub body_read_timeout: Duration,
    pub keep_alive_timeout: Duration,
    pub max_header_size: usize,
    pub max_headers: usize,
    pub max_uri_length: usize,
    pub max_connections: Option<usize>,
    pub http2: bool,
    pub date_header: bool,
    pub server_header: Option<http::HeaderValue>,
    pub redirect_slashes: bool,
    pub problem_base_url: String,
    pub access_log: Option<AccessLogFormat>,
    pub allowed_hosts: Vec<String>,
    /// Who is believed about where requests come from.
    pub trusted_proxies: Option<TrustedProxies>,
    /// Connections begin with a header of the PROXY protocol.
    pub proxy_protocol: bool,
    /// What the proxy in front takes off the path, without a slash at its end.
    pub root_path: Option<Arc<str>>,
    pub health_path: Option<String>,
    pub metrics_path: Option<String>,
    pub security_headers: Option<SecurityHeaders>,
    pub compression: Option<Arc<Compression>>,
    /// After so many requests the server asks to be replaced.
    pub max_requests: Option<u64>,
    /// What multipart forms may hold.
    pub parts: PartRules,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            request_id_header: Some(HeaderName::from_static("x-request-id")),
            fresh_ids: FreshIds::default(),
            max_body_size: Some(10 * 1024 * 1024),
            request_timeout: Some(Duration::from_secs(30)),
            header_read_timeout: Duration::from_secs(10),
            body_read_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(75),
            max_header_size: 65_536,
            max_headers: 100,
            max_uri_length: 8192,
            max_connections: None,
            http2: true,
            date_header: true,
            server_header: None,
            redirect_slashes: false,
            problem_base_url: "https://spikard.dev/errors/".to_owned(),
            access_log: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: None,
            proxy_protocol: false,
            root_path: None,
            health_path: None,
            metrics_path: None,
            security_headers: None,
            compression: None,
            max_requests: None,
            parts: PartRules::default(),
        }
    }
}
