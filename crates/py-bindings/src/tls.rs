//! From `spikard.config.TlsConfig` to certificates.

use std::path::PathBuf;

use core_http::tls::{KeyPair, Tls, TlsSettings};
use pyo3::prelude::*;

use crate::application::error_class;

fn key_pair(config: &Bound<'_, PyAny>) -> PyResult<KeyPair> {
    let (cert, key): (PathBuf, PathBuf) = config.extract()?;
    Ok(KeyPair { cert, key })
}

/// The certificates a `ServerConfig` names, read; None without `tls`.
pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<Option<Tls>> {
    let py = config.py();
    let tls = config.getattr("tls")?;
    if tls.is_none() {
        return Ok(None);
    }
    let hosts: Vec<(String, Bound<'_, PyAny>)> = tls
        .getattr("hosts")?
        .call_method0("items")?
        .try_iter()?
        .map(|item| item?.extract())
        .collect::<PyResult<_>>()?;
    let settings = TlsSettings {
        default: KeyPair {
            cert: tls.getattr("cert")?.extract()?,
            key: tls.getattr("key")?.extract()?,
        },
        hosts: hosts
            .into_iter()
            .map(|(host, pair)| Ok((host, key_pair(&pair)?)))
            .collect::<PyResult<_>>()?,
        client_ca: tls.getattr("client_ca")?.extract()?,
        only_1_3: tls.getattr("min_version")?.extract::<String>()? == "1.3",
        http2: config.getattr("http2")?.is_truthy()?,
    };
    match Tls::load(settings) {
        Ok(tls) => Ok(Some(tls)),
        Err(error) => {
            let fault = error_class(py, "ConfigError")?.call1((format!("tls: {error}"),))?;
            Err(PyErr::from_value(fault))
        }
    }
}
