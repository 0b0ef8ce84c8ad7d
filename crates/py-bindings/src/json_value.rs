//! JSON documents (schemas, mostly) between Python and `serde_json`; slow paths only.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::Value;

use crate::encode;

/// A Python value as a JSON document.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let text = encode::to_json(value)?;
    serde_json::from_slice(&text).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A JSON document's text as Python objects.
pub(crate) fn parse<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    py.import("msgspec.json")?
        .getattr("decode")?
        .call1((pyo3::types::PyBytes::new(py, text),))
}
