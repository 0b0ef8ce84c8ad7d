//! From `spikard.config.CompressionConfig` to what the server does with it.

use std::sync::Arc;

use core_http::coding::Coding;
use core_http::compression::Compression;
use pyo3::prelude::*;

/// Reads the settings; `None` switches compression off.
pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<Option<Arc<Compression>>> {
    if config.is_none() {
        return Ok(None);
    }
    let names = [
        (Coding::Zstd, "zstd"),
        (Coding::Brotli, "brotli"),
        (Coding::Gzip, "gzip"),
    ];
    let mut codings = Vec::with_capacity(names.len());
    for (coding, name) in names {
        if config.getattr(name)?.is_truthy()? {
            codings.push(coding);
        }
    }
    Ok(Some(Arc::new(Compression {
        codings,
        min_size: config.getattr("min_size")?.extract()?,
        quality: config.getattr("quality")?.extract()?,
        exclude_types: config.getattr("exclude_types")?.extract()?,
        decode_requests: config.getattr("decode_requests")?.is_truthy()?,
    })))
}
