//! Expressions, checks, templates and effects on Python's dicts.

use core_fsm::{Change, Check, Effect, Env, Expr, Limits, Template};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::fsm_host::{PyHost, raise};
use crate::fsm_value::{DictScope, key_to_python, to_map, to_python, to_value};

/// An expression, compiled once.
#[pyclass(name = "Expression", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct Expression(pub(crate) Expr);

fn env(host: &PyHost) -> Env<'_> {
    Env {
        host,
        limits: Limits::default(),
    }
}

#[pymethods]
impl Expression {
    #[new]
    #[pyo3(signature = (source, /))]
    fn new(py: Python<'_>, source: &str) -> PyResult<Self> {
        Expr::compile(source)
            .map(Self)
            .map_err(|error| raise(py, &error, source))
    }

    #[getter]
    fn source(&self) -> &str {
        self.0.source()
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.names()
    }

    #[pyo3(signature = (namespace, /, *, allow_random = false, now = None))]
    fn evaluate<'py>(
        &self,
        namespace: &Bound<'py, PyDict>,
        allow_random: bool,
        now: Option<i64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = namespace.py();
        let host = PyHost { allow_random, now };
        match self.0.eval(&DictScope(namespace), &env(&host)) {
            Ok(value) => to_python(py, &value),
            Err(error) => Err(raise(py, &error, self.0.source())),
        }
    }

    #[pyo3(signature = (namespace, /, *, allow_random = false, now = None))]
    fn holds(
        &self,
        namespace: &Bound<'_, PyDict>,
        allow_random: bool,
        now: Option<i64>,
    ) -> PyResult<bool> {
        let host = PyHost { allow_random, now };
        self.0
            .holds(&DictScope(namespace), &env(&host))
            .map_err(|error| raise(namespace.py(), &error, self.0.source()))
    }

    fn __repr__(&self) -> String {
        format!("Expression({:?})", self.0.source())
    }
}

/// Whether a check holds in a context.
#[pyfunction]
#[pyo3(signature = (field, op, value, values, allow_backtracking, context, /))]
pub(crate) fn check_holds(
    field: &str,
    op: &str,
    value: &Bound<'_, PyAny>,
    values: &Bound<'_, PyTuple>,
    allow_backtracking: bool,
    context: &Bound<'_, PyDict>,
) -> PyResult<bool> {
    let values: Vec<_> = values.iter().map(|value| to_value(&value)).collect();
    let check = Check::new(field, op, &to_value(value), &values, allow_backtracking)
        .map_err(PyValueError::new_err)?;
    check
        .eval(&DictScope(context), &env(&PyHost::default()))
        .map_err(|error| raise(context.py(), &error, field))
}

/// A text with its `{{ expression }}` filled in.
#[pyfunction]
#[pyo3(signature = (text, namespace, /, *, strict = false))]
pub(crate) fn fill_template(
    text: &str,
    namespace: &Bound<'_, PyDict>,
    strict: bool,
) -> PyResult<String> {
    Template::compile(text)
        .render(&DictScope(namespace), &env(&PyHost::default()), strict)
        .map_err(|error| raise(namespace.py(), &error, text))
}

/// Changes a context as an effect says.
#[pyfunction]
#[pyo3(signature = (effect, params, context, /, *, now = None))]
pub(crate) fn change_context(
    effect: &str,
    params: &Bound<'_, PyDict>,
    context: &Bound<'_, PyDict>,
    now: Option<i64>,
) -> PyResult<()> {
    let py = context.py();
    let host = PyHost {
        allow_random: false,
        now,
    };
    let changes = Effect::parse(effect, &to_map(params))
        .and_then(|effect| effect.changes(&DictScope(context), &env(&host)))
        .map_err(|error| raise(py, &error, effect))?;
    for change in &changes {
        match change {
            Change::Set(key, value) => {
                context.set_item(key_to_python(py, key)?, to_python(py, value)?)?;
            }
            Change::Append(field, value) => match context.get_item(&**field)? {
                Some(list) => list.cast::<PyList>()?.append(to_python(py, value)?)?,
                None => context.set_item(&**field, [to_python(py, value)?])?,
            },
            Change::Remove(field) => {
                context.call_method1(intern!(py, "pop"), (&**field, py.None()))?;
            }
        }
    }
    Ok(())
}

/// A delay in milliseconds.
#[pyfunction]
#[pyo3(signature = (text, /))]
pub(crate) fn read_delay(text: &str) -> PyResult<i64> {
    core_fsm::parse_delay(text).map_err(PyValueError::new_err)
}
