//! What Python may say about errors: exception handlers, status handlers, and the log.

use bytes::Bytes;
use core_http::problem::Problem;
use core_http::request_id::RequestId;
use http::{HeaderMap, StatusCode};
use pyo3::intern;
use pyo3::prelude::*;

use crate::call::{self, Carried, Outcome, Progress};
use crate::event_loop::EventLoop;
use crate::response::Response;
use crate::route::Route;

/// The application's side of errors. Slow paths only.
#[derive(Debug)]
pub(crate) struct Trouble {
    app: Py<PyAny>,
    watched: Watched,
    pub(crate) base_url: String,
}

/// Which answers the application wants to see that it did not make itself.
#[derive(Debug)]
struct Watched {
    statuses: Vec<u16>,
    errors: bool,
    all: bool,
}

/// An answer as Python gets to see it; of a stream, without the body.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// logging.ERROR
const ERROR: u8 = 40;
/// logging.WARNING
const WARNING: u8 = 30;

impl Trouble {
    pub(crate) fn new(app: &Bound<'_, PyAny>, base_url: String) -> PyResult<Self> {
        let py = app.py();
        let (statuses, errors, all) = app
            .call_method0(intern!(py, "_watched_answers"))?
            .extract()?;
        Ok(Self {
            app: app.clone().unbind(),
            watched: Watched {
                statuses,
                errors,
                all,
            },
            base_url,
        })
    }

    pub(crate) fn app<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.app.bind(py)
    }

    /// Whether the application has a handler of its own for this status, or hooks that see it.
    pub(crate) fn wants(&self, status: StatusCode) -> bool {
        let watched = &self.watched;
        watched.all
            || (watched.errors && (status.is_client_error() || status.is_server_error()))
            || watched.statuses.contains(&status.as_u16())
    }

    pub(crate) fn is_watchful(&self) -> bool {
        self.watched.all || self.watched.errors || !self.watched.statuses.is_empty()
    }

    pub(crate) fn problem(&self, problem: Problem, id: Option<&RequestId>) -> core_http::Response {
        problem.into_response(&self.base_url, id.map(RequestId::as_str))
    }

    /// A handler's exception: asks the application, which also logs it.
    pub(crate) fn exception(
        &self,
        py: Python<'_>,
        event_loop: &EventLoop,
        error: PyErr,
        request: Carried,
        route: Option<&Route>,
    ) -> Progress {
        let id = request.id(py);
        let context = request.context(py);
        let run = || -> PyResult<Option<Progress>> {
            let request = request.into_python(py, route)?;
            // Unlike `value`, this gives the exception its traceback on every version.
            let exception = error.clone_ref(py).into_value(py);
            let handled = self
                .app
                .bind(py)
                .call_method1(intern!(py, "_handle_exception"), (exception, request))?;
            Ok((!handled.is_none())
                .then(|| call::finish_handled(py, event_loop, &handled, context.as_ref())))
        };
        match run() {
            Ok(Some(Progress::Done(Outcome::Fault(error)))) | Err(error) => {
                self.log_fault(py, &error);
                Progress::Done(self.opaque(id.as_ref()))
            }
            Ok(Some(progress)) => progress,
            Ok(None) => Progress::Done(self.opaque(id.as_ref())),
        }
    }

    /// An answer that the application wants to see first.
    pub(crate) fn status(
        &self,
        py: Python<'_>,
        event_loop: &EventLoop,
        shown: Shown,
        request: Carried,
        route: Option<&Route>,
    ) -> Option<Progress> {
        let context = request.context(py);
        let run = || -> PyResult<Bound<'_, PyAny>> {
            let request = request.into_python(py, route)?;
            let response = Response::of_parts(py, shown.status, shown.headers, &shown.body)?;
            let arguments = (response, request);
            self.app
                .bind(py)
                .call_method1(intern!(py, "_handle_status"), arguments)
        };
        match run() {
            Ok(handled) if handled.is_none() => None,
            Ok(handled) => Some(call::finish_handled(
                py,
                event_loop,
                &handled,
                context.as_ref(),
            )),
            Err(error) => {
                self.log_fault(py, &error);
                Some(Progress::Done(self.opaque(None)))
            }
        }
    }

    /// A fault in the application's own handler of faults: logged, and the client gets the opaque 500.
    pub(crate) fn log_fault(&self, py: Python<'_>, error: &PyErr) {
        self.log(py, &format!("an exception handler failed: {error}"), None);
    }

    pub(crate) fn log(&self, py: Python<'_>, message: &str, request_id: Option<&str>) {
        self.write(py, ERROR, message, request_id);
    }

    pub(crate) fn warn(&self, py: Python<'_>, message: &str, request_id: Option<&str>) {
        self.write(py, WARNING, message, request_id);
    }

    fn write(&self, py: Python<'_>, level: u8, message: &str, request_id: Option<&str>) {
        let logged = self
            .app
            .bind(py)
            .call_method1(intern!(py, "_log_event"), (level, message, request_id));
        if let Err(error) = logged {
            error.write_unraisable(py, Some(self.app.bind(py)));
        }
    }

    fn opaque(&self, id: Option<&RequestId>) -> Outcome {
        let response = Problem::internal_server_error()
            .into_response(&self.base_url, id.map(RequestId::as_str));
        Outcome::Answer(response.into())
    }
}
