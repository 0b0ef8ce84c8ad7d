use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use core_fsm::{Machine, Outcome, Record, StateId, Step, TriggerId};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::asking::{Circumstances, Incoming, Past, Question};
use super::batch::process_batch;
use super::plan::Shelf;
use super::reading::{Reading, settings};
use super::regions::{Regional, move_regions};
use super::transition_result::{Origin, TransitionResult};

/// A compiled machine together with what only Python knows of it.
pub(super) struct Engine {
    pub(super) machine: Machine,
    pub(super) shelf: Shelf,
    /// The guards that Python is asked for, by number.
    pub(super) asked: Vec<Py<PyAny>>,
    rejects: bool,
}

impl Engine {
    /// Whether states may be left without an event.
    pub(super) fn moves_alone(&self) -> bool {
        self.machine.moves_alone()
    }
}

/// What `spikard.fsm.StateMachine` is made of: it answers events, and never changes once it is compiled.
#[pyclass(subclass, frozen, module = "spikard._spikard")]
pub(crate) struct CompiledMachine {
    engine: OnceLock<Arc<Engine>>,
    watched: AtomicBool,
}

impl CompiledMachine {
    /// Whether somebody may want to hear of steps.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Relaxed)
    }

    pub(super) fn engine(&self) -> PyResult<&Arc<Engine>> {
        self.engine
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the machine has not been compiled yet"))
    }
}

#[pymethods]
impl CompiledMachine {
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            engine: OnceLock::new(),
            watched: false.into(),
        }
    }

    /// Compiles the machine, once.
    #[pyo3(signature = (states, transitions, /, *, normalizer, rejects, auto_route, reenter))]
    fn _compile(
        &self,
        states: &Bound<'_, PyDict>,
        transitions: &Bound<'_, PyList>,
        normalizer: Option<&str>,
        rejects: bool,
        auto_route: bool,
        reenter: bool,
    ) -> PyResult<()> {
        let py = states.py();
        let reading = Reading::new(
            states,
            transitions,
            settings(normalizer, auto_route, reenter),
        )?;
        let machine = Machine::compile(reading.spec).map_err(|fault| misbuilt(py, &fault))?;
        let engine = Engine {
            machine,
            shelf: reading.shelf,
            asked: reading.asked,
            rejects,
        };
        self.engine
            .set(Arc::new(engine))
            .map_err(|_| PyRuntimeError::new_err("the machine has been compiled already"))
    }

    /// Has sessions call their callbacks from now on.
    fn _watch(&self) {
        self.watched.store(true, Relaxed);
    }

    /// Whether states may be left without an event.
    #[getter]
    fn _moves_alone(&self) -> PyResult<bool> {
        Ok(self.engine()?.moves_alone())
    }

    /// The leaf that entities begin in.
    #[getter]
    pub(super) fn initial_leaf<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let engine = self.engine()?;
        Ok(engine.shelf.name(py, engine.machine.initial_leaf()).clone())
    }

    /// Computes what an event does to an entity in a state. Nothing is carried out.
    #[pyo3(signature = (current_state, event, context=None, *, history=None))]
    fn process<'py>(
        slf: &Bound<'py, Self>,
        current_state: &Bound<'py, PyAny>,
        event: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        history: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<TransitionResult> {
        let circumstances = Circumstances {
            engine: slf.get().engine()?,
            owner: slf.as_any(),
            answer: None,
            incoming: Incoming::Event(event),
            context,
            past: Past::of(history),
        };
        decide(circumstances, current_state)
    }

    /// The same with somebody else answering for guards.
    #[pyo3(signature = (answer, current_state, event, context, history, /))]
    fn _process_asking<'py>(
        slf: &Bound<'py, Self>,
        answer: &Bound<'py, PyAny>,
        current_state: &Bound<'py, PyAny>,
        event: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        history: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<TransitionResult> {
        let circumstances = Circumstances {
            engine: slf.get().engine()?,
            owner: slf.as_any(),
            answer: Some(answer),
            incoming: Incoming::Event(event),
            context,
            past: Past::of(history),
        };
        decide(circumstances, current_state)
    }

    /// One event for each of many entities. Where no guard is Python's the steps are computed without its lock.
    #[pyo3(signature = (states, events, contexts))]
    fn process_many<'py>(
        slf: &Bound<'py, Self>,
        states: &Bound<'py, PyAny>,
        events: &Bound<'py, PyAny>,
        contexts: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        process_batch(slf.get().engine()?, slf.as_any(), states, events, contexts)
    }

    /// The step that a state takes without an event, None where it takes none.
    #[pyo3(signature = (answer, current_state, context, history, /))]
    fn _automatic<'py>(
        slf: &Bound<'py, Self>,
        answer: Option<&Bound<'py, PyAny>>,
        current_state: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
        history: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<TransitionResult>> {
        let py = slf.py();
        let engine = slf.get().engine()?;
        let Some(source) = engine
            .machine
            .state(current_state.cast::<PyString>()?.to_str()?)
        else {
            return Ok(None);
        };
        let mut question = Question::new(Circumstances {
            engine,
            owner: slf.as_any(),
            answer,
            incoming: Incoming::Nothing,
            context,
            past: Past::of(history),
        })?;
        let (step, records) = question.ask(&[source], |machine, inquiry| {
            machine.automatic(source, inquiry)
        })?;
        step.map(|step| {
            let trigger = engine.shelf.triggers[step.rule as usize]
                .bind(py)
                .clone()
                .into_any();
            fired(py, engine, step, records, current_state, trigger, None)
        })
        .transpose()
    }

    /// What an event does to the regions of a parallel state: the new state of each that moves, and the results.
    #[pyo3(signature = (answer, parallel_state, region_states, event, context, /))]
    fn _process_regions<'py>(
        slf: &Bound<'py, Self>,
        answer: Option<&Bound<'py, PyAny>>,
        parallel_state: &Bound<'py, PyString>,
        region_states: &Bound<'py, PyAny>,
        event: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Option<Bound<'py, PyDict>>, Bound<'py, PyList>)> {
        let circumstances = Circumstances {
            engine: slf.get().engine()?,
            owner: slf.as_any(),
            answer,
            incoming: Incoming::Event(event),
            context,
            past: Past::Machine,
        };
        move_regions(circumstances, parallel_state, region_states)
    }
}

/// What an event does to an entity in a state.
pub(super) fn decide<'py>(
    circumstances: Circumstances<'_, 'py>,
    current_state: &Bound<'py, PyAny>,
) -> PyResult<TransitionResult> {
    let Circumstances { engine, owner, .. } = circumstances;
    let (trigger, number) = trigger(engine, circumstances.incoming)?;
    let source = state_of(engine, current_state)?;
    let mut question = Question::new(circumstances)?;
    let (outcome, records) = question.ask(&[source], |machine, inquiry| {
        machine.process(source, number, inquiry)
    })?;
    settled(
        engine,
        owner,
        current_state,
        (trigger, number),
        outcome,
        records,
    )
}

/// The result that an outcome is, for a machine and a state.
pub(super) fn settled<'py>(
    engine: &Arc<Engine>,
    owner: &Bound<'py, PyAny>,
    current_state: &Bound<'py, PyAny>,
    (trigger, number): (Bound<'py, PyAny>, Option<TriggerId>),
    outcome: Outcome,
    records: Vec<Record>,
) -> PyResult<TransitionResult> {
    let py = owner.py();
    let origin = match outcome {
        Outcome::Fired(step) => {
            return fired(py, engine, step, records, current_state, trigger, None);
        }
        Outcome::Unhandled if !engine.rejects => Origin::Ignored,
        Outcome::Terminal => Origin::Terminal,
        Outcome::Unhandled if number.is_some() => Origin::NoTransition,
        Outcome::Unhandled => Origin::UndefinedTrigger(owner.clone().unbind()),
        Outcome::Rejected { candidates } => Origin::Rejected {
            engine: engine.clone(),
            candidates,
            records,
        },
    };
    Ok(TransitionResult::new_from(current_state, trigger, origin))
}

pub(super) fn fired<'py>(
    py: Python<'py>,
    engine: &Arc<Engine>,
    step: Step,
    records: Vec<Record>,
    source: &Bound<'py, PyAny>,
    trigger: Bound<'py, PyAny>,
    regional: Option<Regional>,
) -> PyResult<TransitionResult> {
    let origin = Origin::Fired {
        plan: engine.shelf.plan(py, &engine.machine, step)?,
        engine: engine.clone(),
        step,
        records,
        regional: regional.map(Box::new),
    };
    Ok(TransitionResult::new_from(source, trigger, origin))
}

/// The trigger of an event as the machine spells it, and its number if the machine knows it.
pub(super) fn trigger<'py>(
    engine: &Engine,
    incoming: Incoming<'_, 'py>,
) -> PyResult<(Bound<'py, PyAny>, Option<TriggerId>)> {
    let trigger = match incoming {
        Incoming::Parts(trigger, _) => trigger.clone(),
        Incoming::Event(event) => match event.cast::<PyString>() {
            Ok(text) => text.clone(),
            Err(_) => event
                .getattr(pyo3::intern!(event.py(), "trigger"))?
                .cast_into::<PyString>()?,
        },
        Incoming::Nothing => return Err(PyValueError::new_err("there is no event")),
    };
    let text = trigger.to_str()?;
    if text.is_empty() {
        return Err(PyValueError::new_err("Event trigger cannot be empty"));
    }
    Ok(match engine.machine.normalized(text) {
        None => {
            let number = engine.machine.trigger(text);
            (trigger.into_any(), number)
        }
        Some(text) => (
            PyString::new(trigger.py(), &text).into_any(),
            engine.machine.trigger(&text),
        ),
    })
}

/// The number of a state, which has to be one of the machine's.
pub(super) fn state_of(engine: &Engine, state: &Bound<'_, PyAny>) -> PyResult<StateId> {
    let name = state.cast::<PyString>().ok();
    name.map(|name| name.to_str())
        .transpose()?
        .and_then(|name| engine.machine.state(name))
        .ok_or_else(|| undefined_state(state))
}

fn undefined_state(state: &Bound<'_, PyAny>) -> PyErr {
    let py = state.py();
    let made = || {
        py.import(pyo3::intern!(py, "spikard.fsm.errors"))?
            .getattr(pyo3::intern!(py, "UndefinedStateError"))?
            .call1((format!("State '{state}' is not defined"), state))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}

fn misbuilt(py: Python<'_>, fault: &core_fsm::Fault) -> PyErr {
    let made = || {
        let context = PyDict::new(py);
        for (name, about) in fault.details() {
            match about.as_slice() {
                [one] if !core_fsm::Fault::is_list(name) => context.set_item(name, &**one)?,
                several => {
                    let names: Vec<&str> = several.iter().map(|name| &**name).collect();
                    context.set_item(name, names)?;
                }
            }
        }
        py.import(pyo3::intern!(py, "spikard.fsm.errors"))?
            .getattr(pyo3::intern!(py, "ConfigurationError"))?
            .call1((fault.to_string(), py.None(), context))
    };
    made().map_or_else(|error| error, PyErr::from_value)
}
