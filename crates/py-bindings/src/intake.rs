//! A request's body as its handler asks for it: whole, as a form, or as it comes.

use core_http::media_type::{self, MediaType};
use core_http::multipart::{self, PartValue};
use core_http::problem::Problem;
use core_http::query;
use http::header;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::application::error_class;
use crate::body_reader::refusal;
use crate::headers::text_of;
use crate::part_parser::PartParser;
use crate::part_rules;
use crate::request::Request;
use crate::uploads::upload_file;

fn function<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "spikard.datastructures.body_stream"))?
        .getattr(name)
}

fn consumed(py: Python<'_>) -> PyErr {
    let message = "the body is read as it comes, it cannot be had in another way any more";
    match error_class(py, "StreamConsumed").and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn raised(py: Python<'_>, problem: Problem) -> PyErr {
    match refusal(py, problem) {
        Ok(error) => PyErr::from_value(error.into_bound(py)),
        Err(error) => error,
    }
}

/// A coroutine that reads the rest and calls `method` again; None when the body is there already.
pub(crate) fn whole<'py>(
    request: &Bound<'py, Request>,
    method: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = request.py();
    request.borrow().check_read()?;
    if request.borrow().is_consumed() {
        return Err(consumed(py));
    }
    let Some(reader) = request.borrow().reader() else {
        return Ok(None);
    };
    function(py, "whole")?
        .call1((request, reader, method))
        .map(Some)
}

/// The body as an async iterator of bytes.
pub(crate) fn stream<'py>(request: &Bound<'py, Request>) -> PyResult<Bound<'py, PyAny>> {
    let py = request.py();
    request.borrow().check_read()?;
    if !request.borrow_mut().consume() {
        return Err(consumed(py));
    }
    chunks(request)
}

fn chunks<'py>(request: &Bound<'py, Request>) -> PyResult<Bound<'py, PyAny>> {
    let py = request.py();
    let reader = request.borrow().reader();
    match reader {
        Some(reader) => function(py, "BodyStream")?.call1((reader,)),
        None => {
            let body = PyBytes::new(py, request.borrow().whole_body());
            function(py, "once")?.call1((body,))
        }
    }
}

/// What the body says it is.
enum Form {
    Pairs,
    Parts(String),
    Nothing,
}

fn kind_of(request: &Bound<'_, Request>) -> PyResult<Form> {
    let py = request.py();
    let borrowed = request.borrow();
    let given = borrowed.head().parts.headers.get(header::CONTENT_TYPE);
    let text = given.map_or(std::borrow::Cow::Borrowed(""), text_of);
    match media_type::classify(&text) {
        MediaType::FormUrlencoded => Ok(Form::Pairs),
        MediaType::Multipart {
            boundary: Some(boundary),
        } => Ok(Form::Parts(boundary.into_owned())),
        MediaType::Multipart { boundary: None } => Err(raised(py, Problem::missing_boundary())),
        MediaType::Absent => Ok(Form::Nothing),
        _ => Err(raised(py, Problem::unsupported_media_type())),
    }
}

fn parser(request: &Bound<'_, Request>, boundary: &str) -> PyResult<PartParser> {
    let rules = part_rules::of_request(request)?;
    Ok(PartParser::new(boundary, rules))
}

/// The parts of a form as an async iterator.
pub(crate) fn stream_parts<'py>(request: &Bound<'py, Request>) -> PyResult<Bound<'py, PyAny>> {
    let Form::Parts(boundary) = kind_of(request)? else {
        return Err(raised(request.py(), Problem::unsupported_media_type()));
    };
    let parser = parser(request, &boundary)?;
    let chunks = stream(request)?;
    function(request.py(), "parts")?.call1((chunks, parser))
}

/// The form, at once or as a coroutine.
pub(crate) fn form<'py>(request: &Bound<'py, Request>) -> PyResult<Bound<'py, PyAny>> {
    let py = request.py();
    request.borrow().check_read()?;
    if let Some(form) = request.borrow().kept_form() {
        return Ok(form.bind(py).clone());
    }
    if request.borrow().is_consumed() {
        return Err(consumed(py));
    }
    let kind = kind_of(request)?;
    if request.borrow().reader().is_some() {
        return match &kind {
            Form::Parts(boundary) => {
                let parser = parser(request, boundary)?;
                function(py, "form_of")?.call1((request, chunks(request)?, parser))
            }
            Form::Pairs | Form::Nothing => {
                function(py, "whole")?.call1((request, request.borrow().reader(), "form"))
            }
        };
    }
    let items = PyList::empty(py);
    match kind {
        Form::Pairs => pairs(request, &items)?,
        Form::Parts(boundary) => parts(request, &boundary, &items)?,
        Form::Nothing => {}
    }
    let form = py
        .import(intern!(py, "spikard.datastructures"))?
        .getattr(intern!(py, "FormData"))?
        .call1((items,))?;
    request.borrow_mut().keep_form(form.clone().unbind());
    Ok(form)
}

fn pairs(request: &Bound<'_, Request>, items: &Bound<'_, PyList>) -> PyResult<()> {
    let py = request.py();
    let invalid = || raised(py, Problem::invalid_encoding("the form"));
    let borrowed = request.borrow();
    let text = std::str::from_utf8(borrowed.whole_body()).map_err(|_| invalid())?;
    for pair in query::parse(text) {
        let (name, value) = pair.map_err(|_| invalid())?;
        items.append((name, value))?;
    }
    Ok(())
}

fn parts(request: &Bound<'_, Request>, boundary: &str, items: &Bound<'_, PyList>) -> PyResult<()> {
    let py = request.py();
    let rules = part_rules::of_request(request)?;
    let body = request.borrow().whole_body().clone();
    let parts =
        multipart::of_bytes(&body, boundary, &rules).map_err(|error| raised(py, error.into()))?;
    for part in parts {
        let value = match part.value {
            PartValue::Text(text) | PartValue::Json(text) => PyString::new(py, &text).into_any(),
            PartValue::File(upload) => upload_file(py, upload)?,
        };
        items.append((part.name, value))?;
    }
    Ok(())
}
