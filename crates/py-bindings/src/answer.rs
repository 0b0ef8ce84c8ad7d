//! From a handler's result to an answer, by the table of return values.

use std::path::PathBuf;

use bytes::Bytes;
use core_http::body::Body;
use core_http::handler::Reply;
use core_http::media_type::{MediaType, classify};
use core_http::request::Head;
use core_validate::{Faults, JsonLimits, Schema};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{StatusCode, header};
use pyo3::exceptions::{PyBaseException, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyMapping, PyString, PyTuple};

use crate::application::error_class;
use crate::call::Carried;
use crate::encode;
use crate::event::EventFormat;
use crate::file_response::{self, FileContent, FileResponse};
use crate::gateway::Gateway;
use crate::headers::Headers;
use crate::response::{JSON, Response, bytes_of};
use crate::route::Route;
use crate::socket_plan::Style;
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
    /// Boxed, since other answers are many.
    File(Box<FileContent>),
}

impl Content {
    /// What is there already; nothing of a stream or a file.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Stream(_) | Self::File(_) => b"",
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }
}

impl Answer {
    /// As the object that hooks see.
    pub(crate) fn into_python(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let mut response = Response::of_parts(py, self.status, self.headers, self.body.as_bytes())?;
        if let Some(after) = self.after {
            response.background = after;
        }
        let response = match self.body {
            Content::Bytes(_) => Bound::new(py, response)?.into_any(),
            Content::Stream(source) => {
                response.held = Some(source);
                Bound::new(py, response)?.into_any()
            }
            Content::File(file) => file.into_python(py, response)?,
        };
        Ok(response)
    }

    /// The answer as the server sends it. Only a file has to be waited for.
    #[inline]
    pub(crate) fn into_reply(self, gateway: &Gateway) -> Reply {
        let mut response = core_http::Response::default();
        *response.body_mut() = match self.body {
            Content::Bytes(bytes) => Body::from(bytes),
            Content::Stream(source) => {
                if let Format::Events(format) = &source.format {
                    response.extensions_mut().insert(format.stream);
                }
                Body::Stream(Box::pin(StreamBody::from(source)))
            }
            Content::File(file) => {
                let answer = file.answer(self.status, self.headers, gateway.clone());
                return Reply::Later(Box::pin(answer));
            }
        };
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        Reply::Ready(response)
    }

    /// A file is sent as its request demands; any other answer is what it is.
    pub(crate) fn note(&mut self, py: Python<'_>, request: &Carried) {
        match request {
            Carried::Core(request) => self.note_head(&request.head),
            Carried::Python(request) if self.is_file() => {
                self.note_head(request.borrow(py).head());
            }
            Carried::Python(_) => {}
        }
    }

    pub(crate) fn note_head(&mut self, head: &Head) {
        if let Content::File(file) = &mut self.body {
            file.note(head);
        }
    }

    /// Whether `note` has anything to do.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.body, Content::File(_))
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

fn file(path: PathBuf, status: StatusCode) -> Answer {
    assemble(
        status,
        HeaderMap::new(),
        Content::File(Box::new(FileContent::from(path))),
        None,
    )
}

/// The answer for what a handler of `route` returned. What is to be done after it waits for `schedule`.
#[inline]
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
    if let Some(socket) = &route.socket {
        // Who holds the connection may refuse it with an answer; what others return is a message.
        let is_refusal = socket.style == Style::Connection && value.cast::<Response>().is_ok();
        return if is_refusal {
            read_response(event_loop, value)
        } else {
            message(event_loop, value)
        };
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
        if let Some(path) = file_response::path_of(value)? {
            return Ok(file(path, status));
        }
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
    if let Some(path) = file_response::path_of(value)? {
        return Ok(file(path, status));
    }
    json(value, status).map_err(|error| {
        if value.is_callable()
            && let Ok(answer) =
                error_class(py, "AsgiAnswer").and_then(|class| class.call1((value,)))
        {
            return PyErr::from_value(answer);
        }
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
#[inline]
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
        Content::Bytes(_) | Content::File(_) => run_after(event_loop, &work),
    }
}

/// The content of a response that is more than its `content`.
fn content(event_loop: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Option<Content>> {
    let py = value.py();
    if let Ok(file) = value.cast::<FileResponse>() {
        let path = file.borrow().path.clone();
        return Ok(Some(Content::File(Box::new(FileContent::from(path)))));
    }
    let Some(iterator) = value.getattr_opt(intern!(py, "iterator"))? else {
        return Ok(None);
    };
    Ok(Some(Content::Stream(Source {
        iterator: iterator.unbind(),
        event_loop: event_loop.clone_ref(py),
        format: EventFormat::of(value)?.map_or(Format::Plain, Format::Events),
        after: None,
    })))
}

/// The answer of a `Response` object, its background work queued.
pub(crate) fn from_response(event_loop: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Answer> {
    let mut answer = read_response(event_loop, value)?;
    schedule(event_loop, &mut answer, None, value.py())?;
    Ok(answer)
}

type HeaderPair<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// Status, headers and body.
type Rendered<'py> = (u16, Vec<HeaderPair<'py>>, Option<Bound<'py, PyBytes>>);

/// Status, headers and body of a response as they go out; of a streamed body None.
#[pyfunction]
#[pyo3(signature = (response, r#loop, /))]
pub(crate) fn render_response<'py>(
    response: &Bound<'py, PyAny>,
    r#loop: Py<PyAny>,
) -> PyResult<Rendered<'py>> {
    let py = response.py();
    let answer = read_response(&r#loop, response)?;
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| {
            (
                PyBytes::new(py, name.as_str().as_bytes()),
                PyBytes::new(py, value.as_bytes()),
            )
        })
        .collect();
    let body = match &answer.body {
        Content::Bytes(bytes) => Some(PyBytes::new(py, bytes)),
        Content::Stream(_) | Content::File(_) => None,
    };
    Ok((answer.status.as_u16(), headers, body))
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
    let py = value.py();
    let held = response.borrow_mut().held.take();
    let given = match held {
        Some(source) => Some(Content::Stream(source)),
        None => content(event_loop, value)?,
    };
    let response = response.borrow();
    let (body, implied) = match given {
        Some(content) => (content, None),
        None => {
            let (bytes, implied) = response.render(py)?;
            (Content::Bytes(bytes), implied)
        }
    };
    let background = response.background.bind(py);
    let after = (!background.is_none()).then(|| background.clone().unbind());
    let mut headers = response.headers.borrow(py).map.clone();
    // The true length is known here; a handler's own is kept for HEAD, where there is no body to count, and where
    // somebody vouches for it.
    let is_vouched_for = matches!(body, Content::Stream(_))
        && value.getattr_opt(intern!(py, "has_length"))?.is_some();
    if !body.is_empty() && !is_vouched_for {
        headers.remove(header::CONTENT_LENGTH);
    }
    let mut answer = assemble(status_of(response.status_code)?, headers, body, implied);
    answer.after = after;
    Ok(answer)
}
