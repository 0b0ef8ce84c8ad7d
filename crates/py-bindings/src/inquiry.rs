//! Questions to functions of the application before a request's handler: the key of a limit, the owner of an API key.
//!
//! They are asked the way hooks are: the function may wait, and what it raises is answered as for hooks.

use std::sync::{Arc, Mutex};

use core_http::gate::Refused;
use core_http::handler::Reply;
use core_http::request::Head;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::callee::Question;
use crate::gateway::Gateway;
use crate::hook_gate::{closed, decided};
use crate::route::Route;

/// What the function is called with.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Request,
    Key(String),
}

/// A function of the application, on the side of the server.
#[derive(Clone)]
pub(crate) struct Inquirer {
    pub(crate) gateway: Gateway,
    pub(crate) function: Arc<Py<PyAny>>,
    pub(crate) route: Option<Arc<Route>>,
}

impl std::fmt::Debug for Inquirer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquirer").finish_non_exhaustive()
    }
}

impl Inquirer {
    /// Asks; the head comes back with what was said, which is in the form that `read` made of it.
    pub(crate) async fn ask<T: Send + 'static>(
        self,
        head: Head,
        subject: Subject,
        read: fn(&Bound<'_, PyAny>) -> PyResult<T>,
    ) -> Result<(Head, T), Box<Refused>> {
        let told = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&told);
        let made = Python::attach(|py| {
            let inquiry = Inquiry {
                app: self.gateway.trouble().app(py).clone().unbind(),
                function: Arc::clone(&self.function),
                subject,
                keep: Box::new(move |said| {
                    let value = read(said)?;
                    if let Ok(mut told) = keep.lock() {
                        *told = Some(value);
                    }
                    Ok(())
                }),
            };
            Py::new(py, inquiry).map(Py::into_any)
        });
        let said = match made {
            Ok(hooks) => {
                let question = Question::Hooks {
                    hooks: Arc::new(hooks),
                    route: self.route.clone(),
                    head: Box::new(head),
                };
                match self.gateway.ask(question) {
                    Ok(said) => said,
                    Err(later) => later.await,
                }
            }
            Err(_) => None,
        };
        let head = match decided(&self.gateway, said) {
            Ok(head) => head,
            Err((head, reply)) => return Err(refused(head, reply).await),
        };
        let value = told.lock().ok().and_then(|mut told| told.take());
        match value {
            Some(value) => Ok((head, value)),
            None => Err(refused(head, closed(&self.gateway)).await),
        }
    }
}

async fn refused(head: Head, reply: Reply) -> Box<Refused> {
    let response = reply.settled().await;
    Box::new(Refused { head, response })
}

type Keep = Box<dyn Fn(&Bound<'_, PyAny>) -> PyResult<()> + Send + Sync>;

/// One question, called like a hook.
#[pyclass(frozen)]
struct Inquiry {
    app: Py<PyAny>,
    function: Arc<Py<PyAny>>,
    subject: Subject,
    keep: Keep,
}

#[pymethods]
impl Inquiry {
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        request: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let function = this.function.bind(py);
        let subject = match &this.subject {
            Subject::Request => request.clone(),
            Subject::Key(key) => key.into_pyobject(py)?.into_any(),
        };
        py.import(intern!(py, "spikard.app.inquiry"))?
            .getattr(intern!(py, "inquire"))?
            .call1((
                function,
                subject,
                slf.getattr(intern!(py, "keep"))?,
                request,
                this.app.bind(py),
            ))
    }

    fn keep(&self, said: &Bound<'_, PyAny>) -> PyResult<()> {
        (self.keep)(said)
    }
}

/// The key of a limit.
pub(crate) fn read_key(said: &Bound<'_, PyAny>) -> PyResult<String> {
    said.extract().map_err(|_| {
        PyTypeError::new_err(format!(
            "the key function of a rate limit returned {}; it must return a str",
            said.get_type()
                .name()
                .map_or_else(|_| "something else".to_owned(), |name| name.to_string())
        ))
    })
}
