//! What Python may say about errors: exception handlers, status handlers, and the log.

use core_http::problem::Problem;
use core_http::request_id::RequestId;
use http::StatusCode;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::call::{self, Carried, Outcome, Progress};
use crate::event_loop::EventLoop;
use crate::route::Route;

/// The application's side of errors. Slow paths only.
#[derive(Debug)]
pub(crate) struct Trouble {
    app: Py<PyAny>,
    statuses: Vec<u16>,
    pub(crate) base_url: String,
}

/// logging.ERROR
const ERROR: u8 = 40;

impl Trouble {
    pub(crate) fn new(app: &Bound<'_, PyAny>, base_url: String) -> PyResult<Self> {
        let py = app.py();
        let handlers = app.getattr(intern!(py, "_status_handlers"))?;
        let statuses = handlers
            .try_iter()?
            .map(|status| status?.extract())
            .collect::<PyResult<_>>()?;
        Ok(Self {
            app: app.clone().unbind(),
            statuses,
            base_url,
        })
    }

    /// Whether the application has a handler of its own for this status.
    pub(crate) fn wants(&self, status: StatusCode) -> bool {
        self.statuses.contains(&status.as_u16())
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
        let run = || -> PyResult<Option<Progress>> {
            let request = request.into_python(py, route)?;
            // Unlike `value`, this gives the exception its traceback on every version.
            let exception = error.clone_ref(py).into_value(py);
            let handled = self
                .app
                .bind(py)
                .call_method1(intern!(py, "_handle_exception"), (exception, request))?;
            Ok((!handled.is_none()).then(|| call::finish_handled(py, event_loop, &handled)))
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

    /// An answer with an error status that the application wants to see first.
    pub(crate) fn status(
        &self,
        py: Python<'_>,
        event_loop: &EventLoop,
        status: StatusCode,
        problem: &[u8],
        request: Carried,
        route: Option<&Route>,
    ) -> Option<Progress> {
        let run = || -> PyResult<Bound<'_, PyAny>> {
            let request = request.into_python(py, route)?;
            let arguments = (status.as_u16(), PyBytes::new(py, problem), request);
            self.app
                .bind(py)
                .call_method1(intern!(py, "_handle_status"), arguments)
        };
        match run() {
            Ok(handled) if handled.is_none() => None,
            Ok(handled) => Some(call::finish_handled(py, event_loop, &handled)),
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
        let logged = self
            .app
            .bind(py)
            .call_method1(intern!(py, "_log_event"), (ERROR, message, request_id));
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
