//! The access log as records of the logger `spikard.access`, where that logger has a handler of its own.

use core_http::access_log::LineSink;
use pyo3::intern;
use pyo3::prelude::*;

/// The logger's way to take a line.
#[derive(Debug)]
pub(crate) struct AccessLogger(Py<PyAny>);

impl AccessLogger {
    /// None leaves the lines to standard output, which costs no call of Python.
    pub(crate) fn find(py: Python<'_>) -> PyResult<Option<Self>> {
        let logger = py
            .import(intern!(py, "logging"))?
            .call_method1(intern!(py, "getLogger"), ("spikard.access",))?;
        if !logger.getattr(intern!(py, "handlers"))?.is_truthy()? {
            return Ok(None);
        }
        Ok(Some(Self(logger.getattr(intern!(py, "info"))?.unbind())))
    }

    pub(crate) fn into_sink(self) -> LineSink {
        Box::new(move |line| {
            Python::attach(|py| {
                // With arguments the line would be taken for a format.
                if let Err(error) = self.0.call1(py, (line,)) {
                    error.write_unraisable(py, Some(self.0.bind(py)));
                }
            });
        })
    }
}
