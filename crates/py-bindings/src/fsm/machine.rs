use std::sync::{Arc, OnceLock};

use core_fsm::{Env, Inquiry, Limits, Machine, Outcome, Record, StateId, Step, View};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::asking::{Asking, History, Sight};
use super::plan::Shelf;
use super::reading::{Reading, settings};
use super::transition_result::{Origin, TransitionResult};
use crate::fsm_host::PyHost;

/// A compiled machine together with what only Python knows of it.
pub(super) struct Engine {
    pub(super) machine: Machine,
    pub(super) shelf: Shelf,
    /// The guards that Python is asked for, by number.
    pub(super) asked: Vec<Py<PyAny>>,
    rejects: bool,
}

/// What `spikard.fsm.StateMachine` is made of: it answers events, and never changes once it is compiled.
#[pyclass(subclass, frozen, module = "spikard._spikard")]
pub(crate) struct CompiledMachine {
    engine: OnceLock<Arc<Engine>>,
}

impl CompiledMachine {
    fn engine(&self) -> PyResult<&Arc<Engine>> {
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

    /// The leaf that entities begin in.
    #[getter]
    fn initial_leaf<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
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
        decide(
            slf.get().engine()?,
            slf.as_any(),
            None,
            current_state,
            event,
            context,
            history,
        )
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
        decide(
            slf.get().engine()?,
            slf.as_any(),
            Some(answer),
            current_state,
            event,
            context,
            history,
        )
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
        let nobody = py.None().into_bound(py);
        let owner = slf.as_any();
        let mut asking = Asking {
            engine,
            owner,
            event: &nobody,
            context,
            answer,
            seen: None,
        };
        let sight = Sight::new(&nobody, context)?;
        let memory = History {
            engine,
            owner,
            children: history,
        };
        let mut inquiry = Inquiry::new(view(&sight), &memory, &mut asking);
        let step = engine.machine.automatic(source, &mut inquiry)?;
        let records = inquiry.records;
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
    ) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyList>)> {
        let py = slf.py();
        let engine = slf.get().engine()?;
        let (trigger, number) = trigger(engine, event)?;
        let moved = PyDict::new(py);
        let results = PyList::empty(py);
        let Some(parallel) = engine.machine.state(parallel_state.to_str()?) else {
            return Ok((moved, results));
        };
        let owner = slf.as_any();
        let mut asking = Asking {
            engine,
            owner,
            event,
            context,
            answer,
            seen: None,
        };
        let sight = Sight::new(event, context)?;
        let memory = History {
            engine,
            owner,
            children: None,
        };
        let regions = engine.machine.regions(parallel);
        let mut active: Vec<Option<StateId>> = Vec::with_capacity(regions.len());
        let mut steps = Vec::with_capacity(regions.len());
        for (place, region) in regions.iter().enumerate() {
            let name = engine.shelf.regions[parallel as usize][place].bind(py);
            let state = region_states.get_item(name).ok();
            let source = state.as_ref().and_then(|state| {
                engine
                    .machine
                    .state(state.cast::<PyString>().ok()?.to_str().ok()?)
            });
            let mut next = source;
            if let (Some(state), Some(source), Some(number)) = (state, source, number) {
                let mut inquiry = Inquiry::new(view(&sight), &memory, &mut asking);
                if let Some(step) =
                    engine
                        .machine
                        .process_region(&region.name, source, number, &mut inquiry)?
                {
                    next = Some(step.target);
                    moved.set_item(name, engine.shelf.name(py, step.target))?;
                    steps.push((step, inquiry.records, state, name));
                }
            }
            active.push(next);
        }
        let joined = engine.machine.is_joined(parallel, |place| active[place]);
        let last = steps.len();
        for (place, (step, records, state, region)) in steps.into_iter().enumerate() {
            let regional = Regional {
                parallel: parallel_state.clone().unbind(),
                region: region.clone().unbind(),
                joins: joined && place + 1 == last,
            };
            let result = fired(
                py,
                engine,
                step,
                records,
                &state,
                trigger.clone(),
                Some(regional),
            )?;
            results.append(Py::new(py, result)?)?;
        }
        if joined && last == 0 {
            let origin = Origin::Joined(parallel_state.clone().unbind());
            let result = TransitionResult::resting(py, parallel_state.as_any(), &trigger, origin);
            results.append(Py::new(py, result)?)?;
        }
        Ok((moved, results))
    }
}

/// Where a region's step belongs.
pub(super) struct Regional {
    pub(super) parallel: Py<PyString>,
    pub(super) region: Py<PyString>,
    pub(super) joins: bool,
}

fn decide<'py>(
    engine: &Arc<Engine>,
    owner: &Bound<'py, PyAny>,
    answer: Option<&Bound<'py, PyAny>>,
    current_state: &Bound<'py, PyAny>,
    event: &Bound<'py, PyAny>,
    context: Option<&Bound<'py, PyAny>>,
    history: Option<&Bound<'py, PyAny>>,
) -> PyResult<TransitionResult> {
    let py = owner.py();
    let (trigger, number) = trigger(engine, event)?;
    let Some(source) = engine
        .machine
        .state(current_state.cast::<PyString>()?.to_str()?)
    else {
        return Err(undefined_state(current_state));
    };
    let mut asking = Asking {
        engine,
        owner,
        event,
        context,
        answer,
        seen: None,
    };
    let sight = Sight::new(event, context)?;
    let memory = History {
        engine,
        owner,
        children: history,
    };
    let mut inquiry = Inquiry::new(view(&sight), &memory, &mut asking);
    let outcome = engine.machine.process(source, number, &mut inquiry)?;
    let records = inquiry.records;
    let origin = match outcome {
        Outcome::Fired(step) => {
            return fired(py, engine, step, records, current_state, trigger, None);
        }
        Outcome::Unhandled if !engine.rejects => {
            return Ok(TransitionResult::resting(
                py,
                current_state,
                &trigger,
                Origin::Ignored,
            ));
        }
        Outcome::Terminal => Origin::Terminal,
        Outcome::Unhandled if number.is_some() => Origin::NoTransition,
        Outcome::Unhandled => Origin::UndefinedTrigger(owner.clone().unbind()),
        Outcome::Rejected { candidates } => Origin::Rejected {
            engine: engine.clone(),
            candidates,
            records,
        },
    };
    Ok(TransitionResult::refused(
        py,
        current_state,
        &trigger,
        origin,
    ))
}

fn fired<'py>(
    py: Python<'py>,
    engine: &Arc<Engine>,
    step: Step,
    records: Vec<Record>,
    source: &Bound<'py, PyAny>,
    trigger: Bound<'py, PyAny>,
    regional: Option<Regional>,
) -> PyResult<TransitionResult> {
    let plan = engine.shelf.plan(py, &engine.machine, step)?;
    Ok(TransitionResult::fired(
        py, engine, step, records, source, trigger, plan, regional,
    ))
}

/// The trigger of an event as the machine spells it, and its number if the machine knows it.
fn trigger<'py>(
    engine: &Engine,
    event: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Option<u32>)> {
    let py = event.py();
    let trigger = match event.cast::<PyString>() {
        Ok(text) => text.clone(),
        Err(_) => event
            .getattr(pyo3::intern!(py, "trigger"))?
            .cast_into::<PyString>()?,
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
            PyString::new(py, &text).into_any(),
            engine.machine.trigger(&text),
        ),
    })
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

/// What native conditions ask of the world.
static WORLD: PyHost = PyHost {
    allow_random: false,
    now: None,
};

fn view<'a>(sight: &'a Sight<'_>) -> View<'a> {
    View {
        scope: sight,
        env: Env {
            host: &WORLD,
            limits: Limits::default(),
        },
    }
}
