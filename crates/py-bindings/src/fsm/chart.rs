use std::sync::{Arc, Mutex, PoisonError};

use core_fsm::Map;
use core_fsm::scxml::{
    Chart as CoreChart, ChartError, ChartFault, ChartHost, Event, EventKind, InvokeSource,
    NodeKind, Order, Parameters, RunFault, Session, defined, read_scxml,
};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::fsm_value::{to_map, to_python, to_value};

/// A chart that was read from SCXML.
#[pyclass(module = "spikard._spikard", frozen)]
pub(crate) struct Chart {
    chart: Arc<CoreChart>,
}

#[pymethods]
impl Chart {
    /// Reads a document. `load` gives the text at an address, or raises.
    #[staticmethod]
    #[pyo3(signature = (text, load, /))]
    fn read(text: &str, load: &Bound<'_, PyAny>) -> PyResult<Self> {
        let resources = |address: &str| -> Result<String, String> {
            load.call1((address,))
                .and_then(|text| text.extract())
                .map_err(|error| error.value(load.py()).to_string())
        };
        read_scxml(text, &resources)
            .map(|chart| Self {
                chart: Arc::new(chart),
            })
            .map_err(chart_error)
    }

    #[getter]
    fn name(&self) -> &str {
        self.chart.name()
    }

    #[getter]
    fn language(&self) -> &'static str {
        self.chart.language().as_str()
    }

    /// Expressions that are none: what is wrong, line, column.
    #[getter]
    fn broken(&self) -> Vec<(String, usize, usize)> {
        self.chart.broken().to_vec()
    }

    #[getter]
    fn initial(&self) -> Vec<&str> {
        self.chart.initial()
    }

    /// Id, kind, parent and initial states of each state.
    fn states(&self) -> Vec<(&str, &'static str, Option<&str>, Vec<&str>)> {
        self.chart
            .states()
            .map(|state| {
                let kind = match state.kind {
                    NodeKind::Root | NodeKind::Atomic => "atomic",
                    NodeKind::Compound => "compound",
                    NodeKind::Parallel => "parallel",
                    NodeKind::Final => "final",
                    NodeKind::ShallowHistory => "shallow",
                    NodeKind::DeepHistory => "deep",
                };
                (state.id, kind, state.parent, state.initial)
            })
            .collect()
    }

    /// Source, events, condition, targets of each transition, and whether it is internal.
    #[allow(clippy::type_complexity)] // It is a tuple in Python.
    fn transitions(&self) -> Vec<(&str, Vec<&str>, Option<&str>, Vec<&str>, bool)> {
        self.chart
            .transitions()
            .map(|transition| {
                (
                    transition.source,
                    transition.events,
                    transition.condition,
                    transition.targets,
                    transition.internal,
                )
            })
            .collect()
    }
}

/// The error's message, its kind, its line and column.
fn chart_error(error: ChartError) -> PyErr {
    let kind = match error.fault {
        ChartFault::Xml => "xml",
        ChartFault::Chart => "chart",
        ChartFault::Limit => "limit",
    };
    PyValueError::new_err((
        error.message,
        kind,
        error.position.line,
        error.position.column,
    ))
}

fn run_fault(py: Python<'_>, fault: RunFault) -> PyErr {
    let built = py
        .import(intern!(py, "spikard.fsm.errors"))
        .and_then(|module| module.getattr(intern!(py, "FSMError")))
        .and_then(|class| class.call1((fault.to_string(),)));
    match built {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// What a run asks of Python.
struct PyChartHost<'a, 'py> {
    ask: Option<&'a Bound<'py, PyAny>>,
    now: Option<i64>,
}

impl ChartHost for PyChartHost<'_, '_> {
    fn guard(&self, name: &str, values: &Map) -> Option<bool> {
        let ask = self.ask?;
        let context = PyDict::new(ask.py());
        for (key, value) in values.iter() {
            let key = crate::fsm_value::key_to_python(ask.py(), key).ok()?;
            let value = to_python(ask.py(), &defined(value)).ok()?;
            context.set_item(key, value).ok()?;
        }
        ask.call1((name, context)).ok()?.extract().ok()?
    }

    fn now(&self) -> Option<i64> {
        self.now
    }
}

/// One run of a chart. What the world has to do comes out as tuples.
#[pyclass(module = "spikard._spikard", frozen)]
pub(crate) struct ChartRun {
    // Never held while Python runs: steps work on a copy, which takes its place.
    session: Mutex<Session>,
}

impl ChartRun {
    fn copy(&self) -> Session {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Session) -> T) -> T {
        act(&mut self.session.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn step<'py, T>(
        &self,
        py: Python<'py>,
        ask: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
        act: impl FnOnce(&mut Session, &dyn ChartHost) -> Result<T, RunFault>,
    ) -> PyResult<T> {
        let mut session = self.copy();
        let result = act(&mut session, &PyChartHost { ask, now });
        self.with(|held| *held = session);
        result.map_err(|fault| run_fault(py, fault))
    }
}

type EventFields<'py> = (
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Bound<'py, PyAny>>,
);

#[pymethods]
impl ChartRun {
    #[new]
    #[pyo3(signature = (chart, session_id, data, *, declares=true, kinds=Vec::new(), invoke_id=None, microsteps=10_000, memory=None))]
    #[allow(clippy::too_many_arguments)] // They are keywords in Python.
    fn new(
        py: Python<'_>,
        chart: &Chart,
        session_id: &str,
        data: &Bound<'_, PyDict>,
        declares: bool,
        kinds: Vec<String>,
        invoke_id: Option<&str>,
        microsteps: usize,
        memory: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut parameters = Parameters::new(session_id);
        parameters.data = to_map(data);
        parameters.declares = declares;
        parameters.kinds = kinds.into_iter().map(Into::into).collect();
        parameters.invoke_id = invoke_id.map(Into::into);
        parameters.microsteps = microsteps;
        let chart = chart.chart.clone();
        let session = match memory {
            None => Session::new(chart, parameters),
            Some(memory) => Session::recall(chart, parameters, &to_map(memory))
                .map_err(|fault| run_fault(py, fault))?,
        };
        Ok(Self {
            session: Mutex::new(session),
        })
    }

    /// Enters the initial states.
    #[pyo3(signature = (ask=None, now=None))]
    fn start<'py>(
        &self,
        py: Python<'py>,
        ask: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let orders = self.step(py, ask, now, |session, host| session.start(host))?;
        written(py, orders)
    }

    /// Takes what waits; None when there is nothing.
    #[pyo3(signature = (ask=None, now=None))]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        ask: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Option<Vec<Bound<'py, PyTuple>>>> {
        if !self.with(|session| session.has_work()) {
            return Ok(None);
        }
        self.step(py, ask, now, |session, host| session.advance(host))?
            .map(|orders| written(py, orders))
            .transpose()
    }

    /// Takes what follows from the data model alone.
    #[pyo3(signature = (ask=None, now=None))]
    fn settle<'py>(
        &self,
        py: Python<'py>,
        ask: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let orders = self.step(py, ask, now, |session, host| session.settle(host))?;
        written(py, orders)
    }

    /// Ends the run from outside.
    #[pyo3(signature = (ask=None, now=None))]
    fn cancel<'py>(
        &self,
        py: Python<'py>,
        ask: Option<&Bound<'py, PyAny>>,
        now: Option<i64>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let orders = self.step(py, ask, now, |session, host| session.cancel(host))?;
        written(py, orders)
    }

    /// Puts an event at the end of the queue.
    #[pyo3(signature = (event, /))]
    fn post(&self, event: EventFields<'_>) {
        let (name, _, send_id, origin, origin_type, invoke_id, data) = event;
        let mut event = Event::new(&name, EventKind::External)
            .with_data(data.as_ref().map(|data| to_value(data)));
        event.send_id = send_id.map(Into::into);
        event.origin = origin.map(Into::into);
        event.origin_type = origin_type.map(Into::into);
        event.invoke_id = invoke_id.map(Into::into);
        self.with(|session| session.post(event));
    }

    /// Tells the chart what went wrong with something that it ordered.
    #[pyo3(signature = (name, message, send_id=None))]
    fn report(&self, name: &str, message: &str, send_id: Option<&str>) {
        self.with(|session| session.report(name, send_id.map(Into::into), message));
    }

    /// Puts a value into the data model, or takes it out.
    #[pyo3(signature = (name, value, /))]
    fn set(&self, name: &str, value: &Bound<'_, PyAny>) {
        let value = to_value(value);
        self.with(|session| session.set(name, value));
    }

    #[pyo3(signature = (name, /))]
    fn unset(&self, name: &str) {
        self.with(|session| session.unset(name));
    }

    #[getter]
    fn running(&self) -> bool {
        self.with(|session| session.is_running())
    }

    /// All active states, in document order.
    #[getter]
    fn configuration(&self) -> Vec<String> {
        self.with(|session| owned(session.configuration()))
    }

    /// The active states with nothing active in them.
    #[getter]
    fn leaves(&self) -> Vec<String> {
        self.with(|session| owned(session.leaves()))
    }

    /// The innermost state that all leaves are in.
    #[getter]
    fn resting(&self) -> Option<String> {
        self.with(|session| session.resting().map(ToOwned::to_owned))
    }

    /// The events that transitions of active states wait for.
    #[getter]
    fn descriptors(&self) -> Vec<String> {
        self.with(|session| owned(session.descriptors()))
    }

    /// The data model.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let values = self.with(|session| session.values());
        to_python(py, &core_fsm::Value::map(values))
    }

    /// The run as plain data.
    fn remember<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let memory = self.with(|session| session.remember());
        to_python(py, &core_fsm::Value::map(memory))
    }
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(ToOwned::to_owned).collect()
}

fn written(py: Python<'_>, orders: Vec<Order>) -> PyResult<Vec<Bound<'_, PyTuple>>> {
    orders
        .into_iter()
        .map(|order| order_tuple(py, order))
        .collect()
}

fn optional<'py>(
    py: Python<'py>,
    value: Option<&core_fsm::Value>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    value
        .map(|value| to_python(py, &defined(value)))
        .transpose()
}

fn event_tuple<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyTuple>> {
    (
        &*event.name,
        event.kind.as_str(),
        event.send_id.as_deref(),
        event.origin.as_deref(),
        event.origin_type.as_deref(),
        event.invoke_id.as_deref(),
        optional(py, event.data.as_ref())?,
    )
        .into_pyobject(py)
}

fn order_tuple(py: Python<'_>, order: Order) -> PyResult<Bound<'_, PyTuple>> {
    match order {
        Order::Left(state) => ("left", &*state).into_pyobject(py),
        Order::Entered(state) => ("entered", &*state).into_pyobject(py),
        Order::Took {
            source,
            event,
            targets,
        } => {
            let targets: Vec<_> = targets.iter().map(|target| &**target).collect();
            ("took", &*source, event.as_deref(), targets).into_pyobject(py)
        }
        Order::Log { label, value } => {
            ("log", label.as_deref(), optional(py, value.as_ref())?).into_pyobject(py)
        }
        Order::Error { event, message } => ("error", &*event, message).into_pyobject(py),
        Order::Send {
            event,
            target,
            kind,
            delay,
        } => (
            "send",
            event_tuple(py, &event)?,
            target.as_deref(),
            &*kind,
            delay,
        )
            .into_pyobject(py),
        Order::Cancel(id) => ("cancel", &*id).into_pyobject(py),
        Order::Start(invocation) => {
            let (form, source) = match invocation.source {
                InvokeSource::Chart(chart) => {
                    ("chart", Chart { chart }.into_pyobject(py)?.into_any())
                }
                InvokeSource::Content(value) => ("content", to_python(py, &defined(&value))?),
                InvokeSource::Address(address) => {
                    ("address", (&*address).into_pyobject(py)?.into_any())
                }
            };
            let data = to_python(py, &defined(&core_fsm::Value::map(invocation.data)))?;
            (
                "start",
                &*invocation.id,
                &*invocation.kind,
                form,
                source,
                data,
            )
                .into_pyobject(py)
        }
        Order::Stop(id) => ("stop", &*id).into_pyobject(py),
        Order::Forward(id, event) => ("forward", &*id, event_tuple(py, &event)?).into_pyobject(py),
        Order::Act(action) => ("act", to_python(py, &action)?).into_pyobject(py),
        Order::Done(data) => ("done", optional(py, data.as_ref())?).into_pyobject(py),
    }
}
