//! From a handler's result to an answer, by the table of return values.

use bytes::Bytes;
use core_http::body::Body;
use core_http::media_type::{MediaType, classify};
use core_validate::{Faults, JsonLimits, Schema};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{StatusCode, header};
use pyo3::exceptions::{PyBaseException, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::encode;
use crate::event::EventFormat;
use crate::headers::Headers;
use crate::response::{JSON, Response, bytes_of};
use crate::route::Route;
use crate::stream::{After, Format, Source, StreamBody};

/// A finished answer that can cross threads.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Content,
    /// What a `Response` has brought to be done after it.
    after: Option<Py<PyAny>>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    Bytes(Bytes),
    Stream(Source),
}

impl Content {
    /// What is there already; nothing of a stream.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Stream(_) => b"",
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }
}

impl Answer {
    /// As the object that hooks see.
    pub(crate) fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let response = Response::of_parts(py, self.status, self.headers, self.body.as_bytes())?;
        let response = Bound::new(py, response)?.into_any();
        if let Content::Stream(source) = self.body {
            response.setattr(intern!(py, "iterator"), source.iterator)?;
        }
        if let Some(after) = self.after {
            response.setattr(intern!(py, "background"), after)?;
        }
        Ok(response)
    }
}

impl From<Answer> for core_http::Response {
    fn from(answer: Answer) -> Self {
        let mut response = Self::default();
        *response.body_mut() = match answer.body {
            Content::Bytes(bytes) => Body::from(bytes),
            Content::Stream(source) => {
                if let Format::Events(format) = &source.format {
                    response.extensions_mut().insert(format.stream);
                }
                Body::Stream(Box::pin(StreamBody::from(source)))
            }
        };
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}

impl From<core_http::Response> for Answer {
    /// Of an answer made by the server itself, which is never a stream.
    fn from(response: core_http::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = match body {
            Body::Full(bytes) => bytes,
            Body::Empty | Body::Stream(_) | Body::Upgrade(_) => Bytes::new(),
        };
        Self {
            status: parts.status,
            headers: parts.headers,
            body: Content::Bytes(body),
            after: None,
        }
    }
}

/// Statuses whose answers have no body (RFC 9110, 15).
fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational()
        || matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
        )
}

fn assemble(
    status: StatusCode,
    mut headers: HeaderMap,
    body: Content,
    implied: Option<HeaderValue>,
) -> Answer {
    if is_bodiless(status) {
        headers.remove(CONTENT_TYPE);
        headers.remove(header::CONTENT_LENGTH);
        return Answer {
            status,
            headers,
            body: Content::Bytes(Bytes::new()),
            after: None,
        };
    }
    if let Some(implied) = implied
        && !headers.contains_key(CONTENT_TYPE)
    {
        headers.insert(CONTENT_TYPE, implied);
    }
    Answer {
        status,
        headers,
        body,
        after: None,
    }
}

fn json(value: &Bound<'_, PyAny>, status: StatusCode) -> PyResult<Answer> {
    Ok(assemble(
        status,
        HeaderMap::with_capacity(4),
        Content::Bytes(encode::to_json(value)?.into()),
        Some(JSON),
    ))
}

/// The answer for what a handler of `route` returned. What is to be done after it waits for `schedule`.
pub(crate) fn answer(
    route: &Route,
    event_loop: &Py<PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<Answer> {
    let answer = unchecked(route, event_loop, value)?;
    if let Some(schema) = &route.response_check {
        check_answer(route, schema, &answer)?;
    }
    Ok(answer)
}

/// JSON that says all is well must be what the route promises; the fault is the handler's.
fn check_answer(route: &Route, schema: &Schema, answer: &Answer) -> PyResult<()> {
    let is_json = answer
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| classify(value) == MediaType::Json);
    let body = answer.body.as_bytes();
    if !is_json || !answer.status.is_success() || body.is_empty() {
        return Ok(());
    }
    let mut faults = Faults::default();
    let read = schema.examine(body, JsonLimits::default(), &["response"], &mut faults);
    if read.is_ok() && faults.is_empty() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "{} returned what its response schema does not allow: {}",
        route.name,
        String::from_utf8_lossy(&faults.to_json())
    )))
}

fn unchecked(route: &Route, event_loop: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Answer> {
    if route.socket.is_some() {
        return message(event_loop, value);
    }
    let status = route.status;
    // The everyday cases first, by exact type.
    if value.cast_exact::<PyDict>().is_ok() || value.cast_exact::<PyList>().is_ok() {
        return match &route.response_class {
            Some(class) => read_response(
                event_loop,
                &class.bind(value.py()).call1((value, status.as_u16()))?,
            ),
            None => json(value, status),
        };
    }
    if value.cast::<Response>().is_ok() {
        return read_response(event_loop, value);
    }
    if value.is_instance_of::<PyBaseException>() {
        // A problem may be returned as well as raised.
        return Err(PyErr::from_value(value.clone()));
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>()
        && let Some(answer) = from_tuple(route, event_loop, tuple)?
    {
        return Ok(answer);
    }
    if let Some(class) = &route.response_class {
        return read_response(
            event_loop,
            &class.bind(value.py()).call1((value, status.as_u16()))?,
        );
    }
    if value.is_none() && is_bodiless(status) {
        let nothing = Content::Bytes(Bytes::new());
        return Ok(assemble(status, HeaderMap::new(), nothing, None));
    }
    if let Some(bytes) = bytes_of(value) {
        let octets = HeaderValue::from_static("application/octet-stream");
        return Ok(assemble(
            status,
            HeaderMap::new(),
            Content::Bytes(bytes),
            Some(octets),
        ));
    }
    if value.is_instance_of::<PyString>() {
        return json(value, status);
    }
    let py = value.py();
    if value.hasattr(intern!(py, "__aiter__"))? || value.hasattr(intern!(py, "__next__"))? {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        let body = Content::Stream(Source {
            iterator: value.clone().unbind(),
            event_loop: event_loop.clone_ref(py),
            format: Format::Plain,
            after: None,
        });
        return Ok(assemble(status, HeaderMap::new(), body, Some(text)));
    }
    json(value, status).map_err(|error| {
        let described = PyTypeError::new_err(format!(
            "{} returned a value of type {} that cannot be answered",
            route.name,
            value
                .get_type()
                .fully_qualified_name()
                .map_or_else(|_| "?".to_owned(), |name| name.to_string())
        ));
        described.set_cause(py, Some(error));
        described
    })
}

/// What a WebSocket's handler gave: bytes are marked as such, nothing is said where it gave None.
fn message(event_loop: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Answer> {
    let py = value.py();
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    let body = if value.is_none() {
        status = StatusCode::NO_CONTENT;
        Content::Bytes(Bytes::new())
    } else if let Some(bytes) = bytes_of(value) {
        let octets = HeaderValue::from_static("application/octet-stream");
        headers.insert(CONTENT_TYPE, octets);
        Content::Bytes(bytes)
    } else if value.hasattr(intern!(py, "__aiter__"))? || value.hasattr(intern!(py, "__next__"))? {
        Content::Stream(Source {
            iterator: value.clone().unbind(),
            event_loop: event_loop.clone_ref(py),
            format: Format::Messages,
            after: None,
        })
    } else {
        Content::Bytes(encode::to_json(value)?.into())
    };
    Ok(Answer {
        status,
        headers,
        body,
        after: None,
    })
}

/// `(content, status)` and `(content, status, headers)`; any other tuple is a JSON array.
fn from_tuple(
    route: &Route,
    event_loop: &Py<PyAny>,
    tuple: &Bound<'_, PyTuple>,
) -> PyResult<Option<Answer>> {
    let length = tuple.len();
    if !(2..=3).contains(&length) {
        return Ok(None);
    }
    let status = tuple.get_item(1)?;
    let Ok(status) = status.cast_exact::<PyInt>() else {
        return Ok(None);
    };
    let Ok(status @ 100..=599) = status.extract::<u16>() else {
        return Ok(None);
    };
    let headers = if length == 3 {
        Some(tuple.get_item(2)?)
    } else {
        None
    };
    if headers.as_ref().is_some_and(|headers| {
        headers.cast::<PyMapping>().is_err() && headers.cast::<Headers>().is_err()
    }) {
        return Ok(None);
    }
    let status = status_of(status)?;
    let mut inner = unchecked(route, event_loop, &tuple.get_item(0)?)?;
    if let Some(headers) = headers {
        for (name, value) in &Headers::from_items(Some(&headers))?.map {
            inner.headers.insert(name, value.clone());
        }
    }
    let mut answer = assemble(status, inner.headers, inner.body, None);
    answer.after = inner.after;
    Ok(Some(answer))
}

fn status_of(status: u16) -> PyResult<StatusCode> {
    StatusCode::from_u16(status)
        .map_err(|_| PyValueError::new_err(format!("{status} is not an HTTP status")))
}

/// Queues work for when the answer is on its way: the loop runs next after the answer went to the connection.
pub(crate) fn run_after(event_loop: &Py<PyAny>, work: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = work.py();
    let run_after = py
        .import(intern!(py, "spikard.background"))?
        .getattr(intern!(py, "run_after"))?;
    event_loop
        .bind(py)
        .call_method1(intern!(py, "call_soon_threadsafe"), (run_after, work))
        .map(drop)
}

/// Sees to what follows an answer, its own work first and then `last`: behind the end of a stream, else as soon as the
/// answer is on its way.
pub(crate) fn schedule(
    event_loop: &Py<PyAny>,
    answer: &mut Answer,
    last: Option<&Bound<'_, PyAny>>,
    py: Python<'_>,
) -> PyResult<()> {
    let work = match (answer.after.take(), last) {
        (None, None) => return Ok(()),
        (Some(own), None) => own.into_bound(py),
        (None, Some(last)) => last.clone(),
        (Some(own), Some(last)) => py
            .import(intern!(py, "spikard.background"))?
            .getattr(intern!(py, "InOrder"))?
            .call1((own, last))?,
    };
    match &mut answer.body {
        Content::Stream(source) => {
            source.after = Some(After::new(work.unbind(), event_loop.clone_ref(py)));
            Ok(())
        }
        Content::Bytes(_) => run_after(event_loop, &work),
    }
}

/// The answer of a `Response` object, its background work queued.
pub(crate) fn from_response(event_loop: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Answer> {
    let mut answer = read_response(event_loop, value)?;
    schedule(event_loop, &mut answer, None, value.py())?;
    Ok(answer)
}

fn read_response(event_loop: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Answer> {
    let response = value.cast::<Response>().map_err(|_| {
        PyTypeError::new_err(format!(
            "a Response was expected here, not {}",
            value
                .get_type()
                .name()
                .map_or_else(|_| "?".to_owned(), |name| name.to_string())
        ))
    })?;
    let response = response.borrow();
    let py = value.py();
    let (body, implied) = match value.getattr_opt(intern!(py, "iterator"))? {
        Some(iterator) => {
            let source = Source {
                iterator: iterator.unbind(),
                event_loop: event_loop.clone_ref(py),
                format: EventFormat::of(value)?.map_or(Format::Plain, Format::Events),
                after: None,
            };
            (Content::Stream(source), None)
        }
        None => {
            let (bytes, implied) = response.render(py)?;
            (Content::Bytes(bytes), implied)
        }
    };
    let background = response.background.bind(py);
    let after = (!background.is_none()).then(|| background.clone().unbind());
    let mut headers = response.headers.borrow(py).map.clone();
    // The true length is known here; a handler's own is kept for HEAD, where there is no body to count.
    if !body.is_empty() {
        headers.remove(header::CONTENT_LENGTH);
    }
    let mut answer = assemble(status_of(response.status_code)?, headers, body, implied);
    answer.after = after;
    Ok(answer)
}
