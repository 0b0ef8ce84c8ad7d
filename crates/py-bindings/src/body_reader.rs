//! `BodyReader`: a request's body, read piece by piece by the handler.

use core_http::inflow::Inflow;
use core_http::problem::Problem;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_local};

use crate::server::Notifier;

/// The handler's end. A task beside the connection has the other: it reads a piece whenever one is asked for, and
/// nothing before, so that a slow handler slows the client.
#[pyclass(name = "BodyReader", module = "spikard._spikard", frozen)]
#[derive(Clone, Debug)]
pub(crate) struct BodyReader {
    asked: mpsc::UnboundedSender<Py<PyAny>>,
}

impl BodyReader {
    /// Starts the task; on the server's thread, within its runtime. It ends with the body, with the reader, or when
    /// what is given back is dropped.
    pub(crate) fn start(mut inflow: Inflow, notifier: Notifier) -> (Self, Reading) {
        let (asked, mut asking) = mpsc::unbounded_channel::<Py<PyAny>>();
        let task = spawn_local(async move {
            while let Some(done) = asking.recv().await {
                let piece = inflow.next().await;
                let is_over = !matches!(piece, Some(Ok(_)));
                let is_refused = matches!(piece, Some(Err(_)));
                if is_over {
                    // The connection is free of the body before its reader learns of the end.
                    asking.close();
                }
                notifier.call(&done, |py| {
                    Some(match piece {
                        Some(Ok(bytes)) => PyBytes::new(py, &bytes).into_any().unbind(),
                        Some(Err(error)) => refusal(py, error.into())
                            .unwrap_or_else(|fault| fault.into_value(py).into_any()),
                        None => py.None(),
                    })
                });
                if is_over {
                    if is_refused {
                        inflow.linger();
                    }
                    break;
                }
            }
        });
        (Self { asked }, Reading(Some(task.abort_handle())))
    }
}

/// A body that is being read: dropped with its request, so that no connection waits for a handler that is over.
#[derive(Debug)]
pub(crate) struct Reading(Option<AbortHandle>);

impl Reading {
    /// Lets the reading go on behind an answer that may be made of it.
    pub(crate) fn settle(mut self, response: &core_http::Response) {
        if matches!(response.body(), core_http::body::Body::Stream(_)) {
            self.0 = None;
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// The exception that answers with a problem.
pub(crate) fn refusal(py: Python<'_>, problem: Problem) -> PyResult<Py<PyAny>> {
    let keywords = PyDict::new(py);
    keywords.set_item("detail", problem.detail())?;
    let headers = PyDict::new(py);
    headers.set_item("connection", "close")?;
    keywords.set_item("headers", headers)?;
    py.import(intern!(py, "spikard.errors"))?
        .getattr(intern!(py, "HTTPException"))?
        .call((problem.status().as_u16(),), Some(&keywords))
        .map(Bound::unbind)
}

#[pymethods]
impl BodyReader {
    /// Asks for the next piece: `done` gets bytes, None at the end, or the exception that says what went wrong.
    fn read(&self, done: Py<PyAny>) -> bool {
        self.asked.send(done).is_ok()
    }
}
