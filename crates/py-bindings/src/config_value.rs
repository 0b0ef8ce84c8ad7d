//! Configurations of state machines between Python and `core_fsm::Value`.

use std::any::Any;
use std::cmp::Ordering;
use std::sync::Arc;

use core_fsm::{Foreign, Key, Map, Value};
use num_bigint::BigInt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// How deep a configuration may be nested; Python's own limit of recursion lies above it.
const MAX_DEPTH: usize = 200;

/// A Python object that configurations have no form for. It is given back as it came.
#[derive(Debug)]
struct Opaque(Py<PyAny>);

impl Foreign for Opaque {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn type_name(&self) -> String {
        Python::attach(|py| type_name(self.0.bind(py)))
    }

    fn text(&self) -> Result<String, String> {
        Python::attach(|py| match self.0.bind(py).str() {
            Ok(text) => Ok(text.to_string_lossy().into_owned()),
            Err(error) => Err(error.to_string()),
        })
    }

    fn truth(&self) -> Result<bool, String> {
        Python::attach(|py| self.0.bind(py).is_truthy()).map_err(|error| error.to_string())
    }

    fn equals(&self, other: &Value) -> bool {
        let Value::Foreign(other) = other else {
            return false;
        };
        let Some(other) = other.as_any().downcast_ref::<Self>() else {
            return false;
        };
        Python::attach(|py| self.0.bind(py).eq(other.0.bind(py)).unwrap_or(false))
    }

    fn compare(&self, other: &Value) -> Result<Ordering, String> {
        Err(format!(
            "{} and {} have no order in a configuration",
            self.type_name(),
            other.type_name()
        ))
    }

    fn attribute(&self, _name: &str) -> Option<Value> {
        None
    }
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(
        |_| "object".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

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
    if value.cast::<PyInt>().is_ok() {
        return read_int(value);
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Value::Float(number.value()));
    }
    Ok(Value::Foreign(Arc::new(Opaque(value.clone().unbind()))))
}

fn read_int(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(number) = value.extract::<i64>() {
        return Ok(Value::Int(number));
    }
    let digits = value.str()?.to_string_lossy().into_owned();
    digits
        .parse::<BigInt>()
        .map(Value::integer)
        .map_err(|error| PyValueError::new_err(error.to_string()))
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

/// A configuration as Python's dictionaries, lists and scalars.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Int(number) => PyInt::new(py, *number).into_any(),
        Value::Big(number) => py.get_type::<PyInt>().call1((number.to_string(),))?,
        Value::Float(number) => PyFloat::new(py, *number).into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::List(items) => {
            let list = PyList::empty(py);
            for item in items.iter() {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Tuple(items) => {
            let items: PyResult<Vec<_>> = items.iter().map(|item| to_python(py, item)).collect();
            PyTuple::new(py, items?)?.into_any()
        }
        Value::Map(map) => map_to_python(py, map)?.into_any(),
        Value::Foreign(foreign) => match foreign.as_any().downcast_ref::<Opaque>() {
            Some(Opaque(object)) => object.bind(py).clone(),
            None => PyString::new(py, &foreign.text().map_err(PyValueError::new_err)?).into_any(),
        },
    })
}

/// A mapping as a dictionary.
pub(crate) fn map_to_python<'py>(py: Python<'py>, map: &Map) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in map.iter() {
        let value = to_python(py, value)?;
        match key {
            Key::Text(key) => dict.set_item(&**key, value)?,
            Key::Int(key) => dict.set_item(*key, value)?,
            Key::Other(key, _) => dict.set_item(to_python(py, key)?, value)?,
        }
    }
    Ok(dict)
}
