use std::sync::Arc;

use core_fsm::{
    Case, Check, Condition, Expr, GuardKind, GuardSpec, MachineSpec, RegionSpec, Settings,
    StateKind, StateSpec, TransitionSpec,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::plan::Shelf;
use crate::fsm_value::to_value;

/// A machine as Python defines it, read: what the core compiles, and what only Python knows.
pub(super) struct Reading {
    pub(super) spec: MachineSpec,
    pub(super) shelf: Shelf,
    /// The guards that Python is asked for, by number.
    pub(super) asked: Vec<Py<PyAny>>,
}

impl Reading {
    pub(super) fn new(
        states: &Bound<'_, PyDict>,
        transitions: &Bound<'_, PyList>,
        settings: Settings,
    ) -> PyResult<Self> {
        let mut reading = Self {
            spec: MachineSpec {
                settings,
                ..MachineSpec::default()
            },
            shelf: Shelf::default(),
            asked: Vec::new(),
        };
        for (name, state) in states {
            reading.add_state(&name, &state)?;
        }
        for transition in transitions {
            reading.add_transition(&transition)?;
        }
        Ok(reading)
    }

    fn add_state(&mut self, name: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = state.py();
        let name = name.cast::<PyString>()?;
        let kind = state.getattr(pyo3::intern!(py, "type"))?;
        let mut spec = StateSpec::new(name.to_str()?, state_kind(&kind)?);
        spec.parent = optional_text(&state.getattr(pyo3::intern!(py, "parent"))?)?;
        spec.initial_child = optional_text(&state.getattr(pyo3::intern!(py, "initial_child"))?)?;
        let timeout = state.getattr(pyo3::intern!(py, "timeout"))?;
        if !timeout.is_none() {
            spec.timeout = optional_text(&timeout.getattr(pyo3::intern!(py, "destination"))?)?;
        }
        let mut region_names = Vec::new();
        for region in state.getattr(pyo3::intern!(py, "regions"))?.try_iter()? {
            let region = region?;
            let region_name = region
                .getattr(pyo3::intern!(py, "name"))?
                .cast_into::<PyString>()?;
            spec.regions.push(RegionSpec {
                name: region_name.to_str()?.into(),
                initial: text(&region.getattr(pyo3::intern!(py, "initial"))?)?,
                states: texts(&region.getattr(pyo3::intern!(py, "states"))?)?,
                last: optional_text(&region.getattr(pyo3::intern!(py, "final"))?)?,
            });
            region_names.push(region_name.unbind());
        }
        let when = state.getattr(pyo3::intern!(py, "when"))?;
        for item in when.try_iter()? {
            spec.when.push(self.guard(&item?, 0)?);
        }
        self.shelf.add_state(
            name,
            &state.getattr(pyo3::intern!(py, "on_exit"))?,
            &state.getattr(pyo3::intern!(py, "on_enter"))?,
            region_names,
        )?;
        self.spec.states.push(spec);
        Ok(())
    }

    fn add_transition(&mut self, transition: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = transition.py();
        let trigger = transition
            .getattr(pyo3::intern!(py, "trigger"))?
            .cast_into::<PyString>()?;
        let priority = transition.getattr(pyo3::intern!(py, "priority"))?;
        let spec = TransitionSpec {
            trigger: trigger.to_str()?.into(),
            sources: texts(&transition.getattr(pyo3::intern!(py, "source"))?)?,
            dest: text(&transition.getattr(pyo3::intern!(py, "dest"))?)?,
            region: optional_text(&transition.getattr(pyo3::intern!(py, "region"))?)?,
            guards: self.guards(&transition.getattr(pyo3::intern!(py, "guards"))?)?,
            internal: transition
                .getattr(pyo3::intern!(py, "internal"))?
                .is_truthy()?,
            auto: transition.getattr(pyo3::intern!(py, "auto"))?.is_truthy()?,
            priority: if priority.is_none() {
                0
            } else {
                priority.extract()?
            },
        };
        self.shelf.add_transition(
            &trigger,
            &transition.getattr(pyo3::intern!(py, "actions"))?,
            &transition.getattr(pyo3::intern!(py, "description"))?,
        )?;
        self.spec.transitions.push(spec);
        Ok(())
    }

    fn guards(&mut self, guards: &Bound<'_, PyAny>) -> PyResult<Vec<GuardSpec>> {
        guards
            .try_iter()?
            .map(|guard| self.guard(&guard?, 0))
            .collect()
    }

    fn guard(&mut self, guard: &Bound<'_, PyAny>, depth: usize) -> PyResult<GuardSpec> {
        // Beyond the core's own limit, which gives the better message.
        if depth > 2 * 64 {
            return Err(PyValueError::new_err("guards are nested too deep"));
        }
        let py = guard.py();
        let all = guard.getattr(pyo3::intern!(py, "all_of"))?;
        if all.is_truthy()? {
            return Ok(GuardSpec::All(self.inner(&all, depth)?));
        }
        let any = guard.getattr(pyo3::intern!(py, "any_of"))?;
        if any.is_truthy()? {
            return Ok(GuardSpec::Any(self.inner(&any, depth)?));
        }
        let negated = guard.getattr(pyo3::intern!(py, "negate"))?;
        if !negated.is_none() {
            return Ok(GuardSpec::Not(Box::new(self.guard(&negated, depth + 1)?)));
        }
        // What doesn't compile is left to Python, which says why when it is asked.
        let check = guard.getattr(pyo3::intern!(py, "check"))?;
        if !check.is_none() {
            let label = check_label(&check)?;
            return Ok(match compiled_check(&check)? {
                Ok(check) => native(label, GuardKind::Check, Condition::Check(check)),
                Err(_) => self.ask(GuardKind::Check, &label, guard),
            });
        }
        let expression = guard.getattr(pyo3::intern!(py, "expr"))?;
        if !expression.is_none() {
            let source = expression.cast::<PyString>()?.to_str()?;
            let label = format!("expr:{source}");
            return Ok(match Expr::compile(source) {
                Ok(expression) => native(
                    label,
                    GuardKind::Expression,
                    Condition::Expression(expression),
                ),
                Err(_) => self.ask(GuardKind::Expression, &label, guard),
            });
        }
        let label = guard.getattr(pyo3::intern!(py, "label"))?;
        Ok(self.ask(GuardKind::Name, label.cast::<PyString>()?.to_str()?, guard))
    }

    fn inner(&mut self, guards: &Bound<'_, PyAny>, depth: usize) -> PyResult<Vec<GuardSpec>> {
        guards
            .try_iter()?
            .map(|guard| self.guard(&guard?, depth + 1))
            .collect()
    }

    fn ask(&mut self, kind: GuardKind, label: &str, what: &Bound<'_, PyAny>) -> GuardSpec {
        let number = self.asked.len();
        self.asked.push(what.clone().unbind());
        GuardSpec::Asked {
            label: label.into(),
            kind,
            number,
        }
    }
}

fn native(label: String, kind: GuardKind, condition: Condition) -> GuardSpec {
    GuardSpec::Condition {
        label: label.into(),
        kind,
        condition: Box::new(condition),
    }
}

fn check_label(check: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = check.py();
    let field = check.getattr(pyo3::intern!(py, "field"))?;
    let op = check.getattr(pyo3::intern!(py, "op"))?;
    Ok(format!("check:{field} {op}"))
}

fn compiled_check(check: &Bound<'_, PyAny>) -> PyResult<Result<Check, String>> {
    let py = check.py();
    let values = to_value(&check.getattr(pyo3::intern!(py, "values"))?);
    let backtracks = check.getattr(pyo3::intern!(py, "allow_backtracking"))?;
    Ok(Check::new(
        &text(&check.getattr(pyo3::intern!(py, "field"))?)?,
        &text(&check.getattr(pyo3::intern!(py, "op"))?)?,
        &to_value(&check.getattr(pyo3::intern!(py, "value"))?),
        values.as_items().unwrap_or_default(),
        backtracks.is_truthy()?,
    ))
}

/// How the machine as a whole is set.
pub(super) fn settings(normalizer: Option<&str>, auto_route: bool, reenter: bool) -> Settings {
    Settings {
        normalizer: match normalizer {
            Some("lower") => Some(Case::Lower),
            Some("upper") => Some(Case::Upper),
            _ => None,
        },
        auto_route,
        reenter,
    }
}

fn state_kind(kind: &Bound<'_, PyAny>) -> PyResult<StateKind> {
    Ok(match kind.cast::<PyString>()?.to_str()? {
        "initial" => StateKind::Initial,
        "stable" => StateKind::Stable,
        "terminal" => StateKind::Terminal,
        "error" => StateKind::Error,
        "parallel" => StateKind::Parallel,
        "choice" => StateKind::Choice,
        other => {
            return Err(PyValueError::new_err(format!(
                "'{other}' is not a valid StateType"
            )));
        }
    })
}

fn text(value: &Bound<'_, PyAny>) -> PyResult<Arc<str>> {
    Ok(value.cast::<PyString>()?.to_str()?.into())
}

fn optional_text(value: &Bound<'_, PyAny>) -> PyResult<Option<Arc<str>>> {
    if value.is_none() {
        Ok(None)
    } else {
        text(value).map(Some)
    }
}

fn texts(values: &Bound<'_, PyAny>) -> PyResult<Vec<Arc<str>>> {
    values.try_iter()?.map(|value| text(&value?)).collect()
}

/// The items of a sequence as a tuple, itself where it is one.
pub(super) fn tuple(items: &Bound<'_, PyAny>) -> PyResult<Py<PyTuple>> {
    match items.cast::<PyTuple>() {
        Ok(tuple) => Ok(tuple.clone().unbind()),
        Err(_) => Ok(
            PyTuple::new(items.py(), items.try_iter()?.collect::<PyResult<Vec<_>>>()?)?.unbind(),
        ),
    }
}
