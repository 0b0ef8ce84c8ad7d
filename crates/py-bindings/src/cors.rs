//! From `spikard.config.CorsConfig` to a policy.

use std::sync::Arc;

use core_http::cors::{Policy, PolicySpec};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

/// The policy of a configuration; none for `None`.
pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<Option<Arc<Policy>>> {
    if config.is_none() {
        return Ok(None);
    }
    let py = config.py();
    let exposed: Option<Vec<String>> = config.getattr(intern!(py, "expose_headers"))?.extract()?;
    let spec = PolicySpec {
        allowed_origins: config.getattr(intern!(py, "allowed_origins"))?.extract()?,
        allowed_origin_regex: config
            .getattr(intern!(py, "allowed_origin_regex"))?
            .extract()?,
        allowed_methods: config.getattr(intern!(py, "allowed_methods"))?.extract()?,
        allowed_headers: config.getattr(intern!(py, "allowed_headers"))?.extract()?,
        expose_headers: exposed.unwrap_or_default(),
        max_age: config.getattr(intern!(py, "max_age"))?.extract()?,
        allow_credentials: config
            .getattr(intern!(py, "allow_credentials"))?
            .extract()?,
        allow_private_network: config
            .getattr(intern!(py, "allow_private_network"))?
            .extract()?,
        block_disallowed: config.getattr(intern!(py, "block_disallowed"))?.extract()?,
    };
    Policy::new(spec)
        .map(|policy| Some(Arc::new(policy)))
        .map_err(|fault| PyValueError::new_err(format!("CorsConfig: {fault}")))
}
