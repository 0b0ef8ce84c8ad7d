use std::sync::Arc;

use core_fsm::{GuardHost, Memory, Scope, StateId, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

use super::machine::Engine;
use crate::fsm_value::DictScope;

/// What is known when a machine is asked: the entity's context, the event, and who answers for guards.
pub(super) struct Asking<'a, 'py> {
    pub(super) engine: &'a Engine,
    /// The machine, which answers for guards unless somebody else is named.
    pub(super) owner: &'a Bound<'py, PyAny>,
    pub(super) event: &'a Bound<'py, PyAny>,
    pub(super) context: Option<&'a Bound<'py, PyAny>>,
    pub(super) answer: Option<&'a Bound<'py, PyAny>>,
    /// The context with the event's payload in it, once somebody has wanted to see it.
    pub(super) seen: Option<Bound<'py, PyDict>>,
}

impl<'py> Asking<'_, 'py> {
    fn seen(&mut self) -> PyResult<Bound<'py, PyDict>> {
        if let Some(seen) = &self.seen {
            return Ok(seen.clone());
        }
        let py = self.event.py();
        let seen = PyDict::new(py);
        if let Some(context) = self.context {
            seen.update(context.cast::<PyMapping>()?)?;
        }
        if let Ok(trigger) = self.event.cast::<PyString>() {
            let event = py.import(pyo3::intern!(py, "spikard.fsm.event"))?;
            let event = event
                .getattr(pyo3::intern!(py, "Event"))?
                .call1((trigger,))?;
            seen.set_item(pyo3::intern!(py, "_event"), event)?;
        } else if !self.event.is_none() {
            let payload = self.event.getattr(pyo3::intern!(py, "payload"))?;
            seen.update(payload.cast::<PyMapping>()?)?;
            seen.set_item(pyo3::intern!(py, "_event"), self.event)?;
        }
        self.seen = Some(seen.clone());
        Ok(seen)
    }
}

impl GuardHost for Asking<'_, '_> {
    type Error = PyErr;

    fn ask(&mut self, number: usize) -> PyResult<bool> {
        let seen = self.seen()?;
        let guard = self.engine.asked[number].bind(self.event.py());
        match self.answer {
            Some(answer) => answer.call1((guard, seen))?,
            None => self
                .owner
                .call_method1(pyo3::intern!(self.owner.py(), "_answer"), (guard, seen))?,
        }
        .is_truthy()
    }
}

/// The context that native conditions see: the event's payload over what is known of the entity.
pub(super) struct Sight<'py> {
    payload: Option<Bound<'py, PyDict>>,
    context: Option<Bound<'py, PyDict>>,
}

impl<'py> Sight<'py> {
    pub(super) fn new(
        event: &Bound<'py, PyAny>,
        context: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let py = event.py();
        let payload = if event.is_exact_instance_of::<PyString>() || event.is_none() {
            None
        } else {
            dict(event.getattr_opt(pyo3::intern!(py, "payload"))?.as_ref())?
        };
        Ok(Self {
            payload,
            context: dict(context)?,
        })
    }

    fn layers(&self) -> impl Iterator<Item = DictScope<'_, 'py>> {
        self.payload
            .iter()
            .chain(self.context.iter())
            .map(DictScope)
    }
}

impl Scope for Sight<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.layers().find_map(|layer| layer.get(name))
    }

    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        let mut found = Err(0);
        for layer in self.layers() {
            found = layer.walk(path);
            // Only where the first name is missing does the layer below count.
            if found != Err(0) {
                break;
            }
        }
        found
    }
}

/// A mapping as a dict, itself where it is one.
fn dict<'py>(mapping: Option<&Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(mapping) = mapping.filter(|mapping| !mapping.is_none()) else {
        return Ok(None);
    };
    if let Ok(dict) = mapping.cast::<PyDict>() {
        return Ok(Some(dict.clone()));
    }
    let dict = PyDict::new(mapping.py());
    dict.update(mapping.cast::<PyMapping>()?)?;
    Ok(Some(dict))
}

/// What an entity remembers, in a Python mapping from compound states to their children; the machine's own for whoever
/// has none.
pub(super) struct History<'a, 'py> {
    pub(super) engine: &'a Engine,
    pub(super) owner: &'a Bound<'py, PyAny>,
    pub(super) children: Option<&'a Bound<'py, PyAny>>,
}

impl Memory for History<'_, '_> {
    fn child(&self, compound: StateId) -> Option<StateId> {
        let py = self.owner.py();
        let name = self.engine.shelf.name(py, compound);
        let child = match self.children {
            Some(children) => children.get_item(name),
            None => self
                .owner
                .getattr(pyo3::intern!(py, "_memory"))
                .and_then(|own| own.get_item(name)),
        };
        self.engine
            .machine
            .state(child.ok()?.cast::<PyString>().ok()?.to_str().ok()?)
    }
}
