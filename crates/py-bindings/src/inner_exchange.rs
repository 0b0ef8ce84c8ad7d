//! Requests that Python hands to the server itself: those middleware leads on, and those of other servers.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use core_http::body::{Body, FrameStream};
use core_http::inbound::{Door, Inbound};
use core_http::request::{Head, Origin, Request as CoreRequest};
use core_http::router::Params;
use core_http::server::Server as CoreServer;
use futures_util::future::{AbortHandle, Abortable};
use http::{HeaderName, HeaderValue, Version};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokio::sync::mpsc;
use tokio::task::spawn_local;

use crate::request::Request;
use crate::response::Response;
use crate::server::{Command, Notifier};
use crate::stream::{Format, Source, StreamBody};

/// A request under way within the process; `abort` gives it up.
#[pyclass(name = "Exchange", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct Exchange {
    handle: AbortHandle,
}

#[pymethods]
impl Exchange {
    fn abort(&self) {
        self.handle.abort();
    }
}

/// The body of an answer that is still being made, read piece by piece.
#[pyclass(name = "AnswerBody", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct AnswerBody {
    asked: mpsc::UnboundedSender<Py<PyAny>>,
}

#[pymethods]
impl AnswerBody {
    /// Asks for the next piece: `done` gets bytes, None at the end, or an exception.
    fn read(&self, done: Py<PyAny>) -> bool {
        self.asked.send(done).is_ok()
    }
}

impl AnswerBody {
    /// A task beside the server has the body and lets go of it with this reader.
    fn start(mut stream: FrameStream, notifier: Notifier) -> Self {
        let (asked, mut asking) = mpsc::unbounded_channel::<Py<PyAny>>();
        spawn_local(async move {
            while let Some(done) = asking.recv().await {
                let piece = loop {
                    match poll_fn(|cx| stream.as_mut().poll_frame(cx)).await {
                        Some(Ok(frame)) => {
                            if let Ok(data) = frame.into_data() {
                                break Some(Ok(data));
                            }
                        }
                        Some(Err(error)) => break Some(Err(error)),
                        None => break None,
                    }
                };
                notifier.call(&done, |py| {
                    Some(match piece {
                        Some(Ok(data)) => PyBytes::new(py, &data).into_any().unbind(),
                        Some(Err(error)) => PyRuntimeError::new_err(error.to_string())
                            .into_value(py)
                            .into_any(),
                        None => py.None(),
                    })
                });
            }
        });
        Self { asked }
    }
}

/// What the server has to do for an exchange; `done` gets the `Response`, whose `body_reader` is an `AnswerBody` where
/// the body is still being made.
pub(crate) fn start(
    request: &Bound<'_, Request>,
    body: Option<Py<PyAny>>,
    event_loop: Py<PyAny>,
    notifier: Notifier,
    done: Py<PyAny>,
    door: Door,
) -> PyResult<(Exchange, Command)> {
    let head = Request::depart(request)?;
    let body = match body {
        Some(iterator) => Inbound::Given(Box::pin(StreamBody::from(Source {
            iterator,
            event_loop,
            format: Format::Plain,
            after: None,
        }))),
        None => Inbound::Empty,
    };
    let (handle, registration) = AbortHandle::new_pair();
    let command: Command = Box::new(move |server: &Rc<CoreServer>| {
        let service = Rc::clone(server.service());
        spawn_local(async move {
            let answering = Abortable::new(service.exchange(head, body, door), registration);
            if let Ok(response) = answering.await {
                deliver(response, notifier, &done);
            }
        });
    });
    Ok((Exchange { handle }, command))
}

fn deliver(response: core_http::Response, notifier: Notifier, done: &Py<PyAny>) {
    let (parts, body) = response.into_parts();
    let (bytes, reader) = match body {
        // What takes over a connection is not led on by anything that could look at its answer.
        Body::Empty | Body::Upgrade(_) => (Bytes::new(), None),
        Body::Full(bytes) => (bytes, None),
        Body::Stream(stream) => (
            Bytes::new(),
            Some(AnswerBody::start(stream, notifier.clone())),
        ),
    };
    notifier.call(done, |py| {
        let made = || -> PyResult<Py<PyAny>> {
            let response = Response::of_parts(py, parts.status, parts.headers, &bytes)?;
            let response = Bound::new(py, response)?.into_any();
            if let Some(reader) = reader {
                response.setattr(intern!(py, "body_reader"), Py::new(py, reader)?)?;
            }
            Ok(response.unbind())
        };
        Some(made().unwrap_or_else(|error| error.into_value(py).into_any()))
    });
}

/// Where a request comes from that another server has taken; addresses that are names of sockets are left out.
pub(crate) fn origin(
    secure: bool,
    client: Option<(String, u16)>,
    server: Option<(String, u16)>,
) -> Origin {
    let address = |pair: Option<(String, u16)>| {
        let (host, port) = pair?;
        Some(std::net::SocketAddr::new(host.parse().ok()?, port))
    };
    Origin {
        remote: address(client),
        local: address(server),
        secure,
        ..Origin::default()
    }
}

/// A request that another server has taken: `target` is the path and query as they were sent.
#[pyfunction]
#[pyo3(signature = (method, target, headers, *, http_version="1.1", secure=false, client=None, server=None))]
#[allow(clippy::too_many_arguments)] // a scope has as many parts
pub(crate) fn build_request(
    method: &str,
    target: &str,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    http_version: &str,
    secure: bool,
    client: Option<(String, u16)>,
    server: Option<(String, u16)>,
) -> PyResult<Request> {
    let origin = origin(secure, client, server);
    let version = match http_version {
        "1.0" => Version::HTTP_10,
        "2" | "2.0" => Version::HTTP_2,
        _ => Version::HTTP_11,
    };
    let invalid = |error: http::Error| PyValueError::new_err(error.to_string());
    let request = http::Request::builder()
        .method(method)
        .uri(target)
        .version(version)
        .body(())
        .map_err(invalid)?;
    let (mut parts, ()) = request.into_parts();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(&name).map_err(|error| invalid(error.into()))?;
        let value = HeaderValue::from_bytes(&value).map_err(|error| invalid(error.into()))?;
        parts.headers.append(name, value);
    }
    let head = Head {
        parts,
        origin: Arc::new(origin),
        params: Params::default(),
        id: None,
    };
    Ok(Request::new(CoreRequest::new(head, Bytes::new()), None))
}
