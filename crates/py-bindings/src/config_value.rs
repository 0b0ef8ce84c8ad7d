//! Configurations of state machines from Python's values. Unlike contexts they are refused where they are too deep.

use std::sync::Arc;

use core_fsm::{Key, Map, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::fsm_foreign::PyForeign;
use crate::fsm_value::{key_to_python, to_python, whole};

/// How deep a configuration may be nested; Python's own limit of recursion lies above it.
const MAX_DEPTH: usize = 200;

/// A configuration made of Python's dictionaries, lists and scalars.
pub(crate) fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    read(value, 0)
}

fn read(value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth > MAX_DEPTH {
        return Err(PyValueError::new_err(format!(
            "a machine's configuration is nested deeper than {MAX_DEPTH} levels"
        )));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Value::text(text.to_string_lossy()));
    }
    if value.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(map) = value.cast::<PyDict>() {
        let mut entries = Map::new();
        for (key, inner) in map.iter() {
            entries.insert(read_key(&key, depth)?, read(&inner, depth + 1)?);
        }
        return Ok(Value::map(entries));
    }
    if let Ok(list) = value.cast::<PyList>() {
        let items: PyResult<Vec<_>> = list.iter().map(|item| read(&item, depth + 1)).collect();
        return Ok(Value::list(items?));
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        let items: PyResult<Vec<_>> = tuple.iter().map(|item| read(&item, depth + 1)).collect();
        return Ok(Value::Tuple(Arc::new(items?)));
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if let Ok(number) = value.cast::<PyInt>() {
        return whole(number).ok_or_else(|| PyValueError::new_err("a whole number cannot be read"));
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Value::Float(number.value()));
    }
    Ok(Value::Foreign(Arc::new(PyForeign::new(value))))
}

fn read_key(key: &Bound<'_, PyAny>, depth: usize) -> PyResult<Key> {
    Ok(match read(key, depth + 1)? {
        Value::Text(text) => Key::Text(text),
        Value::Int(number) => Key::Int(number),
        other => {
            let text: Arc<str> = key.str()?.to_string_lossy().into();
            Key::Other(other, text)
        }
    })
}

/// A mapping as a dictionary.
pub(crate) fn map_to_python<'py>(py: Python<'py>, map: &Map) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in map.iter() {
        dict.set_item(key_to_python(py, key)?, to_python(py, value)?)?;
    }
    Ok(dict)
}
