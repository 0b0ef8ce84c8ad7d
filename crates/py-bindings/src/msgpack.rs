//! MessagePack bodies, written as JSON: the checks and decoders of JSON then serve them too.

use bytes::Bytes;
use core_http::problem::Problem;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::encode;

/// The body as JSON: bytes as base64, times as text. A body that is none is a 400.
pub(crate) fn to_json(body: &Bytes) -> Result<Bytes, Problem> {
    let json = Python::attach(|py| {
        let run = || -> PyResult<Vec<u8>> {
            let value = py
                .import(intern!(py, "msgspec.msgpack"))?
                .getattr(intern!(py, "decode"))?
                .call1((PyBytes::new(py, body),))?;
            encode::to_json(&value)
        };
        // Only what is wrong with the body can go wrong here.
        run().map_err(|_| Problem::bad_request("Invalid request format"))
    })?;
    Ok(json.into())
}
