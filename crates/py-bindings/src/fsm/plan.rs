use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use core_fsm::{Machine, Step};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::reading::tuple;

/// How many plans are kept at most: whoever asks from more states gets them made anew.
const MAX_PLANS: usize = 1 << 16;

/// What a step does, in Python's terms.
pub(super) struct Plan {
    pub(super) exit: Py<PyTuple>,
    pub(super) enter: Py<PyTuple>,
    /// Which child each left state has been of its parent.
    pub(super) left: Vec<(Py<PyString>, Py<PyString>)>,
}

/// Python's part of a machine: names, actions and descriptions, by the numbers of the core.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) names: Vec<Py<PyString>>,
    pub(super) regions: Vec<Vec<Py<PyString>>>,
    pub(super) triggers: Vec<Py<PyString>>,
    actions: Vec<Py<PyTuple>>,
    descriptions: Vec<Py<PyAny>>,
    on_exit: Vec<Py<PyTuple>>,
    on_enter: Vec<Py<PyTuple>>,
    plans: RwLock<HashMap<Step, Arc<Plan>, foldhash::fast::RandomState>>,
}

impl Shelf {
    pub(super) fn add_state(
        &mut self,
        name: &Bound<'_, PyString>,
        on_exit: &Bound<'_, PyAny>,
        on_enter: &Bound<'_, PyAny>,
        regions: Vec<Py<PyString>>,
    ) -> PyResult<()> {
        self.names.push(name.clone().unbind());
        self.on_exit.push(tuple(on_exit)?);
        self.on_enter.push(tuple(on_enter)?);
        self.regions.push(regions);
        Ok(())
    }

    pub(super) fn add_transition(
        &mut self,
        trigger: &Bound<'_, PyString>,
        actions: &Bound<'_, PyAny>,
        description: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.triggers.push(trigger.clone().unbind());
        self.actions.push(tuple(actions)?);
        self.descriptions.push(description.clone().unbind());
        Ok(())
    }

    /// The actions of a transition; one that was generated has none.
    pub(super) fn actions(&self, py: Python<'_>, rule: u32) -> Py<PyTuple> {
        self.actions.get(rule as usize).map_or_else(
            || PyTuple::empty(py).unbind(),
            |actions| actions.clone_ref(py),
        )
    }

    pub(super) fn description<'py>(&self, py: Python<'py>, rule: u32) -> Bound<'py, PyAny> {
        self.descriptions.get(rule as usize).map_or_else(
            || pyo3::intern!(py, "").clone().into_any(),
            |description| description.bind(py).clone(),
        )
    }

    pub(super) fn name<'py>(&self, py: Python<'py>, state: u32) -> &Bound<'py, PyString> {
        self.names[state as usize].bind(py)
    }

    /// The plan of a step, made when it is first taken.
    pub(super) fn plan(
        &self,
        py: Python<'_>,
        machine: &Machine,
        step: Step,
    ) -> PyResult<Arc<Plan>> {
        let known = self
            .plans
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&step)
            .cloned();
        if let Some(plan) = known {
            return Ok(plan);
        }
        let route = machine.route(step);
        let plan = Arc::new(Plan {
            exit: joined(py, &route.exit, &self.on_exit)?,
            enter: joined(py, &route.enter, &self.on_enter)?,
            left: route
                .exit
                .iter()
                .filter_map(|state| Some((machine.hierarchy().parent(*state)?, *state)))
                .map(|(parent, state)| {
                    (
                        self.name(py, parent).clone().unbind(),
                        self.name(py, state).clone().unbind(),
                    )
                })
                .collect(),
        });
        let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() < MAX_PLANS {
            plans.insert(step, plan.clone());
        }
        Ok(plan)
    }
}

impl Plan {
    /// What is to be remembered of the states that are left.
    pub(super) fn history<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let history = PyDict::new(py);
        for (parent, child) in &self.left {
            history.set_item(parent, child)?;
        }
        Ok(Some(history))
    }
}

/// The actions of several states in one tuple: the state's own where it is the only one that has any.
fn joined(py: Python<'_>, states: &[u32], actions: &[Py<PyTuple>]) -> PyResult<Py<PyTuple>> {
    let mut some = states
        .iter()
        .map(|state| actions[*state as usize].bind(py))
        .filter(|actions| !actions.is_empty());
    match (some.next(), some.next()) {
        (None, _) => Ok(PyTuple::empty(py).unbind()),
        (Some(only), None) => Ok(only.clone().unbind()),
        (Some(_), Some(_)) => {
            let all: Vec<_> = states
                .iter()
                .flat_map(|state| actions[*state as usize].bind(py).iter())
                .collect();
            Ok(PyTuple::new(py, all)?.unbind())
        }
    }
}
