use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::thread;

use core_fsm::{GuardHost, Inquiry, Memory, Outcome, Record, Scope, StateId, TriggerId, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::asking::{Circumstances, Incoming, Past, World, dict};
use super::machine::{Engine, decide, settled, state_of, trigger};
use crate::fsm_value::to_value;

/// How many steps are worth a thread.
const STEPS_OF_THREAD: usize = 4096;

/// Computes one event for each of many entities.
pub(super) fn process_batch<'py>(
    engine: &Arc<Engine>,
    owner: &Bound<'py, PyAny>,
    states: &Bound<'py, PyAny>,
    events: &Bound<'py, PyAny>,
    contexts: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = owner.py();
    let (states, events, contexts) = (list(states)?, list(events)?, list(contexts)?);
    if states.len() != events.len() || states.len() != contexts.len() {
        return Err(PyValueError::new_err(format!(
            "there are {} states, {} events and {} contexts; each entity needs one of each",
            states.len(),
            events.len(),
            contexts.len()
        )));
    }
    let results = PyList::empty(py);
    if !engine.asked.is_empty() {
        for ((state, event), context) in states.iter().zip(&events).zip(&contexts) {
            let circumstances = Circumstances {
                engine,
                owner,
                answer: None,
                incoming: Incoming::Event(event),
                context: Some(context).filter(|context| !context.is_none()),
                past: Past::Machine,
            };
            results.append(Py::new(py, decide(circumstances, state)?)?)?;
        }
        return Ok(results);
    }
    let names = engine.machine.guards().names();
    let memory = remembered(engine, owner)?;
    let mut triggers = Vec::with_capacity(states.len());
    let mut jobs = Vec::with_capacity(states.len());
    for ((state, event), context) in states.iter().zip(&events).zip(&contexts) {
        let incoming = Incoming::Event(event);
        let (trigger, number) = trigger(engine, incoming)?;
        let source = state_of(engine, state)?;
        triggers.push((trigger, number));
        jobs.push(Job {
            source,
            trigger: number,
            known: Known::new(&names, incoming, context)?,
        });
    }
    let outcomes = py.detach(|| compute(engine, &memory, &jobs));
    for ((state, trigger), (outcome, records)) in states.iter().zip(triggers).zip(outcomes) {
        let result = settled(engine, owner, state, trigger, outcome, records)?;
        results.append(Py::new(py, result)?)?;
    }
    Ok(results)
}

fn list<'py>(items: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    items.try_iter()?.collect()
}

struct Job<'a> {
    source: StateId,
    trigger: Option<TriggerId>,
    known: Known<'a>,
}

fn compute(engine: &Engine, memory: &Remembered, jobs: &[Job<'_>]) -> Vec<(Outcome, Vec<Record>)> {
    let threads = match jobs.len() / STEPS_OF_THREAD {
        0 | 1 => 1,
        wanted => thread::available_parallelism()
            .map_or(1, usize::from)
            .min(wanted),
    };
    let part = |jobs: &[Job<'_>]| -> Vec<_> {
        jobs.iter().map(|job| job.compute(engine, memory)).collect()
    };
    if threads == 1 {
        return part(jobs);
    }
    thread::scope(|scope| {
        let running: Vec<_> = jobs
            .chunks(jobs.len().div_ceil(threads))
            .map(|jobs| scope.spawn(|| part(jobs)))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}

impl Job<'_> {
    fn compute(&self, engine: &Engine, memory: &Remembered) -> (Outcome, Vec<Record>) {
        let world = World {
            machine: &engine.machine,
            active: &[self.source],
        };
        let mut nobody = NoHost;
        let mut inquiry = Inquiry::new(world.view(&self.known), memory, &mut nobody);
        let Ok(outcome) = engine
            .machine
            .process(self.source, self.trigger, &mut inquiry);
        (outcome, inquiry.records)
    }
}

/// What conditions may look up of one entity, converted before the lock is let go.
struct Known<'a> {
    names: &'a [&'a str],
    values: Vec<Option<Value>>,
}

impl<'a> Known<'a> {
    fn new<'py>(
        names: &'a [&'a str],
        incoming: Incoming<'_, 'py>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let context = dict(Some(context))?;
        let payload = incoming.payload()?;
        let look = |layer: &Option<Bound<'py, PyDict>>, name: &str| match layer {
            Some(layer) => layer.get_item(name).ok().flatten(),
            None => None,
        };
        let values = names
            .iter()
            .map(|name| {
                look(&payload, name)
                    .or_else(|| look(&context, name))
                    .map(|value| to_value(&value))
            })
            .collect();
        Ok(Self { names, values })
    }
}

impl Scope for Known<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        let place = self.names.binary_search(&name).ok()?;
        self.values[place].clone()
    }
}

/// The machine's own memory, for callers that have none.
struct Remembered(HashMap<StateId, StateId, foldhash::fast::RandomState>);

impl Memory for Remembered {
    fn child(&self, compound: StateId) -> Option<StateId> {
        self.0.get(&compound).copied()
    }
}

fn remembered(engine: &Engine, owner: &Bound<'_, PyAny>) -> PyResult<Remembered> {
    let memory = owner.getattr(pyo3::intern!(owner.py(), "_memory"))?;
    let number = |name: Bound<'_, PyAny>| {
        engine
            .machine
            .state(name.cast::<PyString>().ok()?.to_str().ok()?)
    };
    Ok(Remembered(
        memory
            .cast::<PyDict>()?
            .iter()
            .filter_map(|(compound, child)| Some((number(compound)?, number(child)?)))
            .collect(),
    ))
}

/// Nobody is asked: the machine has no guards of Python's.
struct NoHost;

impl GuardHost for NoHost {
    type Error = Infallible;

    fn ask(&mut self, _: usize) -> Result<bool, Infallible> {
        Ok(false)
    }
}
