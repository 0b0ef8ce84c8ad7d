//! Calls of Python code on the loop's thread: handlers, and the application's say in errors.

use std::sync::Arc;

use bytes::Bytes;
use core_http::problem::Problem;
use core_http::request::{Head, Request as CoreRequest};
use core_http::request_id::RequestId;
use http::{HeaderMap, StatusCode};
use pyo3::intern;
use pyo3::prelude::*;

use crate::answer::Answer;
use crate::arguments::{self, Unready};
use crate::call::{self, Carried, Outcome, Progress};
use crate::check;
use crate::event_loop::EventLoop;
use crate::pool::ThreadPool;
use crate::route::Route;
use crate::trouble::{Shown, Trouble};

/// What calls need on the loop's thread.
#[derive(Debug)]
pub(crate) struct Callee {
    pub(crate) event_loop: EventLoop,
    pub(crate) pool: ThreadPool,
    pub(crate) trouble: Trouble,
}

/// What is asked of Python.
#[derive(Debug)]
pub(crate) enum Question {
    /// Call a handler with a request that passed its checks.
    Handle {
        route: Arc<Route>,
        request: Box<CoreRequest>,
    },
    /// See an answer with an error status.
    Status {
        route: Option<Arc<Route>>,
        request: Box<CoreRequest>,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    /// Run hooks before the handler.
    Hooks {
        hooks: Arc<Py<PyAny>>,
        route: Option<Arc<Route>>,
        head: Box<Head>,
    },
}

/// What comes back: an outcome, or nothing where Python had no opinion.
pub(crate) type Said = Option<Outcome>;

/// What comes back later.
pub(crate) type Later = futures_util::future::LocalBoxFuture<'static, Said>;

/// Enough of a request to report the fault of a call that is over.
pub(crate) struct Blame {
    carried: Carried,
    route: Option<Arc<Route>>,
}

impl Blame {
    /// What a file's answer needs of the request.
    pub(crate) fn note(&self, answer: &mut Answer) {
        if answer.is_file() {
            Python::attach(|py| answer.note(py, &self.carried));
        }
    }
}

impl Callee {
    /// Asks Python, on the loop's thread. `Done` where it answered at once.
    pub(crate) fn ask(
        &self,
        py: Python<'_>,
        question: Question,
    ) -> (Option<Progress>, Option<Blame>) {
        match question {
            Question::Handle { route, request } => self.handle(py, &route, request),
            Question::Status {
                route,
                request,
                status,
                headers,
                body,
            } => {
                let carried = Carried::Core(request);
                let shown = Shown {
                    status,
                    headers,
                    body,
                };
                (
                    self.trouble
                        .status(py, &self.event_loop, shown, carried, route.as_deref()),
                    None,
                )
            }
            Question::Hooks { hooks, route, head } => {
                (Some(self.hooks(py, &hooks, route.as_deref(), head)), None)
            }
        }
    }

    fn hooks(
        &self,
        py: Python<'_>,
        hooks: &Py<PyAny>,
        route: Option<&Route>,
        head: Box<Head>,
    ) -> Progress {
        let carried = Carried::Core(Box::new(CoreRequest::new(*head, Bytes::new())));
        let started = carried
            .into_python(py, route)
            .and_then(|request| call::start_hooks(py, &self.event_loop, hooks, request));
        match started {
            Ok(progress) => progress,
            Err(error) if call::ends_loop(py, &error) => Progress::Done(Outcome::Fault(error)),
            Err(error) => {
                self.trouble.log_fault(py, &error);
                Progress::Done(self.opaque())
            }
        }
    }

    pub(crate) fn handle(
        &self,
        py: Python<'_>,
        route: &Arc<Route>,
        request: Box<CoreRequest>,
    ) -> (Option<Progress>, Option<Blame>) {
        let values = match check::resolve(route, &request, |slots| {
            arguments::parameter_values(py, route, slots)
        }) {
            Ok(Ok(values)) => values,
            Ok(Err(unready)) => {
                return (
                    Some(self.unready(py, unready, Carried::Core(request), route)),
                    None,
                );
            }
            Err(problem) => {
                let id = request.head.id.clone();
                let request = Carried::Core(request);
                return (
                    Some(self.refuse(py, problem, id.as_ref(), request, route)),
                    None,
                );
            }
        };
        let (mut call, carried) = match arguments::build(py, route, request, values) {
            Ok(built) => built,
            Err((unready, carried)) => {
                return (Some(self.unready(py, unready, carried, route)), None);
            }
        };
        if route.shares_context
            && let Carried::Python(request) = &carried
        {
            // An error would be one of making a context, and then starting fails as well.
            call.context = call::context_of(py, &self.event_loop, request).ok();
        }
        match call::start(py, &self.event_loop, &self.pool, route, call) {
            Progress::Done(Outcome::Fault(error)) if !call::ends_loop(py, &error) => (
                Some(
                    self.trouble
                        .exception(py, &self.event_loop, error, carried, Some(route)),
                ),
                None,
            ),
            Progress::Done(Outcome::Answer(mut answer)) => {
                answer.note(py, &carried);
                (Some(Progress::Done(Outcome::Answer(answer))), None)
            }
            progress @ Progress::Done(_) => (Some(progress), None),
            progress => (
                Some(progress),
                Some(Blame {
                    carried,
                    route: Some(Arc::clone(route)),
                }),
            ),
        }
    }

    fn unready(
        &self,
        py: Python<'_>,
        unready: Unready,
        carried: Carried,
        route: &Route,
    ) -> Progress {
        match unready {
            Unready::Invalid(errors) => {
                let id = carried.id(py);
                self.refuse(py, check::invalid(&errors), id.as_ref(), carried, route)
            }
            Unready::Fault(error) => {
                self.trouble
                    .exception(py, &self.event_loop, error, carried, Some(route))
            }
        }
    }

    /// A refusal found with the interpreter held; the application may revise it.
    fn refuse(
        &self,
        py: Python<'_>,
        problem: Problem,
        id: Option<&RequestId>,
        carried: Carried,
        route: &Route,
    ) -> Progress {
        let response = self.trouble.problem(problem, id);
        let status = response.status();
        let answer = Answer::from(response);
        if self.trouble.wants(status)
            && let Some(progress) = self.trouble.status(
                py,
                &self.event_loop,
                Shown {
                    status,
                    headers: answer.headers.clone(),
                    body: Bytes::copy_from_slice(answer.body.as_bytes()),
                },
                carried,
                Some(route),
            )
        {
            return progress;
        }
        Progress::Done(Outcome::Answer(answer))
    }

    /// The opaque 500, when there is nothing left to tell.
    pub(crate) fn opaque(&self) -> Outcome {
        Outcome::Answer(
            self.trouble
                .problem(Problem::internal_server_error(), None)
                .into(),
        )
    }

    /// The fault of a call that suspended: the exception handlers, then the opaque 500.
    pub(crate) fn blame(&self, py: Python<'_>, error: PyErr, blame: Blame) -> Progress {
        self.trouble.exception(
            py,
            &self.event_loop,
            error,
            blame.carried,
            blame.route.as_deref(),
        )
    }
}

/// What the server itself answers if Python can't any more.
pub(crate) fn closing() -> Outcome {
    Outcome::Answer(
        Problem::service_unavailable("The server is shutting down")
            .into_response("about:", None)
            .into(),
    )
}

/// Cancels a task; what it does about that is its own affair.
pub(crate) fn cancel(py: Python<'_>, task: &Py<PyAny>) {
    if let Err(error) = task.bind(py).call_method0(intern!(py, "cancel")) {
        error.write_unraisable(py, Some(task.bind(py)));
    }
}
