use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyMapping, PyString, PyTuple};

use super::asking::{Circumstances, Incoming, Past};
use super::machine::{CompiledMachine, decide};
use super::transition_result::TransitionResult;
use super::turn::Turn;

/// What `spikard.fsm.EntitySession` is made of: where an entity is, and the step that an event means for it. What few
/// steps need (regions, actions, callbacks, what follows without an event) is done by the Python class, which is asked for it.
#[pyclass(subclass, frozen, module = "spikard._spikard")]
pub(crate) struct SessionCore {
    machine: OnceLock<Py<CompiledMachine>>,
    turn: Turn,
    entity: Mutex<Entity>,
    executes: AtomicBool,
    defers: AtomicBool,
    tracks: AtomicBool,
    /// Whether a task may wait for the turn.
    awaited: AtomicBool,
    /// Whether a class of somebody's own may have a word in each step.
    derived: AtomicBool,
}

#[derive(Default)]
struct Entity {
    state: Option<Py<PyAny>>,
    /// None for one that is empty and has not been looked at.
    context: Option<Py<PyDict>>,
    /// Which child compound states were left in.
    memory: Option<Py<PyDict>>,
    steps: Vec<Py<TransitionResult>>,
    id: Option<Py<PyAny>>,
    regions: Option<Py<PyAny>>,
    deferred: Option<Py<PyAny>>,
    queued: Option<Py<PyList>>,
    waiting: Option<Py<PyList>>,
}

impl SessionCore {
    /// Held for as long as it takes to read or write a field. Nothing of Python's is made or dropped under it: that could
    /// run anything, also what asks this session.
    fn entity(&self) -> MutexGuard<'_, Entity> {
        self.entity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn machine<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, CompiledMachine>> {
        match self.machine.get() {
            Some(machine) => Ok(machine.bind(py)),
            None => Err(PyRuntimeError::new_err(
                "the session has no machine yet: call super().__init__(machine) first",
            )),
        }
    }

    fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.machine(py)?;
        let state = self
            .entity()
            .state
            .as_ref()
            .map(|state| state.clone_ref(py));
        Ok(state.unwrap_or_else(|| py.None()))
    }

    fn known<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        if let Some(known) = &self.entity().context {
            return known.bind(py).clone();
        }
        let known = PyDict::new(py);
        self.entity().context = Some(known.clone().unbind());
        known
    }
}

#[pymethods]
impl SessionCore {
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            machine: OnceLock::new(),
            turn: Turn::default(),
            entity: Mutex::default(),
            executes: false.into(),
            defers: false.into(),
            tracks: false.into(),
            awaited: false.into(),
            derived: false.into(),
        }
    }

    #[pyo3(signature = (
        machine, *, entity_id=None, context=None, initial_state=None, defer_unhandled=false, execute_actions=false,
        track_regions=false, settle=false
    ))]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "they are keywords in Python"
    )]
    fn __init__(
        slf: &Bound<'_, Self>,
        machine: &Bound<'_, CompiledMachine>,
        entity_id: Option<&Bound<'_, PyAny>>,
        context: Option<&Bound<'_, PyAny>>,
        initial_state: Option<&Bound<'_, PyAny>>,
        defer_unhandled: bool,
        execute_actions: bool,
        track_regions: bool,
        settle: bool,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let id = entity_id
            .map(|id| {
                py.import(pyo3::intern!(py, "spikard.fsm.names"))?
                    .call_method1(pyo3::intern!(py, "validate_entity_id"), (id,))
            })
            .transpose()?;
        let context = match context {
            Some(context) if context.is_truthy()? => {
                let known = PyDict::new(py);
                known.update(context.cast::<PyMapping>()?)?;
                Some(known.unbind())
            }
            _ => None,
        };
        let state = match initial_state {
            Some(state) if state.is_truthy()? => state.clone(),
            _ => machine.get().initial_leaf(py)?.into_any(),
        };
        if this.machine.set(machine.clone().unbind()).is_err() {
            return Err(PyRuntimeError::new_err("the session has a machine already"));
        }
        let before = {
            let mut entity = this.entity();
            entity.state = Some(state.unbind());
            entity.id = id.map(Bound::unbind);
            std::mem::replace(&mut entity.context, context)
        };
        drop(before);
        this.executes.store(execute_actions, Relaxed);
        this.defers.store(defer_unhandled, Relaxed);
        this.tracks.store(track_regions, Relaxed);
        this.derived.store(!is_plain(slf)?, Relaxed);
        if settle {
            slf.call_method0(pyo3::intern!(py, "apply_data"))?;
        }
        Ok(())
    }

    #[expect(
        clippy::used_underscore_binding,
        reason = "a payload may have a `merge`"
    )]
    /// Sends an event. Its payload is seen by guards and actions, and merged into the context only by `_merge`.
    #[pyo3(signature = (trigger, *, _merge=false, **payload))]
    fn send<'py>(
        slf: &Bound<'py, Self>,
        trigger: &Bound<'py, PyString>,
        _merge: bool,
        payload: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<TransitionResult>> {
        let (py, this) = (slf.py(), slf.get());
        if !this.turn.take(py) {
            return this.keep(trigger, payload);
        }
        let sent = (|| {
            if _merge && let Some(payload) = payload {
                this.known(py).update(payload.as_mapping())?;
            }
            let result = step(slf, trigger, payload)?;
            while let Some(next) = this.next_event(py)? {
                let (trigger, payload): (Bound<'_, PyString>, Bound<'_, PyDict>) =
                    next.extract()?;
                step(slf, &trigger, Some(&payload))?;
            }
            Ok(result)
        })();
        Self::give_turn(slf)?;
        sent
    }

    /// One step, for whoever has the turn.
    #[pyo3(name = "_step", signature = (trigger, payload, /))]
    fn step_within<'py>(
        slf: &Bound<'py, Self>,
        trigger: &Bound<'py, PyString>,
        payload: &Bound<'py, PyDict>,
    ) -> PyResult<Py<TransitionResult>> {
        own_step(
            slf,
            trigger,
            Some(payload).filter(|payload| !payload.is_empty()),
        )
    }

    /// Keeps an event for after the step that is being taken.
    #[pyo3(name = "_queue", signature = (trigger, payload=None, /))]
    fn keep(
        &self,
        trigger: &Bound<'_, PyString>,
        payload: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<TransitionResult>> {
        let py = trigger.py();
        let payload = payload.map_or_else(|| PyDict::new(py), Clone::clone);
        let queued = self.entity().queued.as_ref().map(|list| list.clone_ref(py));
        match queued {
            Some(queued) => queued.bind(py).append((trigger, payload))?,
            None => {
                let queued = PyList::new(py, [(trigger, payload)])?;
                self.entity().queued = Some(queued.unbind());
            }
        }
        let about = PyDict::new(py);
        about.set_item(pyo3::intern!(py, "queued"), true)?;
        about.set_item(pyo3::intern!(py, "reason"), pyo3::intern!(py, "queued"))?;
        let state = self.state(py)?;
        let result =
            TransitionResult::ignored(py, state, trigger.clone().into_any().unbind(), &about)?;
        Py::new(py, result)
    }

    /// The next event that came while a step was being taken.
    #[pyo3(name = "_next")]
    fn next_event<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(queued) = self.entity().queued.as_ref().map(|list| list.clone_ref(py)) else {
            return Ok(None);
        };
        let queued = queued.bind(py);
        if queued.is_empty() {
            return Ok(None);
        }
        let next = queued.get_item(0)?;
        queued.del_item(0)?;
        Ok(Some(next))
    }

    /// Takes a step as taken: where the entity is now, and what it remembers of where it was.
    #[pyo3(name = "_rest", signature = (result, state=None, /))]
    fn rest_at<'py>(
        &self,
        result: &Bound<'py, TransitionResult>,
        state: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = result.py();
        let state = state.map_or_else(
            || result.get().target_state(py),
            |state| state.clone().unbind(),
        );
        let before = {
            let mut entity = self.entity();
            entity.steps.push(result.clone().unbind());
            entity.state.replace(state)
        };
        drop(before);
        let Some(left) = result.get().left(py)? else {
            return Ok(());
        };
        let mut entity = self.entity();
        match &entity.memory {
            Some(memory) => {
                let memory = memory.clone_ref(py);
                drop(entity);
                memory.bind(py).update(left.as_mapping())?;
            }
            None => entity.memory = Some(left.unbind()),
        }
        Ok(())
    }

    /// Takes the turn if nobody has it.
    fn _try_take(&self) -> bool {
        self.turn.try_take()
    }

    /// Takes the turn for this thread; false when this thread has it already, whatever task it is for.
    fn _take_turn(&self, py: Python<'_>) -> bool {
        self.turn.take(py)
    }

    /// Gives the turn back.
    #[pyo3(name = "_give")]
    fn give_turn(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        this.turn.give();
        if this.awaited.load(Relaxed) {
            slf.call_method0(pyo3::intern!(slf.py(), "_wake"))?;
        }
        Ok(())
    }

    /// The tasks that wait for the turn.
    #[getter]
    fn _waiting<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        if let Some(waiting) = &self.entity().waiting {
            return waiting.bind(py).clone();
        }
        let waiting = PyList::empty(py);
        self.entity().waiting = Some(waiting.clone().unbind());
        self.awaited.store(true, Relaxed);
        waiting
    }

    /// Its machine.
    #[getter(machine)]
    fn get_machine<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, CompiledMachine>> {
        self.machine(py).cloned()
    }

    /// The state it rests in.
    #[getter]
    fn current_state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.state(py)
    }

    /// What is known of the entity.
    #[getter]
    fn context<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.known(py)
    }

    #[setter]
    fn set_context(&self, context: Py<PyDict>) {
        let before = self.entity().context.replace(context);
        drop(before);
    }

    /// The steps that it has taken.
    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let steps: Vec<_> = self
            .entity()
            .steps
            .iter()
            .map(|step| step.clone_ref(py))
            .collect();
        PyList::new(py, steps)
    }

    #[getter]
    fn _memory(&self, py: Python<'_>) -> Option<Py<PyDict>> {
        self.entity()
            .memory
            .as_ref()
            .map(|memory| memory.clone_ref(py))
    }

    #[setter(_memory)]
    fn set_memory(&self, memory: Option<Py<PyDict>>) {
        let before = std::mem::replace(&mut self.entity().memory, memory);
        drop(before);
    }

    #[getter]
    fn _entity_id(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.entity().id.as_ref().map(|id| id.clone_ref(py))
    }

    #[setter(_entity_id)]
    fn set_entity_id(&self, id: Py<PyAny>) {
        let before = self.entity().id.replace(id);
        drop(before);
    }

    #[getter]
    fn _deferred(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.entity()
            .deferred
            .as_ref()
            .map(|deferred| deferred.clone_ref(py))
    }

    #[setter(_deferred)]
    fn set_deferred(&self, deferred: Option<Py<PyAny>>) {
        let before = std::mem::replace(&mut self.entity().deferred, deferred);
        drop(before);
    }

    #[getter]
    fn _tracked(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.entity()
            .regions
            .as_ref()
            .map(|regions| regions.clone_ref(py))
    }

    #[setter(_tracked)]
    fn set_tracked(&self, regions: Option<Py<PyAny>>) {
        self.tracks.store(regions.is_some(), Relaxed);
        let before = std::mem::replace(&mut self.entity().regions, regions);
        drop(before);
    }

    #[getter]
    fn _tracks_regions(&self) -> bool {
        self.tracks.load(Relaxed)
    }

    /// Whether actions are carried out.
    #[getter]
    fn execute_actions(&self) -> bool {
        self.executes.load(Relaxed)
    }

    #[setter]
    fn set_execute_actions(&self, executes: bool) {
        self.executes.store(executes, Relaxed);
    }

    /// Whether refused events are tried again after the next step.
    #[getter]
    fn defer_unhandled(&self) -> bool {
        self.defers.load(Relaxed)
    }

    #[setter]
    fn set_defer_unhandled(&self, defers: bool) {
        self.defers.store(defers, Relaxed);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(machine) = self.machine.get() {
            visit.call(machine)?;
        }
        // Whoever holds it is between two of its fields and keeps them alive.
        let Ok(entity) = self.entity.try_lock() else {
            return Ok(());
        };
        visit.call(&entity.context)?;
        visit.call(&entity.id)?;
        visit.call(&entity.regions)?;
        visit.call(&entity.deferred)?;
        visit.call(&entity.queued)?;
        visit.call(&entity.waiting)
    }

    fn __clear__(&self) {
        let mut entity = self.entity();
        let parts = (
            entity.context.take(),
            entity.regions.take(),
            entity.deferred.take(),
            entity.queued.take(),
            entity.waiting.take(),
        );
        drop(entity);
        drop(parts);
    }
}

/// Whether a session is of the class that users have, and of none that is derived from it.
fn is_plain(session: &Bound<'_, SessionCore>) -> PyResult<bool> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = session.py();
    let plain = PLAIN.get_or_try_init(py, || {
        py.import("spikard.fsm.entity_session")?
            .getattr("EntitySession")
            .map(Bound::unbind)
    })?;
    Ok(session.get_type().is(plain))
}

/// A step, as the session's class takes it.
fn step<'py>(
    slf: &Bound<'py, SessionCore>,
    trigger: &Bound<'py, PyString>,
    payload: Option<&Bound<'py, PyDict>>,
) -> PyResult<Py<TransitionResult>> {
    if !slf.get().derived.load(Relaxed) {
        return own_step(slf, trigger, payload);
    }
    let py = slf.py();
    let payload = payload.map_or_else(|| PyDict::new(py), Clone::clone);
    let result = slf.call_method1(pyo3::intern!(py, "_step"), (trigger, payload))?;
    Ok(result.cast_into::<TransitionResult>()?.unbind())
}

fn own_step<'py>(
    slf: &Bound<'py, SessionCore>,
    trigger: &Bound<'py, PyString>,
    payload: Option<&Bound<'py, PyDict>>,
) -> PyResult<Py<TransitionResult>> {
    let (py, this) = (slf.py(), slf.get());
    let given = || payload.map_or_else(|| PyDict::new(py), Clone::clone);
    let machine = this.machine(py)?;
    let engine = machine.get().engine()?;
    let result = if this.tracks.load(Relaxed) {
        slf.call_method1(pyo3::intern!(py, "_step_regions"), (trigger, given()))?
            .cast_into::<TransitionResult>()?
            .unbind()
    } else {
        let state = this.state(py)?.into_bound(py);
        let (context, memory) = {
            let entity = this.entity();
            (
                entity
                    .context
                    .as_ref()
                    .map(|context| context.bind(py).clone()),
                entity.memory.as_ref().map(|memory| memory.bind(py).clone()),
            )
        };
        let circumstances = Circumstances {
            engine,
            owner: machine.as_any(),
            answer: None,
            incoming: payload.map_or(Incoming::Event(trigger.as_any()), |payload| {
                Incoming::Parts(trigger, payload)
            }),
            context: context.as_ref().map(Bound::as_any),
            past: memory
                .as_ref()
                .map_or(Past::Nothing, |memory| Past::Given(memory.as_any())),
        };
        let result = Py::new(py, decide(circumstances, &state)?)?;
        if result.get().is_success() {
            if this.derived.load(Relaxed) {
                slf.call_method1(pyo3::intern!(py, "_take"), (&result, given()))?;
                return ended(slf, trigger, payload, result);
            }
            this.rest_at(result.bind(py), None)?;
            if this.executes.load(Relaxed) || machine.get().is_watched() {
                slf.call_method1(pyo3::intern!(py, "_act"), (&result, given()))?;
            }
        }
        result
    };
    ended(slf, trigger, payload, result)
}

/// What comes after a step: events that have waited for it, steps that follow from it.
fn ended<'py>(
    slf: &Bound<'py, SessionCore>,
    trigger: &Bound<'py, PyString>,
    payload: Option<&Bound<'py, PyDict>>,
    result: Py<TransitionResult>,
) -> PyResult<Py<TransitionResult>> {
    let (py, this) = (slf.py(), slf.get());
    let given = || payload.map_or_else(|| PyDict::new(py), Clone::clone);
    if !result.get().is_success() {
        if this.defers.load(Relaxed) {
            slf.call_method1(pyo3::intern!(py, "_defer"), (trigger, given()))?;
        }
        return Ok(result);
    }
    if this.machine(py)?.get().engine()?.moves_alone() {
        slf.call_method1(pyo3::intern!(py, "_go_on"), (given(),))?;
    }
    let defers = this.entity().deferred.is_some();
    if defers {
        slf.call_method0(pyo3::intern!(py, "_replay"))?;
    }
    Ok(result)
}
