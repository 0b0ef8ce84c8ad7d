use core_fsm::StateId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyString};

use super::asking::{Circumstances, Question};
use super::machine::{fired, trigger};
use super::transition_result::{Origin, TransitionResult};

/// Where a region's step belongs.
pub(super) struct Regional {
    pub(super) parallel: Py<PyString>,
    pub(super) region: Py<PyString>,
    pub(super) joins: bool,
}

/// What an event does to the regions of a parallel state: all states if one has moved, and the results.
pub(super) fn move_regions<'py>(
    circumstances: Circumstances<'_, 'py>,
    parallel_state: &Bound<'py, PyString>,
    region_states: &Bound<'py, PyAny>,
) -> PyResult<(Option<Bound<'py, PyDict>>, Bound<'py, PyList>)> {
    let py = parallel_state.py();
    let engine = circumstances.engine;
    let (trigger, number) = trigger(engine, circumstances.incoming)?;
    let results = PyList::empty(py);
    let Some(parallel) = engine.machine.state(parallel_state.to_str()?) else {
        return Ok((None, results));
    };
    let regions = engine.machine.regions(parallel);
    let names = &engine.shelf.regions[parallel as usize];
    // A proxy of a dict is copied at once, which takes less time than asking it.
    let states = match region_states.call_method0(pyo3::intern!(py, "copy")) {
        Ok(states) => states.cast_into::<PyDict>()?,
        Err(_) => {
            let states = PyDict::new(py);
            states.update(region_states.cast::<PyMapping>()?)?;
            states
        }
    };
    let before: Vec<_> = names
        .iter()
        .map(|name| {
            let state = states.get_item(name.bind(py)).ok()??;
            let number = engine
                .machine
                .state(state.cast::<PyString>().ok()?.to_str().ok()?)?;
            Some((state, number))
        })
        .collect();
    let active: Vec<StateId> = before.iter().flatten().map(|(_, number)| *number).collect();
    let mut question = Question::new(circumstances)?;
    let mut after: Vec<Option<StateId>> = Vec::with_capacity(regions.len());
    let mut steps = Vec::with_capacity(regions.len());
    for ((region, name), state) in regions.iter().zip(names).zip(&before) {
        let mut next = state.as_ref().map(|(_, source)| *source);
        if let (Some((state, source)), Some(number)) = (state, number) {
            let (step, records) = question.ask(&active, |machine, inquiry| {
                machine.process_region(&region.name, *source, number, inquiry)
            })?;
            if let Some(step) = step {
                next = Some(step.target);
                steps.push((step, records, state, name));
            }
        }
        after.push(next);
    }
    let joined = engine.machine.is_joined(parallel, |place| after[place]);
    if steps.is_empty() {
        if joined {
            let origin = Origin::Joined(parallel_state.clone().unbind());
            let result = TransitionResult::new_from(parallel_state.as_any(), trigger, origin);
            results.append(Py::new(py, result)?)?;
        }
        return Ok((None, results));
    }
    let last = steps.len() - 1;
    for (place, (step, records, state, region)) in steps.into_iter().enumerate() {
        states.set_item(region, engine.shelf.name(py, step.target))?;
        let regional = Regional {
            parallel: parallel_state.clone().unbind(),
            region: region.clone_ref(py),
            joins: joined && place == last,
        };
        let result = fired(
            py,
            engine,
            step,
            records,
            state,
            trigger.clone(),
            Some(regional),
        )?;
        results.append(Py::new(py, result)?)?;
    }
    Ok((Some(states), results))
}
