//! From `spikard.config.ServerConfig` to the server's settings.

use std::sync::Arc;
use std::time::Duration;

use core_http::proxies::TrustedProxies;
use core_http::request_id::FreshIds;
use core_http::settings::{AccessLogFormat, Settings};
use http::{HeaderName, HeaderValue};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::{compression, part_rules, security_headers};

fn seconds(config: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Duration>> {
    let value: Option<f64> = config.getattr(name)?.extract()?;
    value
        .map(|value| {
            Duration::try_from_secs_f64(value).map_err(|error| {
                PyValueError::new_err(format!("{name} is not a duration: {error}"))
            })
        })
        .transpose()
}

/// A limit on time that `None` switches off.
fn long_seconds(config: &Bound<'_, PyAny>, name: &str) -> PyResult<Duration> {
    const A_YEAR: Duration = Duration::from_secs(365 * 86_400);
    Ok(seconds(config, name)?.unwrap_or(A_YEAR).min(A_YEAR))
}

fn text_header(name: &str, value: &str) -> PyResult<HeaderValue> {
    HeaderValue::from_str(value)
        .map_err(|_| PyValueError::new_err(format!("{name} is not a header value: {value:?}")))
}

fn trusted_proxies(config: &Bound<'_, PyAny>) -> PyResult<Option<TrustedProxies>> {
    let listed: Vec<String> = config.getattr("trusted_proxies")?.extract()?;
    if listed.is_empty() {
        return Ok(None);
    }
    TrustedProxies::new(listed)
        .map(Some)
        .map_err(|fault| PyValueError::new_err(fault.to_string()))
}

fn root_path(config: &Bound<'_, PyAny>) -> PyResult<Option<Arc<str>>> {
    let path: String = config.getattr("root_path")?.extract()?;
    Ok((!path.is_empty()).then(|| path.into()))
}

pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<Settings> {
    let request_id_header = if config.getattr("enable_request_id")?.is_truthy()? {
        let name: String = config.getattr("request_id_header")?.extract()?;
        Some(HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            PyValueError::new_err(format!("request_id_header is not a header name: {name:?}"))
        })?)
    } else {
        None
    };
    let fresh_ids = match config.getattr("request_id_version")?.extract()? {
        7 => FreshIds::Sorted,
        _ => FreshIds::Random,
    };
    let max_body_size: Option<u64> = config.getattr("max_body_size")?.extract()?;
    let access_log = config.getattr("access_log")?;
    let access_log = match access_log.extract::<String>() {
        Ok(format) if format == "json" => Some(AccessLogFormat::Json),
        Ok(_) => Some(AccessLogFormat::Text),
        Err(_) if access_log.is_truthy()? => Some(AccessLogFormat::Text),
        Err(_) => None,
    };
    let server_header: Option<String> = config.getattr("server_header")?.extract()?;
    Ok(Settings {
        compression: compression::read(&config.getattr("compression")?)?,
        request_id_header,
        fresh_ids,
        max_body_size: max_body_size.filter(|&limit| limit > 0),
        request_timeout: seconds(config, "request_timeout")?,
        header_read_timeout: long_seconds(config, "header_read_timeout")?,
        body_read_timeout: long_seconds(config, "body_read_timeout")?,
        keep_alive_timeout: long_seconds(config, "keep_alive_timeout")?,
        max_header_size: config.getattr("max_header_size")?.extract()?,
        max_headers: config.getattr("max_headers")?.extract()?,
        max_uri_length: config.getattr("max_uri_length")?.extract()?,
        max_connections: config.getattr("max_connections")?.extract()?,
        http2: config.getattr("http2")?.is_truthy()?,
        date_header: config.getattr("date_header")?.is_truthy()?,
        server_header: server_header
            .map(|value| text_header("server_header", &value))
            .transpose()?,
        redirect_slashes: config.getattr("redirect_slashes")?.is_truthy()?,
        problem_base_url: config.getattr("problem_base_url")?.extract()?,
        access_log,
        allowed_hosts: config.getattr("allowed_hosts")?.extract()?,
        trusted_proxies: trusted_proxies(config)?,
        proxy_protocol: config.getattr("proxy_protocol")?.is_truthy()?,
        root_path: root_path(config)?,
        health_path: config.getattr("health_path")?.extract()?,
        metrics_path: config.getattr("metrics_path")?.extract()?,
        security_headers: security_headers::read(&config.getattr("security_headers")?)?,
        max_requests: config.getattr("max_requests")?.extract()?,
        parts: part_rules::read(config)?,
    })
}
