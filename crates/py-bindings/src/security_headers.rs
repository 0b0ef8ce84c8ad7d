//! From `spikard.config.SecurityHeadersConfig` to headers.

use core_http::security_headers::SecurityHeaders;
use http::{HeaderName, HeaderValue};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

fn read_headers(
    config: &Bound<'_, PyAny>,
    method: &str,
) -> PyResult<Vec<(HeaderName, HeaderValue)>> {
    let headers: Vec<(String, String)> = config.call_method0(method)?.extract()?;
    headers
        .into_iter()
        .map(|(name, value)| {
            let refused = || {
                PyValueError::new_err(format!(
                    "SecurityHeadersConfig: {name}: {value:?} is not a header value"
                ))
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
            let value = HeaderValue::from_str(&value).map_err(|_| refused())?;
            Ok((name, value))
        })
        .collect()
}

/// The headers of a configuration; none for `None`.
pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<Option<SecurityHeaders>> {
    if config.is_none() {
        return Ok(None);
    }
    Ok(Some(SecurityHeaders {
        always: read_headers(config, "headers")?,
        encrypted: read_headers(config, "secure_headers")?,
    }))
}
