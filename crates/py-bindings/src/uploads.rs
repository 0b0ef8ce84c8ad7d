//! The files of a form as Python objects.

use std::os::fd::IntoRawFd;

use core_http::multipart::{Content, Part, PartValue, Upload};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use core_validate::Coerced;

use crate::values;

/// All files of a form in their order, each with its field.
#[derive(Debug, Default)]
pub(crate) struct Uploads<'py> {
    files: Vec<(String, Bound<'py, PyAny>)>,
}

impl<'py> Uploads<'py> {
    pub(crate) fn of_parts(py: Python<'py>, parts: Vec<Part>) -> PyResult<Self> {
        let mut files = Vec::new();
        for part in parts {
            if let PartValue::File(upload) = part.value {
                files.push((part.name, upload_file(py, upload)?));
            }
        }
        Ok(Self { files })
    }

    /// The files of one field.
    pub(crate) fn of_field(&self, py: Python<'py>, field: &str) -> PyResult<Bound<'py, PyList>> {
        let named = self.files.iter().filter(|(name, _)| name == field);
        let list = PyList::empty(py);
        for (_, file) in named {
            list.append(file)?;
        }
        Ok(list)
    }

    /// What a form's fields came to, with its files in their places.
    pub(crate) fn placed(
        &self,
        py: Python<'py>,
        value: &Coerced<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(match value {
            Coerced::File { index, .. } => match self.files.get(*index) {
                Some((_, file)) => file.clone(),
                None => py.None().into_bound(py),
            },
            Coerced::List(items) => {
                let list = PyList::empty(py);
                for item in items {
                    list.append(self.placed(py, item)?)?;
                }
                list.into_any()
            }
            Coerced::Object(members) => {
                let dict = PyDict::new(py);
                for (name, member) in members {
                    dict.set_item(name.as_str(), self.placed(py, member)?)?;
                }
                dict.into_any()
            }
            plain => values::to_python(py, plain, false)?,
        })
    }
}

/// A `spikard.datastructures.UploadFile`.
pub(crate) fn upload_file(py: Python<'_>, upload: Upload) -> PyResult<Bound<'_, PyAny>> {
    let received = py
        .import(intern!(py, "spikard.datastructures"))?
        .getattr(intern!(py, "UploadFile"))?
        .getattr(intern!(py, "_received"))?;
    let headers = PyDict::new(py);
    for (name, value) in &upload.head.headers {
        headers.set_item(name, value)?;
    }
    let (content, descriptor) = match upload.content {
        Content::Memory(bytes) => (Some(PyBytes::new(py, &bytes)), None),
        // The object owns the descriptor from here on; if it cannot be made, the process is out of memory.
        Content::Disk(file) => (None, Some(file.into_raw_fd())),
    };
    received.call1((
        upload.head.filename,
        upload.head.content_type,
        upload.size,
        headers,
        content,
        descriptor,
    ))
}
