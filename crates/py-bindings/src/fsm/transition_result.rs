use std::sync::Arc;

use core_fsm::{GuardKind, Record, Step};
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

use super::machine::Engine;
use super::plan::Plan;
use super::regions::Regional;

/// What an event does, or why it does nothing. Error, metadata and lists are made when somebody looks at them.
#[pyclass(frozen, subclass, module = "spikard._spikard")]
pub(crate) struct TransitionResult {
    source_state: Py<PyAny>,
    trigger: Py<PyAny>,
    error: PyOnceLock<Option<Py<PyAny>>>,
    metadata: PyOnceLock<Py<PyAny>>,
    origin: Origin,
}

/// Where a result comes from: what all the rest of it is made of.
pub(super) enum Origin {
    Given(Box<Given>),
    Fired {
        engine: Arc<Engine>,
        step: Step,
        records: Vec<Record>,
        plan: Arc<Plan>,
        regional: Option<Box<Regional>>,
    },
    Ignored,
    Joined(Py<PyString>),
    Terminal,
    NoTransition,
    /// The machine that knows what triggers there are.
    UndefinedTrigger(Py<PyAny>),
    Rejected {
        engine: Arc<Engine>,
        candidates: usize,
        records: Vec<Record>,
    },
}

/// A result that somebody else has put together.
pub(super) struct Given {
    success: bool,
    target_state: Option<Py<PyAny>>,
    actions: Py<PyTuple>,
    on_exit: Py<PyTuple>,
    on_enter: Py<PyTuple>,
}

impl TransitionResult {
    pub(super) fn new_from<'py>(
        source: &Bound<'py, PyAny>,
        trigger: Bound<'py, PyAny>,
        origin: Origin,
    ) -> Self {
        Self {
            source_state: source.clone().unbind(),
            trigger: trigger.unbind(),
            error: PyOnceLock::new(),
            metadata: PyOnceLock::new(),
            origin,
        }
    }

    pub(super) fn is_success(&self) -> bool {
        match &self.origin {
            Origin::Given(given) => given.success,
            Origin::Fired { .. } | Origin::Ignored | Origin::Joined(_) => true,
            Origin::Terminal
            | Origin::NoTransition
            | Origin::UndefinedTrigger(_)
            | Origin::Rejected { .. } => false,
        }
    }

    /// What is to be remembered of the states that were left.
    pub(super) fn left<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        match &self.origin {
            Origin::Fired {
                plan,
                regional: None,
                ..
            } => plan.history(py),
            Origin::Given(_) => {
                let key = pyo3::intern!(py, "_history_updates");
                match self.metadata(py)?.bind(py).cast::<PyDict>() {
                    Ok(metadata) => Ok(match metadata.get_item(key)? {
                        Some(left) => Some(left.cast_into::<PyDict>()?),
                        None => None,
                    }),
                    Err(_) => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// An event that is taken and does nothing, with what there is to say of it.
    pub(super) fn ignored(
        py: Python<'_>,
        state: Py<PyAny>,
        trigger: Py<PyAny>,
        about: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        about.set_item(pyo3::intern!(py, "no_op"), true)?;
        if !about.contains(pyo3::intern!(py, "reason"))? {
            about.set_item(pyo3::intern!(py, "reason"), NO_TRANSITION)?;
        }
        let nothing = PyTuple::empty(py).unbind();
        let given = Given {
            success: true,
            target_state: Some(state.clone_ref(py)),
            actions: nothing.clone_ref(py),
            on_exit: nothing.clone_ref(py),
            on_enter: nothing,
        };
        let result = Self::new_from(
            state.bind(py),
            trigger.into_bound(py),
            Origin::Given(Box::new(given)),
        );
        Ok(Self {
            metadata: filled(py, about.clone().into_any().unbind()),
            ..result
        })
    }

    fn make_metadata(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let metadata = PyDict::new(py);
        match &self.origin {
            Origin::Given(_) | Origin::NoTransition | Origin::UndefinedTrigger(_) => {}
            Origin::Fired {
                engine,
                step,
                records,
                plan,
                regional,
            } => {
                describe_step(&metadata, engine, *step, records, plan, regional.as_deref())?;
            }
            Origin::Ignored => {
                metadata.set_item("no_op", true)?;
                metadata.set_item("reason", NO_TRANSITION)?;
            }
            Origin::Joined(parallel) => {
                metadata.set_item("_join_trigger", format!("_join_{parallel}"))?;
                metadata.set_item("no_op", true)?;
                metadata.set_item("reason", NO_TRANSITION)?;
            }
            Origin::Terminal => metadata.set_item("reason", "terminal_state")?,
            Origin::Rejected {
                engine, records, ..
            } => {
                metadata.set_item("reason", "guards_failed")?;
                if let Some(name) = refusing(engine, records) {
                    metadata.set_item("guard_name", name)?;
                }
                if !records.is_empty() {
                    metadata.set_item("guards", describe_guards(py, engine, records)?)?;
                }
            }
        }
        Ok(metadata.into_any().unbind())
    }

    fn make_error(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let arguments = (self.source_state.clone_ref(py), self.trigger.clone_ref(py));
        let maker = match &self.origin {
            Origin::Given(_) | Origin::Fired { .. } | Origin::Ignored | Origin::Joined(_) => {
                return Ok(None);
            }
            Origin::Terminal => "terminal_state",
            Origin::NoTransition => "no_transition",
            Origin::UndefinedTrigger(machine) => {
                let error = refusals(py)?
                    .call_method1("undefined_trigger", (machine, self.trigger.clone_ref(py)))?;
                return Ok(Some(error.unbind()));
            }
            Origin::Rejected {
                engine,
                candidates,
                records,
            } => {
                let (state, trigger) = arguments;
                let name = refusing(engine, records);
                let error = refusals(py)?
                    .call_method1("guards_failed", (state, trigger, name, *candidates))?;
                return Ok(Some(error.unbind()));
            }
        };
        Ok(Some(refusals(py)?.call_method1(maker, arguments)?.unbind()))
    }

    /// The result as one of a class, which may be derived from its own.
    fn of_class<'py>(self, class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        if class.is(py.get_type::<Self>()) {
            return Ok(Bound::new(py, self)?.into_any());
        }
        let values = PyDict::new(py);
        for (name, value) in FIELDS.iter().zip(self.fields(py)?) {
            values.set_item(name, value)?;
        }
        class.call((), Some(&values))
    }

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<[Bound<'py, PyAny>; 9]> {
        Ok([
            self.is_success().into_pyobject(py)?.to_owned().into_any(),
            self.source_state.bind(py).clone(),
            self.target_state(py).into_bound(py),
            self.trigger.bind(py).clone(),
            self.actions_to_execute(py).into_bound(py).into_any(),
            self.on_exit_actions(py).into_bound(py).into_any(),
            self.on_enter_actions(py).into_bound(py).into_any(),
            self.error(py)?.into_bound(py),
            self.metadata(py)?.into_bound(py),
        ])
    }
}

const NO_TRANSITION: &str = "no_matching_transition";

const FIELDS: [&str; 9] = [
    "success",
    "source_state",
    "target_state",
    "trigger",
    "actions_to_execute",
    "on_exit_actions",
    "on_enter_actions",
    "error",
    "metadata",
];

#[pymethods]
impl TransitionResult {
    #[new]
    #[pyo3(signature = (
        success, source_state, target_state, trigger, actions_to_execute=None, on_exit_actions=None,
        on_enter_actions=None, error=None, metadata=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are the fields")]
    fn new(
        py: Python<'_>,
        success: bool,
        source_state: Py<PyAny>,
        target_state: Option<Py<PyAny>>,
        trigger: Py<PyAny>,
        actions_to_execute: Option<&Bound<'_, PyAny>>,
        on_exit_actions: Option<&Bound<'_, PyAny>>,
        on_enter_actions: Option<&Bound<'_, PyAny>>,
        error: Option<Py<PyAny>>,
        metadata: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let actions = |given: Option<&Bound<'_, PyAny>>| match given {
            Some(given) => super::reading::tuple(given),
            None => Ok(PyTuple::empty(py).unbind()),
        };
        Ok(Self {
            source_state,
            trigger,
            error: filled(py, error),
            metadata: metadata.map_or_else(PyOnceLock::new, |metadata| filled(py, metadata)),
            origin: Origin::Given(Box::new(Given {
                success,
                target_state,
                actions: actions(actions_to_execute)?,
                on_exit: actions(on_exit_actions)?,
                on_enter: actions(on_enter_actions)?,
            })),
        })
    }

    /// A transition that fires.
    #[classmethod]
    #[pyo3(signature = (source_state, target_state, trigger, actions=None, on_exit=None, on_enter=None, metadata=None))]
    #[allow(clippy::too_many_arguments, reason = "they are the fields")]
    fn success_result<'py>(
        class: &Bound<'py, PyType>,
        source_state: Py<PyAny>,
        target_state: Py<PyAny>,
        trigger: Py<PyAny>,
        actions: Option<&Bound<'py, PyAny>>,
        on_exit: Option<&Bound<'py, PyAny>>,
        on_enter: Option<&Bound<'py, PyAny>>,
        metadata: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let result = Self::new(
            py,
            true,
            source_state,
            Some(target_state),
            trigger,
            actions,
            on_exit,
            on_enter,
            None,
            metadata,
        )?;
        result.of_class(class)
    }

    /// An event that is refused.
    #[classmethod]
    #[pyo3(signature = (source_state, trigger, error, metadata=None))]
    fn failure_result<'py>(
        class: &Bound<'py, PyType>,
        source_state: Py<PyAny>,
        trigger: Py<PyAny>,
        error: Py<PyAny>,
        metadata: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let result = Self::new(
            py,
            false,
            source_state,
            None,
            trigger,
            None,
            None,
            None,
            Some(error),
            metadata,
        )?;
        result.of_class(class)
    }

    /// An event that is taken and does nothing.
    #[classmethod]
    #[pyo3(signature = (current_state, trigger, metadata=None))]
    fn no_op_result<'py>(
        class: &Bound<'py, PyType>,
        current_state: Py<PyAny>,
        trigger: Py<PyAny>,
        metadata: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let merged = PyDict::new(py);
        if let Some(metadata) = metadata {
            merged.update(metadata.cast::<pyo3::types::PyMapping>()?)?;
        }
        Self::ignored(py, current_state, trigger, &merged)?.of_class(class)
    }

    #[getter]
    fn success(&self) -> bool {
        self.is_success()
    }

    #[getter]
    fn source_state(&self, py: Python<'_>) -> Py<PyAny> {
        self.source_state.clone_ref(py)
    }

    #[getter]
    pub(super) fn target_state(&self, py: Python<'_>) -> Py<PyAny> {
        match &self.origin {
            Origin::Fired { engine, step, .. } => engine
                .shelf
                .name(py, step.target)
                .clone()
                .into_any()
                .unbind(),
            Origin::Given(given) => given
                .target_state
                .as_ref()
                .map_or_else(|| py.None(), |target| target.clone_ref(py)),
            Origin::Ignored | Origin::Joined(_) => self.source_state.clone_ref(py),
            Origin::Terminal
            | Origin::NoTransition
            | Origin::UndefinedTrigger(_)
            | Origin::Rejected { .. } => py.None(),
        }
    }

    #[getter]
    fn trigger(&self, py: Python<'_>) -> Py<PyAny> {
        self.trigger.clone_ref(py)
    }

    #[getter]
    fn actions_to_execute(&self, py: Python<'_>) -> Py<PyTuple> {
        match &self.origin {
            Origin::Fired { engine, step, .. } => engine.shelf.actions(py, step.rule),
            Origin::Given(given) => given.actions.clone_ref(py),
            _ => PyTuple::empty(py).unbind(),
        }
    }

    #[getter]
    fn on_exit_actions(&self, py: Python<'_>) -> Py<PyTuple> {
        match &self.origin {
            Origin::Fired { plan, .. } => plan.exit.clone_ref(py),
            Origin::Given(given) => given.on_exit.clone_ref(py),
            _ => PyTuple::empty(py).unbind(),
        }
    }

    #[getter]
    fn on_enter_actions(&self, py: Python<'_>) -> Py<PyTuple> {
        match &self.origin {
            Origin::Fired { plan, .. } => plan.enter.clone_ref(py),
            Origin::Given(given) => given.on_enter.clone_ref(py),
            _ => PyTuple::empty(py).unbind(),
        }
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let error = self.error.get_or_try_init(py, || self.make_error(py))?;
        Ok(error
            .as_ref()
            .map_or_else(|| py.None(), |error| error.clone_ref(py)))
    }

    #[getter]
    fn metadata(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self
            .metadata
            .get_or_try_init(py, || self.make_metadata(py))?
            .clone_ref(py))
    }

    /// Everything that is to be done, in its order.
    #[getter]
    fn all_action_specs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let phases = [
            self.on_exit_actions(py),
            self.actions_to_execute(py),
            self.on_enter_actions(py),
        ];
        let mut some = phases
            .iter()
            .map(|specs| specs.bind(py))
            .filter(|specs| !specs.is_empty());
        match (some.next(), some.next()) {
            (None, _) => Ok(PyTuple::empty(py)),
            (Some(only), None) => Ok(only.clone()),
            (Some(_), Some(_)) => {
                let specs: Vec<_> = phases
                    .iter()
                    .flat_map(|specs| specs.bind(py).iter())
                    .collect();
                PyTuple::new(py, specs)
            }
        }
    }

    /// The names of everything that is to be done.
    #[getter]
    fn all_actions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let names = self
            .all_action_specs(py)?
            .iter()
            .map(|spec| spec.getattr(pyo3::intern!(py, "name")))
            .collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, names)
    }

    /// Whether the entity stays where it is.
    #[getter]
    fn is_self_transition(&self, py: Python<'_>) -> PyResult<bool> {
        self.source_state.bind(py).eq(self.target_state(py))
    }

    /// Whether the entity is elsewhere afterwards.
    #[getter]
    fn state_changed(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.is_success() && !self.is_self_transition(py)?)
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an instance")]
    fn __setattr__(&self, py: Python<'_>, name: &str, _value: Py<PyAny>) -> PyResult<()> {
        let message = format!("cannot assign to field '{name}'");
        let frozen = py.import("dataclasses")?.getattr("FrozenInstanceError")?;
        match frozen.call1((message.as_str(),)) {
            Ok(error) => Err(PyErr::from_value(error)),
            Err(_) => Err(PyAttributeError::new_err(message)),
        }
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<Self>() else {
            return Ok(py.NotImplemented());
        };
        let (left, right) = (self.fields(py)?, other.get().fields(py)?);
        for (left, right) in left.iter().zip(&right) {
            if !left.eq(right)? {
                return Ok(false.into_pyobject(py)?.to_owned().into_any().unbind());
            }
        }
        Ok(true.into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut parts = Vec::with_capacity(FIELDS.len());
        for (name, value) in FIELDS.iter().zip(slf.get().fields(slf.py())?) {
            parts.push(format!("{name}={}", value.repr()?));
        }
        let class = slf.get_type().qualname()?;
        Ok(format!("{class}({})", parts.join(", ")))
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((
            slf.get_type(),
            PyTuple::new(slf.py(), slf.get().fields(slf.py())?)?,
        ))
    }
}

fn filled<T>(py: Python<'_>, value: T) -> PyOnceLock<T> {
    let cell = PyOnceLock::new();
    // An empty cell takes its first value.
    let _ = cell.set(py, value);
    cell
}

fn describe_step(
    metadata: &Bound<'_, PyDict>,
    engine: &Engine,
    step: Step,
    records: &[Record],
    plan: &Plan,
    regional: Option<&Regional>,
) -> PyResult<()> {
    let py = metadata.py();
    if let Some(regional) = regional {
        metadata.set_item("parallel_state", &regional.parallel)?;
        metadata.set_item("region", &regional.region)?;
    }
    if regional.is_none() && engine.machine.is_internal(step.rule) {
        metadata.set_item("internal", true)?;
    } else {
        metadata.set_item(
            "transition_description",
            engine.shelf.description(py, step.rule),
        )?;
    }
    if !records.is_empty() {
        metadata.set_item("guards", describe_guards(py, engine, records)?)?;
    }
    if let Some(regional) = regional {
        if regional.joins {
            metadata.set_item("_join_trigger", format!("_join_{}", regional.parallel))?;
        }
    } else if let Some(history) = plan.history(py)? {
        metadata.set_item("_history_updates", history)?;
    }
    Ok(())
}

fn describe_guards<'py>(
    py: Python<'py>,
    engine: &Engine,
    records: &[Record],
) -> PyResult<Bound<'py, PyList>> {
    let guards = PyList::empty(py);
    for record in records {
        let (label, kind) = engine.machine.guards().describe(record.guard);
        let guard = PyDict::new(py);
        guard.set_item("name", &**label)?;
        guard.set_item("kind", kind_name(kind))?;
        guard.set_item("passed", record.passed)?;
        guards.append(guard)?;
    }
    Ok(guards)
}

/// The label of the first guard that has not passed.
fn refusing<'a>(engine: &'a Engine, records: &[Record]) -> Option<&'a str> {
    let record = records.iter().find(|record| !record.passed)?;
    Some(engine.machine.guards().describe(record.guard).0)
}

fn kind_name(kind: GuardKind) -> &'static str {
    match kind {
        GuardKind::Name => "name",
        GuardKind::Expression => "expr",
        GuardKind::Check => "check",
        GuardKind::Composite => "composite",
    }
}

/// The module that makes the errors of refused events.
fn refusals(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(pyo3::intern!(py, "spikard.fsm.refusal"))
}
