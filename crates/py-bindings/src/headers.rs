//! `Headers`: a case-insensitive multi-mapping over `http::HeaderMap`.

use http::{HeaderMap, HeaderName, HeaderValue};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping, PyTuple};

#[pyclass(name = "Headers", module = "spikard._spikard")]
#[derive(Debug, Default)]
pub(crate) struct Headers {
    pub(crate) map: HeaderMap,
}

/// A header value as text: UTF-8 where it is, else Latin-1 (RFC 9110, 5.5 leaves it open).
pub(crate) fn text_of(value: &HeaderValue) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.into(),
        Err(_) => value
            .as_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect::<String>()
            .into(),
    }
}

pub(crate) fn parse_name(name: &str) -> PyResult<HeaderName> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        PyValueError::new_err(format!(
            "{name:?} is not a header name: use letters, digits and hyphens"
        ))
    })
}

pub(crate) fn parse_value(name: &str, value: &str) -> PyResult<HeaderValue> {
    HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        PyValueError::new_err(format!(
            "the value of header {name:?} has a character that headers cannot carry (CR, LF, NUL or another control)"
        ))
    })
}

impl Headers {
    pub(crate) fn from_items(items: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut headers = Self::default();
        let Some(items) = items else {
            return Ok(headers);
        };
        if let Ok(other) = items.cast::<Headers>() {
            headers.map = other.borrow().map.clone();
        } else if let Ok(dict) = items.cast::<PyDict>() {
            for (name, value) in dict.iter() {
                headers.append(&name, &value)?;
            }
        } else if let Ok(mapping) = items.cast::<PyMapping>() {
            headers.extend(mapping.items()?.as_any())?;
        } else {
            headers.extend(items)?;
        }
        Ok(headers)
    }

    fn extend(&mut self, items: &Bound<'_, PyAny>) -> PyResult<()> {
        for item in items.try_iter()? {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
            self.append(&name, &value)?;
        }
        Ok(())
    }

    fn append(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let name: &str = name.extract()?;
        // Numbers are common as values (Content-Length) and have only one sensible text.
        let value = value.str()?;
        let value = value.to_str()?;
        self.map
            .append(parse_name(name)?, parse_value(name, value)?);
        Ok(())
    }
}

#[pymethods]
impl Headers {
    #[new]
    #[pyo3(signature = (items=None))]
    fn new(items: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Self::from_items(items)
    }

    fn __getitem__(&self, name: &str) -> PyResult<String> {
        self.find(name)
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn __setitem__(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = value.str()?;
        self.map
            .insert(parse_name(name)?, parse_value(name, text.to_str()?)?);
        Ok(())
    }

    fn __delitem__(&mut self, name: &str) -> PyResult<()> {
        match self.map.remove(name) {
            Some(_) => Ok(()),
            None => Err(PyKeyError::new_err(name.to_owned())),
        }
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<&str>()
            .is_ok_and(|name| self.map.contains_key(name))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyList::new(py, self.map.keys().map(HeaderName::as_str))?
            .try_iter()?
            .into_any())
    }

    fn __len__(&self) -> usize {
        self.map.keys_len()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        match other.cast::<Headers>() {
            Ok(other) => self.map == other.borrow().map,
            Err(_) if other.cast::<PyMapping>().is_err() => false,
            Err(_) => Self::from_items(Some(other)).is_ok_and(|other| other.map == self.map),
        }
    }

    fn __repr__(&self) -> String {
        format!("Headers({:?})", self.items())
    }

    #[pyo3(signature = (name, default=None))]
    fn get(&self, py: Python<'_>, name: &str, default: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        match self.find(name) {
            Some(value) => Ok(value.into_pyobject(py)?.into_any().unbind()),
            None => Ok(default.unwrap_or_else(|| py.None())),
        }
    }

    fn getlist(&self, name: &str) -> Vec<String> {
        self.map
            .get_all(name)
            .iter()
            .map(|value| text_of(value).into_owned())
            .collect()
    }

    fn add(&mut self, name: &str, value: &str) -> PyResult<()> {
        self.map
            .append(parse_name(name)?, parse_value(name, value)?);
        Ok(())
    }

    fn setdefault(&mut self, name: &str, value: &str) -> PyResult<String> {
        if let Some(found) = self.find(name) {
            return Ok(found);
        }
        self.map
            .insert(parse_name(name)?, parse_value(name, value)?);
        Ok(value.to_owned())
    }

    fn update(&mut self, items: &Bound<'_, PyAny>) -> PyResult<()> {
        for (name, value) in &Self::from_items(Some(items))?.map {
            self.map.insert(name, value.clone());
        }
        Ok(())
    }

    fn keys(&self) -> Vec<String> {
        self.map
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect()
    }

    fn values(&self) -> Vec<String> {
        self.map
            .values()
            .map(|value| text_of(value).into_owned())
            .collect()
    }

    fn items(&self) -> Vec<(String, String)> {
        self.map
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text_of(value).into_owned()))
            .collect()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let arguments = PyTuple::new(py, [slf.borrow().items()])?;
        PyTuple::new(py, [slf.get_type().into_any(), arguments.into_any()])
    }
}

impl Headers {
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let mut values = self.map.get_all(name).iter();
        let first = text_of(values.next()?).into_owned();
        // Repeated fields mean one list (RFC 9110, 5.3); Set-Cookie is the exception and is read by getlist.
        if name.eq_ignore_ascii_case("set-cookie") {
            return Some(first);
        }
        Some(values.fold(first, |joined, value| joined + ", " + &text_of(value)))
    }
}
