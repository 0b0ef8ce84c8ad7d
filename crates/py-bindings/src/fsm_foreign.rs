//! Python objects in expressions: dates, decimals, records. They are read and compared, their code is not called: no
//! methods, no properties, nothing whose name begins with an underscore.

use std::any::Any;
use std::cmp::Ordering;

use core_fsm::{Foreign, Value};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple, PyType};

use crate::fsm_value::{to_python, to_value};

/// An object that has no form among the values.
pub(crate) struct PyForeign(Py<PyAny>);

impl std::fmt::Debug for PyForeign {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.type_name())
    }
}

impl PyForeign {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Self {
        Self(object.clone().unbind())
    }

    pub(crate) fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.0.bind(py).clone()
    }

    /// Runs something with the object; what it raises becomes a message.
    fn with<T>(&self, run: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T, String> {
        Python::attach(|py| run(self.0.bind(py)).map_err(|error| error.value(py).to_string()))
    }
}

/// Whether arithmetic and formats with an object are those of a number or a time.
fn is_quantity(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    let numbers = py.import(intern!(py, "numbers"))?;
    let datetime = py.import(intern!(py, "datetime"))?;
    let kinds = PyTuple::new(
        py,
        [
            numbers.getattr(intern!(py, "Number"))?,
            datetime.getattr(intern!(py, "date"))?,
            datetime.getattr(intern!(py, "timedelta"))?,
        ],
    )?;
    object.is_instance(&kinds)
}

/// Whether an object is a collection, as far as the standard library's own kinds go.
fn is_collection(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    let kinds = py.import(intern!(py, "collections.abc"))?;
    let kinds = PyTuple::new(
        py,
        [
            kinds.getattr(intern!(py, "Sequence"))?,
            kinds.getattr(intern!(py, "Mapping"))?,
            kinds.getattr(intern!(py, "Set"))?,
        ],
    )?;
    object.is_instance(&kinds)
}

/// An attribute that is data: of the instance, of a slot, of a field, or plain in the class.
fn read_attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    if object.is_instance_of::<PyModule>()
        || object.is_instance_of::<PyType>()
        || object.is_callable()
    {
        return Ok(None);
    }
    let name = PyString::new(py, name);
    let class = object.get_type();
    let mut in_class = None;
    for base in class.mro().iter() {
        let namespace = base.getattr(intern!(py, "__dict__"))?;
        if namespace.contains(&name)? {
            in_class = Some(namespace.get_item(&name)?);
            break;
        }
    }
    let own = || -> PyResult<Option<Bound<'py, PyAny>>> {
        match object.getattr_opt(intern!(py, "__dict__"))? {
            Some(namespace) => match namespace.cast::<PyDict>() {
                Ok(namespace) => namespace.get_item(&name),
                Err(_) => Ok(None),
            },
            None => Ok(None),
        }
    };
    let found = match in_class {
        None => own()?,
        Some(entry) => {
            let kind = entry.get_type().name()?;
            let kind = kind.to_str()?;
            if matches!(
                kind,
                "member_descriptor" | "getset_descriptor" | "_tuplegetter"
            ) {
                Some(object.getattr(&name)?)
            } else if matches!(kind, "property" | "DynamicClassAttribute") {
                enum_part(object, name.to_str()?)?
            } else if !entry.get_type().hasattr(intern!(py, "__get__"))? {
                Some(own()?.unwrap_or(entry))
            } else if entry.get_type().hasattr(intern!(py, "__set__"))? {
                None
            } else {
                own()?
            }
        }
    };
    Ok(found.filter(|value| !value.is_callable()))
}

/// The two properties that enumerations have from the standard library.
fn enum_part<'py>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    let class = py
        .import(intern!(py, "enum"))?
        .getattr(intern!(py, "Enum"))?;
    if !object.is_instance(&class)? {
        return Ok(None);
    }
    match name {
        "value" => object.getattr(intern!(py, "_value_")).map(Some),
        "name" => object.getattr(intern!(py, "_name_")).map(Some),
        _ => Ok(None),
    }
}

impl Foreign for PyForeign {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn type_name(&self) -> String {
        self.with(|object| object.get_type().name().map(|name| name.to_string()))
            .unwrap_or_default()
    }

    fn text(&self) -> Result<String, String> {
        self.with(|object| object.str()?.extract())
    }

    fn repr(&self) -> Result<String, String> {
        self.with(|object| object.repr()?.extract())
    }

    fn truth(&self) -> Result<bool, String> {
        self.with(|object| object.is_truthy())
    }

    fn equals(&self, other: &Value) -> bool {
        self.with(|object| object.eq(to_python(object.py(), other)?))
            .unwrap_or(false)
    }

    fn compare(&self, other: &Value) -> Result<Ordering, String> {
        self.with(|object| object.compare(to_python(object.py(), other)?))
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        self.with(|object| Ok(read_attribute(object, name)?.map(|found| to_value(&found))))
            .ok()
            .flatten()
    }

    fn format(&self, spec: &str) -> Option<Result<String, String>> {
        // A width of a million characters is an attack, not a format.
        let wide = spec
            .split(|char: char| !char.is_ascii_digit())
            .any(|digits| digits.len() > 4);
        self.with(|object| {
            if wide || !is_quantity(object)? {
                return Ok(None);
            }
            let text = object.call_method1(intern!(object.py(), "__format__"), (spec,));
            Ok(Some(match text {
                Ok(text) => text.extract::<String>().map_err(|error| error.to_string()),
                Err(error) => Err(error.value(object.py()).to_string()),
            }))
        })
        .ok()
        .flatten()
    }

    fn length(&self) -> Option<usize> {
        self.with(|object| {
            Ok(if is_collection(object)? {
                Some(object.len()?)
            } else {
                None
            })
        })
        .ok()
        .flatten()
    }

    fn items(&self) -> Option<Vec<Value>> {
        self.with(|object| {
            if !is_collection(object)? {
                return Ok(None);
            }
            object
                .try_iter()?
                .map(|item| item.map(|item| to_value(&item)))
                .collect::<PyResult<Vec<_>>>()
                .map(Some)
        })
        .ok()
        .flatten()
    }

    fn contains(&self, value: &Value) -> Option<Result<bool, String>> {
        let found = self.with(|object| {
            Ok(if is_collection(object)? {
                Some(object.contains(to_python(object.py(), value)?)?)
            } else {
                None
            })
        });
        found.transpose()
    }

    fn item(&self, key: &Value) -> Option<Value> {
        self.with(|object| {
            Ok(if is_collection(object)? {
                let found = object.get_item(to_python(object.py(), key)?)?;
                Some(to_value(&found))
            } else {
                None
            })
        })
        .ok()
        .flatten()
    }

    fn arithmetic(
        &self,
        operator: &str,
        other: &Value,
        reflected: bool,
    ) -> Option<Result<Value, String>> {
        let result = self.with(|object| {
            if !is_quantity(object)? {
                return Ok(None);
            }
            let other = to_python(object.py(), other)?;
            if !is_quantity(&other)? {
                return Ok(None);
            }
            let (left, right) = if reflected {
                (&other, object)
            } else {
                (object, &other)
            };
            let result = match operator {
                "+" => left.add(right),
                "-" => left.sub(right),
                "*" => left.mul(right),
                "/" => left.div(right),
                "//" => left.floor_div(right),
                "%" => left.rem(right),
                _ => return Ok(None),
            };
            result.map(|result| Some(to_value(&result)))
        });
        result.transpose()
    }

    fn to_number(&self) -> Option<Value> {
        self.with(|object| {
            if !is_quantity(object)? {
                return Ok(None);
            }
            let whole = object
                .py()
                .get_type::<pyo3::types::PyInt>()
                .call1((object,))?;
            // Whole numbers stay exact; anything else is a float.
            Ok(Some(to_value(&if whole.eq(object)? {
                whole
            } else {
                object
                    .py()
                    .get_type::<pyo3::types::PyFloat>()
                    .call1((object,))?
            })))
        })
        .ok()
        .flatten()
    }

    fn moment(&self) -> Option<i64> {
        self.with(|object| {
            let seconds: f64 = object
                .call_method0(intern!(object.py(), "timestamp"))?
                .extract()?;
            Ok((seconds * 1_000_000.0).round() as i64)
        })
        .ok()
    }

    fn is_same(&self, other: &dyn Foreign) -> bool {
        other
            .as_any()
            .downcast_ref::<Self>()
            .is_some_and(|other| self.0.is(&other.0))
    }
}
