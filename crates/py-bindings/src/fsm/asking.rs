use std::sync::Arc;

use core_fsm::{
    Env, GuardHost, Host, Inquiry, Limits, Machine, Memory, Record, Scope, StateId, Value, View,
};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

use super::machine::Engine;
use crate::fsm_host::PyHost;
use crate::fsm_value::{DictScope, to_value};

/// What has come to an entity.
#[derive(Clone, Copy)]
pub(super) enum Incoming<'a, 'py> {
    /// Nothing: it is asked what happens by itself.
    Nothing,
    /// A trigger, or an event with a trigger and a payload.
    Event(&'a Bound<'py, PyAny>),
    /// A trigger and a payload that are an event as soon as somebody wants to see one.
    Parts(&'a Bound<'py, PyString>, &'a Bound<'py, PyDict>),
}

impl<'py> Incoming<'_, 'py> {
    pub(super) fn payload(self) -> PyResult<Option<Bound<'py, PyDict>>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Parts(_, payload) => Ok(Some(payload.clone())),
            Self::Event(event) if event.is_instance_of::<PyString>() => Ok(None),
            Self::Event(event) => dict(
                event
                    .getattr_opt(pyo3::intern!(event.py(), "payload"))?
                    .as_ref(),
            ),
        }
    }

    /// The event that guards see.
    fn event(self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let class = || {
            py.import(pyo3::intern!(py, "spikard.fsm.event"))?
                .getattr(pyo3::intern!(py, "Event"))
        };
        match self {
            Self::Nothing => Ok(None),
            Self::Parts(trigger, payload) => class()?.call1((trigger, payload)).map(Some),
            Self::Event(event) if event.is_instance_of::<PyString>() => {
                class()?.call1((event,)).map(Some)
            }
            Self::Event(event) => Ok(Some(event.clone())),
        }
    }
}

/// Who asks, what is known of the entity, and what has come to it.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a, 'py> {
    pub(super) engine: &'a Arc<Engine>,
    /// The machine, which answers for guards unless somebody else is named.
    pub(super) owner: &'a Bound<'py, PyAny>,
    pub(super) answer: Option<&'a Bound<'py, PyAny>>,
    pub(super) incoming: Incoming<'a, 'py>,
    pub(super) context: Option<&'a Bound<'py, PyAny>>,
    pub(super) past: Past<'a, 'py>,
}

/// Where an entity's memory of the states it has left is.
#[derive(Clone, Copy)]
pub(super) enum Past<'a, 'py> {
    Nothing,
    /// With the machine, for whoever has none.
    Machine,
    Given(&'a Bound<'py, PyAny>),
}

impl<'a, 'py> Past<'a, 'py> {
    pub(super) fn of(history: Option<&'a Bound<'py, PyAny>>) -> Self {
        history.map_or(Self::Machine, Self::Given)
    }
}

/// Questions to a machine about one event of one entity. All see what was known before it.
pub(super) struct Question<'a, 'py> {
    circumstances: Circumstances<'a, 'py>,
    sight: Sight<'a, 'py>,
    asking: Asking<'a, 'py>,
}

impl<'a, 'py> Question<'a, 'py> {
    pub(super) fn new(circumstances: Circumstances<'a, 'py>) -> PyResult<Self> {
        Ok(Self {
            sight: Sight {
                payload: circumstances.incoming.payload()?,
                context: dict(circumstances.context)?,
                incoming: circumstances.incoming,
                py: circumstances.owner.py(),
            },
            asking: Asking {
                circumstances,
                seen: None,
            },
            circumstances,
        })
    }

    /// Asks the machine, with the leaves that the entity rests in; the answer, and the guards that were looked at.
    pub(super) fn ask<T>(
        &mut self,
        active: &[StateId],
        ask: impl FnOnce(&Machine, &mut Inquiry<'_, Asking<'a, 'py>>) -> PyResult<T>,
    ) -> PyResult<(T, Vec<Record>)> {
        let machine = &self.circumstances.engine.machine;
        let world = World { machine, active };
        let view = world.view(&self.sight);
        let mut inquiry = Inquiry::new(view, &self.circumstances, &mut self.asking);
        let found = ask(machine, &mut inquiry)?;
        Ok((found, inquiry.records))
    }
}

/// Guards that only Python can answer for.
pub(super) struct Asking<'a, 'py> {
    circumstances: Circumstances<'a, 'py>,
    /// The context with the event's payload in it, once somebody has wanted to see it.
    seen: Option<Bound<'py, PyDict>>,
}

impl<'py> Asking<'_, 'py> {
    fn seen(&mut self) -> PyResult<Bound<'py, PyDict>> {
        if let Some(seen) = &self.seen {
            return Ok(seen.clone());
        }
        let py = self.circumstances.owner.py();
        let seen = PyDict::new(py);
        if let Some(context) = self.circumstances.context {
            seen.update(context.cast::<PyMapping>()?)?;
        }
        if let Some(payload) = self.circumstances.incoming.payload()? {
            seen.update(payload.as_mapping())?;
        }
        if let Some(event) = self.circumstances.incoming.event(py)? {
            seen.set_item(pyo3::intern!(py, "_event"), event)?;
        }
        self.seen = Some(seen.clone());
        Ok(seen)
    }
}

impl GuardHost for Asking<'_, '_> {
    type Error = PyErr;

    fn ask(&mut self, number: usize) -> PyResult<bool> {
        let seen = self.seen()?;
        let Circumstances {
            engine,
            owner,
            answer,
            ..
        } = self.circumstances;
        let py = owner.py();
        let guard = engine.asked[number].bind(py);
        match answer {
            Some(answer) => answer.call1((guard, seen))?,
            None => owner.call_method1(pyo3::intern!(py, "_answer"), (guard, seen))?,
        }
        .is_truthy()
    }
}

/// What native conditions ask of the world.
pub(super) struct World<'a> {
    pub(super) machine: &'a Machine,
    pub(super) active: &'a [StateId],
}

impl World<'_> {
    pub(super) fn view<'a>(&'a self, scope: &'a dyn Scope) -> View<'a> {
        View {
            scope,
            env: Env {
                host: self,
                limits: Limits::default(),
            },
        }
    }
}

impl Host for World<'_> {
    fn now(&self) -> Option<i64> {
        PyHost::default().now()
    }

    fn in_state(&self, name: &str) -> Option<bool> {
        let state = self.machine.state(name);
        Some(state.is_some_and(|state| {
            self.active.iter().any(|leaf| {
                self.machine
                    .hierarchy()
                    .ancestors(*leaf)
                    .any(|node| node == state)
            })
        }))
    }

    fn search(&self, pattern: &str, text: &str) -> Result<bool, String> {
        PyHost::default().search(pattern, text)
    }
}

/// What native conditions see: the event, its payload, and under them what is known of the entity.
struct Sight<'a, 'py> {
    payload: Option<Bound<'py, PyDict>>,
    context: Option<Bound<'py, PyDict>>,
    incoming: Incoming<'a, 'py>,
    py: Python<'py>,
}

impl<'py> Sight<'_, 'py> {
    fn layers(&self) -> impl Iterator<Item = DictScope<'_, 'py>> {
        self.payload
            .iter()
            .chain(self.context.iter())
            .map(DictScope)
    }

    /// The event itself, which is made only if a condition asks for it by its name.
    fn event(&self, name: &str) -> Option<Value> {
        let event = (name == "_event").then(|| self.incoming.event(self.py).ok().flatten());
        event.flatten().map(|event| to_value(&event))
    }
}

impl Scope for Sight<'_, '_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.event(name)
            .or_else(|| self.layers().find_map(|layer| layer.get(name)))
    }

    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        if let Some((root, rest)) = path.split_first()
            && let Some(mut value) = self.event(root)
        {
            for (at, name) in rest.iter().enumerate() {
                value = value.member(name).ok_or(at + 1)?;
            }
            return Ok(value);
        }
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
pub(super) fn dict<'py>(
    mapping: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
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

/// What an entity remembers, in a Python mapping from compound states to their children.
impl Memory for Circumstances<'_, '_> {
    fn child(&self, compound: StateId) -> Option<StateId> {
        let py = self.owner.py();
        let name = self.engine.shelf.name(py, compound);
        let child = match self.past {
            Past::Nothing => return None,
            Past::Given(children) => children.get_item(name),
            Past::Machine => self
                .owner
                .getattr(pyo3::intern!(py, "_memory"))
                .and_then(|own| own.get_item(name)),
        };
        self.engine
            .machine
            .state(child.ok()?.cast::<PyString>().ok()?.to_str().ok()?)
    }
}
