//! Values of contexts: from Python and back. What has no form of its own among them stays the Python object it is.

use std::cell::Cell;
use std::sync::Arc;

use core_fsm::{Key, Map, Moment, Scope, Span, Value};
use num_bigint::BigInt;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::fsm_foreign::PyForeign;

/// Containers inside of each other; what is deeper stays what it is.
const MAX_DEPTH: usize = 100;
/// Values of one conversion: a list that holds itself twice has no end.
const MAX_VALUES: usize = 1_000_000;

/// The value that a Python object is.
pub(crate) fn to_value(object: &Bound<'_, PyAny>) -> Value {
    Conversion {
        left: Cell::new(MAX_VALUES),
    }
    .value(object, 0)
}

struct Conversion {
    left: Cell<usize>,
}

impl Conversion {
    fn value(&self, object: &Bound<'_, PyAny>, depth: usize) -> Value {
        // Ordered by how often they come.
        if let Ok(text) = object.cast::<PyString>() {
            return match text.to_str() {
                Ok(text) => Value::text(text),
                Err(_) => foreign(object),
            };
        }
        if object.is_none() {
            return Value::Null;
        }
        if let Ok(flag) = object.cast::<PyBool>() {
            return Value::Bool(flag.is_true());
        }
        if let Ok(number) = object.cast::<PyInt>() {
            return whole(number).unwrap_or_else(|| foreign(object));
        }
        if let Ok(number) = object.cast::<PyFloat>() {
            return Value::Float(number.value());
        }
        let left = self.left.get();
        if depth >= MAX_DEPTH || left == 0 {
            return foreign(object);
        }
        let items = |objects: &mut dyn Iterator<Item = Bound<'_, PyAny>>, count: usize| {
            self.left.set(left.saturating_sub(count + 1));
            Arc::new(
                objects
                    .map(|item| self.value(&item, depth + 1))
                    .collect::<Vec<_>>(),
            )
        };
        if let Ok(map) = object.cast::<PyDict>() {
            self.left.set(left.saturating_sub(map.len() + 1));
            return Value::map(
                map.iter()
                    .map(|(key, value)| (self.key(&key, depth), self.value(&value, depth + 1)))
                    .collect(),
            );
        }
        if let Ok(list) = object.cast::<PyList>() {
            return Value::List(items(&mut list.iter(), list.len()));
        }
        match object.cast_exact::<PyTuple>() {
            Ok(tuple) => Value::Tuple(items(&mut tuple.iter(), tuple.len())),
            Err(_) => foreign(object),
        }
    }

    fn key(&self, object: &Bound<'_, PyAny>, depth: usize) -> Key {
        match self.value(object, depth + 1) {
            Value::Text(text) => Key::Text(text),
            Value::Int(number) => Key::Int(number),
            // No code of a key's own runs here: the dict is being walked.
            Value::Foreign(foreign) => {
                let text = foreign.type_name().into();
                Key::Other(Value::Foreign(foreign), text)
            }
            other => {
                let text = other.to_string().into();
                Key::Other(other, text)
            }
        }
    }
}

fn foreign(object: &Bound<'_, PyAny>) -> Value {
    Value::Foreign(Arc::new(PyForeign::new(object)))
}

/// A whole number of any size.
pub(crate) fn whole(number: &Bound<'_, PyInt>) -> Option<Value> {
    match number.extract::<i64>() {
        Ok(small) => Some(Value::Int(small)),
        Err(_) => big(number),
    }
}

/// A whole number of more than 64 bits.
fn big(number: &Bound<'_, PyInt>) -> Option<Value> {
    let bits: usize = number
        .call_method0(intern!(number.py(), "bit_length"))
        .and_then(|bits| bits.extract())
        .ok()?;
    let bytes: Vec<u8> = number
        .call_method(
            intern!(number.py(), "to_bytes"),
            (bits / 8 + 1, intern!(number.py(), "little")),
            Some(&signed(number.py()).ok()?),
        )
        .and_then(|bytes| bytes.extract())
        .ok()?;
    Some(Value::integer(BigInt::from_signed_bytes_le(&bytes)))
}

fn signed(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let arguments = PyDict::new(py);
    arguments.set_item(intern!(py, "signed"), true)?;
    Ok(arguments)
}

/// The Python object of a value.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Big(number) => py.get_type::<PyInt>().call_method(
            intern!(py, "from_bytes"),
            (number.to_signed_bytes_le(), intern!(py, "little")),
            Some(&signed(py)?),
        )?,
        Value::Float(number) => PyFloat::new(py, *number).into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::List(items) => {
            let list = PyList::empty(py);
            for item in items.iter() {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Tuple(items) => PyTuple::new(
            py,
            items
                .iter()
                .map(|item| to_python(py, item))
                .collect::<PyResult<Vec<_>>>()?,
        )?
        .into_any(),
        Value::Map(map) => {
            let dict = PyDict::new(py);
            for (key, value) in map.iter() {
                dict.set_item(key_to_python(py, key)?, to_python(py, value)?)?;
            }
            dict.into_any()
        }
        Value::Foreign(foreign) => {
            let any = foreign.as_any();
            if let Some(object) = any.downcast_ref::<PyForeign>() {
                object.object(py)
            } else if let Some(moment) = any.downcast_ref::<Moment>() {
                moment_to_python(py, *moment)?
            } else if let Some(span) = any.downcast_ref::<Span>() {
                span_to_python(py, *span)?
            } else {
                PyString::new(py, &foreign.text().unwrap_or_default()).into_any()
            }
        }
    })
}

pub(crate) fn key_to_python<'py>(py: Python<'py>, key: &Key) -> PyResult<Bound<'py, PyAny>> {
    match key {
        Key::Text(text) => Ok(PyString::new(py, text).into_any()),
        Key::Int(number) => Ok(number.into_pyobject(py)?.into_any()),
        Key::Other(value, _) => to_python(py, value),
    }
}

fn moment_to_python(py: Python<'_>, moment: Moment) -> PyResult<Bound<'_, PyAny>> {
    let datetime = py.import(intern!(py, "datetime"))?;
    let epoch = datetime.getattr(intern!(py, "datetime"))?.call1((
        1970,
        1,
        1,
        0,
        0,
        0,
        0,
        datetime.getattr(intern!(py, "UTC"))?,
    ))?;
    epoch.add(timedelta(&datetime, moment.micros())?)
}

fn span_to_python(py: Python<'_>, span: Span) -> PyResult<Bound<'_, PyAny>> {
    timedelta(
        &py.import(intern!(py, "datetime"))?.into_any(),
        span.micros(),
    )
}

fn timedelta<'py>(datetime: &Bound<'py, PyAny>, micros: i64) -> PyResult<Bound<'py, PyAny>> {
    datetime
        .getattr(intern!(datetime.py(), "timedelta"))?
        .call1((0, 0, micros))
}

/// A Python dict as a scope: only what is looked up is converted.
#[derive(Debug)]
pub(crate) struct DictScope<'a, 'py>(pub(crate) &'a Bound<'py, PyDict>);

impl Scope for DictScope<'_, '_> {
    fn get(&self, name: &str) -> Option<Value> {
        // An error of a lookup by text is that of a key that compares in some way of its own: as good as absent.
        self.0
            .get_item(name)
            .ok()
            .flatten()
            .map(|found| to_value(&found))
    }

    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        let (root, rest) = path.split_first().ok_or(0_usize)?;
        let mut object = self.0.get_item(&**root).ok().flatten().ok_or(0_usize)?;
        for (at, name) in rest.iter().enumerate() {
            let Ok(map) = object.cast::<PyDict>() else {
                let mut value = to_value(&object);
                for (at, name) in rest.iter().enumerate().skip(at) {
                    value = value.member(name).ok_or(at + 1)?;
                }
                return Ok(value);
            };
            object = map.get_item(&**name).ok().flatten().ok_or(at + 1)?;
        }
        Ok(to_value(&object))
    }
}

/// What Python keeps for later: values converted at once, since they outlive the call.
pub(crate) fn to_map(dict: &Bound<'_, PyDict>) -> Map {
    match to_value(dict.as_any()) {
        Value::Map(map) => map.as_ref().clone(),
        _ => Map::new(),
    }
}
