//! Calling handlers: on the loop's thread, with everything checked already.

use std::sync::{Arc, Mutex};

use core_http::request::{Head, Request as CoreRequest};
use core_http::request_id::RequestId;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::answer::{self, Answer};
use crate::arguments::{self, Call};
use crate::event_loop::{Direct, EventLoop};
use crate::passenger::Passenger;
use crate::pool::ThreadPool;
use crate::request::Request;
use crate::route::{Mode, Route};

/// The request while its handler runs: as it came, or as the Python object the handler holds.
#[derive(Debug)]
pub(crate) enum Carried {
    Core(Box<CoreRequest>),
    Python(Py<Request>),
}

impl Carried {
    pub(crate) fn id(&self, py: Python<'_>) -> Option<RequestId> {
        match self {
            Self::Core(request) => request.head.id.clone(),
            Self::Python(request) => request.borrow(py).id().cloned(),
        }
    }

    /// The context in which this request's hooks ran, if any did.
    pub(crate) fn context(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match self {
            Self::Core(request) => Passenger::context(py, &request.head),
            Self::Python(request) => request.borrow(py).context(py),
        }
    }

    /// The Python object, the one hooks have seen, or made now if nobody needed it before.
    pub(crate) fn into_python(
        self,
        py: Python<'_>,
        route: Option<&Route>,
    ) -> PyResult<Py<Request>> {
        match self {
            Self::Python(request) => Ok(request),
            Self::Core(mut request) => {
                let names = route.map(|route| route.names.clone_ref(py));
                match Passenger::alight(py, &mut request.head) {
                    Some(known) => {
                        known.borrow_mut(py).resume(*request, names);
                        Ok(known)
                    }
                    None => Py::new(py, Request::new(*request, names)),
                }
            }
        }
    }
}

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answer(Answer),
    /// Hooks have seen the request: it goes on with this head, or is answered.
    Passed(Box<Head>, Option<Answer>),
    /// The handler raised, or its result can't be answered.
    Fault(PyErr),
}

impl From<PyResult<Answer>> for Outcome {
    fn from(result: PyResult<Answer>) -> Self {
        match result {
            Ok(answer) => Self::Answer(answer),
            Err(error) => Self::Fault(error),
        }
    }
}

/// How far a call got at once.
#[derive(Debug)]
pub(crate) enum Progress {
    Done(Outcome),
    /// A task waits; its outcome comes through the receiver.
    Suspended {
        task: Py<PyAny>,
        outcome: oneshot::Receiver<Outcome>,
    },
    /// A thread of the pool has it.
    Threaded(oneshot::Receiver<Outcome>),
}

/// True for what must end the loop rather than become a 500.
pub(crate) fn ends_loop(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyKeyboardInterrupt>(py) || error.is_instance_of::<PySystemExit>(py)
}

/// Completes a suspended call when its task is done.
#[pyclass(frozen)]
struct Completion {
    waiting: Mutex<Option<(oneshot::Sender<Outcome>, Then)>>,
    event_loop: Py<PyAny>,
}

/// What to make of a task's result.
enum Then {
    /// A handler's result, and the background tasks it asked for.
    Answer(Arc<Route>, Option<Py<PyAny>>),
    /// The result of an exception handler: a Response.
    Response,
    /// What the hooks of this request said.
    Hooks(Py<Request>),
}

#[pymethods]
impl Completion {
    fn __call__(&self, task: &Bound<'_, PyAny>) {
        let Some((sender, then)) = self
            .waiting
            .lock()
            .ok()
            .and_then(|mut waiting| waiting.take())
        else {
            return;
        };
        let outcome =
            task.call_method0(intern!(task.py(), "result"))
                .and_then(|value| match then {
                    Then::Answer(route, after) => {
                        let after = after.as_ref().map(|after| after.bind(task.py()));
                        answer_then(&route, &self.event_loop, &value, after).map(Outcome::Answer)
                    }
                    Then::Response => {
                        answer::from_response(&self.event_loop, &value).map(Outcome::Answer)
                    }
                    Then::Hooks(request) => passed(&self.event_loop, &request, &value),
                });
        // Nobody waits any more when the client has gone.
        let _ = sender.send(outcome.unwrap_or_else(Outcome::Fault));
    }
}

/// The answer of a handler's result; its background tasks are queued behind it.
fn answer_then(
    route: &Route,
    event_loop: &Py<PyAny>,
    value: &Bound<'_, PyAny>,
    after: Option<&Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let mut answer = answer::answer(route, event_loop, value)?;
    answer::schedule(event_loop, &mut answer, after, value.py())?;
    Ok(answer)
}

/// What hooks have come to: None to go on, or a Response.
fn passed(
    event_loop: &Py<PyAny>,
    request: &Py<Request>,
    value: &Bound<'_, PyAny>,
) -> PyResult<Outcome> {
    let head = Box::new(Request::depart(request.bind(value.py()))?);
    let answer = if value.is_none() {
        None
    } else {
        Some(answer::from_response(event_loop, value)?)
    };
    Ok(Outcome::Passed(head, answer))
}

/// The context of a request, made now if it has none.
pub(crate) fn context_of(
    py: Python<'_>,
    event_loop: &EventLoop,
    request: &Py<Request>,
) -> PyResult<Py<PyAny>> {
    if let Some(context) = request.borrow(py).context(py) {
        return Ok(context);
    }
    let context = event_loop.new_context(py)?.unbind();
    request.borrow_mut(py).keep_context(context.clone_ref(py));
    Ok(context)
}

/// Runs the hooks of a request in its context.
pub(crate) fn start_hooks(
    py: Python<'_>,
    event_loop: &EventLoop,
    hooks: &Py<PyAny>,
    request: Py<Request>,
) -> PyResult<Progress> {
    request.borrow_mut(py).is_unread = true;
    let context = context_of(py, event_loop, &request)?;
    let mut value = context
        .bind(py)
        .call_method1(intern!(py, "run"), (hooks, &request))?;
    if !value.is_none() && value.hasattr(intern!(py, "__await__"))? {
        let task = event_loop.start_task(py, &value, Some(&context))?;
        if !is_done(&task)? {
            return suspend(event_loop, &task, Then::Hooks(request));
        }
        value = task.call_method0(intern!(py, "result"))?;
    }
    Ok(Progress::Done(passed(
        event_loop.object(),
        &request,
        &value,
    )?))
}

fn is_done(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    task.call_method0(intern!(task.py(), "done"))?.is_truthy()
}

fn suspend(event_loop: &EventLoop, task: &Bound<'_, PyAny>, then: Then) -> PyResult<Progress> {
    let (sender, outcome) = oneshot::channel();
    let completion = Completion {
        waiting: Mutex::new(Some((sender, then))),
        event_loop: event_loop.object().clone_ref(task.py()),
    };
    task.call_method1(intern!(task.py(), "add_done_callback"), (completion,))?;
    Ok(Progress::Suspended {
        task: task.clone().unbind(),
        outcome,
    })
}

/// Calls the handler of `route`.
pub(crate) fn start(
    py: Python<'_>,
    event_loop: &EventLoop,
    pool: &ThreadPool,
    route: &Arc<Route>,
    call: Call<'_>,
) -> Progress {
    match try_start(py, event_loop, pool, route, call) {
        Ok(progress) => progress,
        Err(error) => Progress::Done(Outcome::Fault(error)),
    }
}

fn try_start(
    py: Python<'_>,
    event_loop: &EventLoop,
    pool: &ThreadPool,
    route: &Arc<Route>,
    call: Call<'_>,
) -> PyResult<Progress> {
    let handler = route.handler.bind(py);
    match route.mode {
        Mode::Direct => {
            let coroutine = arguments::apply(handler, &call)?;
            let value = match event_loop.run_direct(py, &coroutine, call.context.as_ref())? {
                Direct::Ended(value) => value,
                Direct::Waiting(task) => {
                    let after = call.after.map(Bound::unbind);
                    return suspend(event_loop, &task, Then::Answer(Arc::clone(route), after));
                }
            };
            Ok(Progress::Done(
                answer_then(route, event_loop.object(), &value, call.after.as_ref()).into(),
            ))
        }
        Mode::Task => {
            let coroutine = arguments::apply(handler, &call)?;
            let task = event_loop.start_task(py, &coroutine, call.context.as_ref())?;
            if !is_done(&task)? {
                let after = call.after.map(Bound::unbind);
                return suspend(event_loop, &task, Then::Answer(Arc::clone(route), after));
            }
            let value = task.call_method0(intern!(py, "result"))?;
            Ok(Progress::Done(
                answer_then(route, event_loop.object(), &value, call.after.as_ref()).into(),
            ))
        }
        Mode::Inline => {
            let value = event_loop.run_inline(
                py,
                handler,
                &call.positional,
                call.keywords.as_ref(),
                call.context.as_ref(),
            )?;
            Ok(Progress::Done(
                answer_then(route, event_loop.object(), &value, call.after.as_ref()).into(),
            ))
        }
        Mode::Thread => start_thread(py, event_loop, pool, route, call),
    }
}

fn start_thread(
    py: Python<'_>,
    event_loop: &EventLoop,
    pool: &ThreadPool,
    route: &Arc<Route>,
    call: Call<'_>,
) -> PyResult<Progress> {
    let (sender, outcome) = oneshot::channel();
    let context = event_loop.context(py, call.context.as_ref())?.unbind();
    let (positional, keywords) = (call.positional.unbind(), call.keywords.map(Bound::unbind));
    let after = call.after.map(Bound::unbind);
    let route = Arc::clone(route);
    let target = event_loop.object().clone_ref(py);
    let submitted = pool.submit(move |py| {
        let run = || {
            let mut all = vec![route.handler.bind(py).clone()];
            all.extend(positional.bind(py).iter());
            let all = pyo3::types::PyTuple::new(py, all)?;
            let keywords = keywords.as_ref().map(|keywords| keywords.bind(py));
            let value = context
                .bind(py)
                .call_method(intern!(py, "run"), all, keywords)?;
            let after = after.as_ref().map(|after| after.bind(py));
            answer_then(&route, &target, &value, after)
        };
        let _ = sender.send(run().into());
    });
    if submitted {
        Ok(Progress::Threaded(outcome))
    } else {
        Err(pyo3::exceptions::PyRuntimeError::new_err(
            "the server is closing: no thread takes this call",
        ))
    }
}

/// Waits for what an exception handler returned: a Response or an awaitable of one.
pub(crate) fn finish_handled(
    py: Python<'_>,
    event_loop: &EventLoop,
    value: &Bound<'_, PyAny>,
    context: Option<&Py<PyAny>>,
) -> Progress {
    let run = || -> PyResult<Progress> {
        if !value.hasattr(intern!(py, "__await__"))? {
            return Ok(Progress::Done(
                answer::from_response(event_loop.object(), value).into(),
            ));
        }
        let task = event_loop.start_task(py, value, context)?;
        if !is_done(&task)? {
            return suspend(event_loop, &task, Then::Response);
        }
        let value = task.call_method0(intern!(py, "result"))?;
        Ok(Progress::Done(
            answer::from_response(event_loop.object(), &value).into(),
        ))
    };
    run().unwrap_or_else(|error| Progress::Done(Outcome::Fault(error)))
}
