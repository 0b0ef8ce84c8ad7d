//! The asyncio loop as calls see it: eager tasks, direct coroutines, contexts.

use std::sync::Mutex;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Starts coroutines on one loop. Everything looked up once.
#[derive(Debug)]
pub(crate) struct EventLoop {
    event_loop: Py<PyAny>,
    task_type: Py<PyAny>,
    eagerness: Eagerness,
    /// The context in which the server was made: what the start-up set is seen by every handler.
    base_context: Py<PyAny>,
    step: Py<PyAny>,
}

/// How a task runs its first step at once.
#[derive(Debug)]
enum Eagerness {
    /// 3.12 and later: `Task(coro, loop=loop, eager_start=True)`.
    Native { arguments: Py<PyDict> },
    /// 3.11: the task's own `call_soon` is caught and its step run in its context.
    Caught {
        arguments: Py<PyDict>,
        catcher: Py<Catcher>,
    },
    /// A loop that takes no attributes: the first step waits for the loop's next turn.
    No,
}

/// Stands in for `loop.call_soon` while a task is made.
#[pyclass(frozen)]
#[derive(Debug, Default)]
struct Catcher {
    caught: Mutex<Option<(Py<PyAny>, Py<PyAny>)>>,
}

#[pymethods]
impl Catcher {
    #[pyo3(signature = (callback, *, context))]
    fn __call__(&self, callback: Py<PyAny>, context: Py<PyAny>) {
        if let Ok(mut caught) = self.caught.lock() {
            *caught = Some((callback, context));
        }
    }
}

/// How far a coroutine got that was expected to end at once.
pub(crate) enum Direct<'py> {
    Ended(Bound<'py, PyAny>),
    /// It waits after all, and goes on in a task.
    Waiting(Bound<'py, PyAny>),
}

/// What a coroutine that was expected to end at once waits for.
#[pyclass(frozen)]
struct Waited(Py<PyAny>);

/// Runs a coroutine to its end, or to where it waits; called through `Context.run`.
#[pyfunction]
fn run_to_end<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = coroutine.py();
    let mut result = std::ptr::null_mut();
    // SAFETY: `coroutine` is a coroutine object (the plan is only made for `async def`), None is immortal or
    // borrowed for the call, and `result` receives a new reference for RETURN and NEXT.
    let state = unsafe { ffi::PyIter_Send(coroutine.as_ptr(), ffi::Py_None(), &raw mut result) };
    match state {
        // SAFETY: RETURN hands over one reference.
        ffi::PySendResult::PYGEN_RETURN => Ok(unsafe { Bound::from_owned_ptr(py, result) }),
        ffi::PySendResult::PYGEN_NEXT => {
            // SAFETY: NEXT hands over one reference.
            let awaited = unsafe { Bound::from_owned_ptr(py, result) };
            Ok(Bound::new(py, Waited(awaited.unbind()))?.into_any())
        }
        ffi::PySendResult::PYGEN_ERROR => Err(PyErr::fetch(py)),
    }
}

impl EventLoop {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let arguments = PyDict::new(py);
        arguments.set_item("loop", event_loop)?;
        let eagerness = if py.version_info() >= (3, 12) {
            arguments.set_item("eager_start", true)?;
            Eagerness::Native {
                arguments: arguments.unbind(),
            }
        } else {
            let catcher = Py::new(py, Catcher::default())?;
            match event_loop.setattr(intern!(py, "call_soon"), &catcher) {
                Ok(()) => {
                    event_loop.delattr(intern!(py, "call_soon"))?;
                    Eagerness::Caught {
                        arguments: arguments.unbind(),
                        catcher,
                    }
                }
                Err(_) => Eagerness::No,
            }
        };
        Ok(Self {
            event_loop: event_loop.clone().unbind(),
            task_type: py.import("asyncio")?.getattr("Task")?.unbind(),
            eagerness,
            base_context: py
                .import("contextvars")?
                .call_method0("copy_context")?
                .unbind(),
            step: wrap_pyfunction!(run_to_end, py)?.into_any().unbind(),
        })
    }

    pub(crate) fn object(&self) -> &Py<PyAny> {
        &self.event_loop
    }

    /// Makes a task whose first step has run when this returns (where the loop allows it).
    pub(crate) fn start_task<'py>(
        &self,
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
        context: Option<&Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let task_type = self.task_type.bind(py);
        match &self.eagerness {
            Eagerness::Native { arguments } => {
                let arguments = self.with_context(py, arguments, context)?;
                task_type.call((coroutine,), Some(&arguments))
            }
            Eagerness::Caught { arguments, catcher } => {
                let event_loop = self.event_loop.bind(py);
                let arguments = self.with_context(py, arguments, context)?;
                event_loop.setattr(intern!(py, "call_soon"), catcher)?;
                let task = task_type.call((coroutine,), Some(&arguments));
                event_loop.delattr(intern!(py, "call_soon"))?;
                let task = task?;
                let caught = catcher
                    .get()
                    .caught
                    .lock()
                    .ok()
                    .and_then(|mut caught| caught.take());
                let (step, context) = caught.ok_or_else(|| {
                    PyRuntimeError::new_err("asyncio.Task did not schedule its first step")
                })?;
                context.bind(py).call_method1(intern!(py, "run"), (step,))?;
                Ok(task)
            }
            Eagerness::No => {
                let arguments = PyDict::new(py);
                arguments.set_item(intern!(py, "context"), self.context(py, context)?)?;
                self.event_loop.bind(py).call_method(
                    intern!(py, "create_task"),
                    (coroutine,),
                    Some(&arguments),
                )
            }
        }
    }

    fn with_context<'py>(
        &self,
        py: Python<'py>,
        arguments: &Py<PyDict>,
        context: Option<&Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let arguments = arguments.bind(py).copy()?;
        arguments.set_item(intern!(py, "context"), self.context(py, context)?)?;
        Ok(arguments)
    }

    /// Runs a coroutine that is not expected to suspend, in a context of its own as a task would. One that does goes
    /// on in a task.
    pub(crate) fn run_direct<'py>(
        &self,
        py: Python<'py>,
        coroutine: &Bound<'py, PyAny>,
        context: Option<&Py<PyAny>>,
    ) -> PyResult<Direct<'py>> {
        let context = self.context(py, context)?;
        let value = context.call_method1(intern!(py, "run"), (&self.step, coroutine))?;
        let Ok(awaited) = value.cast_exact::<Waited>() else {
            return Ok(Direct::Ended(value));
        };
        let rest = py
            .import(intern!(py, "spikard.routing.suspension"))?
            .getattr(intern!(py, "resumed"))?
            .call1((coroutine, &awaited.get().0))?;
        let arguments = PyDict::new(py);
        arguments.set_item(intern!(py, "context"), context)?;
        let task = self.event_loop.bind(py).call_method(
            intern!(py, "create_task"),
            (rest,),
            Some(&arguments),
        )?;
        Ok(Direct::Waiting(task))
    }

    /// The context a request runs in: the one its hooks have run in, else a new one.
    pub(crate) fn context<'py>(
        &self,
        py: Python<'py>,
        given: Option<&Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match given {
            Some(context) => Ok(context.bind(py).clone()),
            None => self.new_context(py),
        }
    }

    pub(crate) fn new_context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.base_context.bind(py).call_method0(intern!(py, "copy"))
    }

    /// Runs a plain function in a context of its own.
    pub(crate) fn run_inline<'py>(
        &self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        keywords: Option<&Bound<'py, PyDict>>,
        context: Option<&Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut all = vec![function.clone()];
        all.extend(arguments.iter());
        self.context(py, context)?
            .call_method(intern!(py, "run"), PyTuple::new(py, all)?, keywords)
    }

    /// Runs `callback(argument)` on the loop's thread, from any thread. False if the loop is closed.
    pub(crate) fn call_from_thread(
        &self,
        py: Python<'_>,
        callback: &Py<PyAny>,
        argument: Option<Py<PyAny>>,
    ) -> bool {
        let event_loop = self.event_loop.bind(py);
        let name = intern!(py, "call_soon_threadsafe");
        match argument {
            Some(argument) => event_loop.call_method1(name, (callback, argument)),
            None => event_loop.call_method1(name, (callback,)),
        }
        .is_ok()
    }
}
