//! `PartParser`: the parser of multipart bodies, for handlers that take the parts as they come.

use core_http::multipart::{Event, MultipartError, Parser, PartRules};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::body_reader::refusal;

#[pyclass(name = "PartParser", module = "spikard._spikard")]
#[derive(Debug)]
pub(crate) struct PartParser {
    /// Boxed: it wants more alignment than Python gives its objects.
    parser: Box<Parser>,
    rules: PartRules,
    files: usize,
    fields: usize,
    is_file: bool,
    size: u64,
}

impl PartParser {
    pub(crate) fn new(boundary: &str, rules: PartRules) -> Self {
        Self {
            parser: Box::new(Parser::new(boundary, rules.max_part_header_size)),
            rules,
            files: 0,
            fields: 0,
            is_file: false,
            size: 0,
        }
    }

    fn count(&mut self, event: &Event) -> Result<(), MultipartError> {
        match event {
            Event::Begin(head) => {
                self.is_file = head.filename.is_some();
                self.size = 0;
                let (count, limit) = if self.is_file {
                    (&mut self.files, self.rules.max_files)
                } else {
                    (&mut self.fields, self.rules.max_fields)
                };
                *count += 1;
                if *count > limit {
                    return Err(if self.is_file {
                        MultipartError::TooManyFiles { limit }
                    } else {
                        MultipartError::TooManyFields { limit }
                    });
                }
            }
            Event::Data(data) => {
                self.size += data.len() as u64;
                if let Some(limit) = self.rules.max_file_size
                    && self.is_file
                    && self.size > limit
                {
                    return Err(MultipartError::FileTooLarge { limit });
                }
            }
            Event::End => {}
        }
        Ok(())
    }
}

fn raise(py: Python<'_>, error: MultipartError) -> PyErr {
    match refusal(py, error.into()) {
        Ok(exception) => PyErr::from_value(exception.into_bound(py)),
        Err(fault) => fault,
    }
}

#[pymethods]
impl PartParser {
    fn feed(&mut self, data: &[u8]) {
        self.parser.feed(data);
    }

    /// A dict where a part begins, bytes of its content, None at its end; False when more bytes are needed.
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let event = self.parser.next().map_err(|error| raise(py, error))?;
        let Some(event) = event else {
            return Ok(pyo3::types::PyBool::new(py, false).to_owned().into_any());
        };
        self.count(&event).map_err(|error| raise(py, error))?;
        Ok(match event {
            Event::Begin(head) => {
                let headers = PyDict::new(py);
                for (name, value) in &head.headers {
                    headers.set_item(name, value)?;
                }
                let part = PyDict::new(py);
                part.set_item("charset", head.charset())?;
                part.set_item("name", head.name)?;
                part.set_item("filename", head.filename)?;
                part.set_item("content_type", head.content_type)?;
                part.set_item("headers", headers)?;
                part.into_any()
            }
            Event::Data(data) => PyBytes::new(py, &data).into_any(),
            Event::End => py.None().into_bound(py),
        })
    }

    /// Says that the body is over; raises if its last boundary has not come.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.parser.finish().map_err(|error| raise(py, error))
    }
}
