//! `QueryParams`: the decoded query as a multi-mapping.

use core_http::query;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping};

#[pyclass(name = "QueryParams", module = "spikard._spikard")]
#[derive(Debug, PartialEq)]
pub(crate) struct QueryParams {
    pairs: Vec<(String, String)>,
}

impl QueryParams {
    pub(crate) fn parse(text: &str) -> PyResult<Self> {
        let pairs = query::parse(text)
            .map(|pair| pair.map(|(name, value)| (name.into_owned(), value.into_owned())))
            .collect::<Result<_, _>>()
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self { pairs })
    }

    /// Of a query string, a mapping, or pairs.
    pub(crate) fn from_any(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.extract::<&str>() {
            return Self::parse(text);
        }
        if let Ok(other) = value.cast::<QueryParams>() {
            let pairs = other.borrow().pairs.clone();
            return Ok(Self { pairs });
        }
        let items = match value.cast::<PyMapping>() {
            Ok(mapping) => mapping.items()?.into_any(),
            Err(_) => value.clone(),
        };
        let mut pairs = Vec::new();
        for item in items.try_iter()? {
            let (name, value): (String, Bound<'_, PyAny>) = item?.extract()?;
            pairs.push((name, value.str()?.to_str()?.to_owned()));
        }
        Ok(Self { pairs })
    }

    /// The query string that says the same.
    pub(crate) fn encoded(&self) -> String {
        query::encode(
            self.pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }

    fn last(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Each name once, in wire order, with its last value.
    pub(crate) fn distinct(&self) -> Vec<(&str, &str)> {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &self.pairs {
            match seen.iter_mut().find(|(key, _)| key == name) {
                Some(entry) => entry.1 = value,
                None => seen.push((name, value)),
            }
        }
        seen
    }
}

#[pymethods]
impl QueryParams {
    #[new]
    #[pyo3(signature = (query_string=""))]
    fn new(query_string: &str) -> PyResult<Self> {
        Self::parse(query_string)
    }

    fn __getitem__(&self, name: &str) -> PyResult<&str> {
        self.last(name)
            .ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<&str>()
            .is_ok_and(|name| self.last(name).is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyList::new(py, self.keys())?.try_iter()?.into_any())
    }

    fn __len__(&self) -> usize {
        self.distinct().len()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        if let Ok(other) = other.cast::<QueryParams>() {
            return Ok(self.pairs == other.borrow().pairs);
        }
        if other.cast::<PyDict>().is_ok() {
            let ours = PyDict::new(other.py());
            for (name, value) in self.distinct() {
                ours.set_item(name, value)?;
            }
            return ours.eq(other);
        }
        Ok(false)
    }

    /// One value in the place of all that the name had.
    fn __setitem__(&mut self, name: String, value: String) {
        match self.pairs.iter().position(|(key, _)| *key == name) {
            Some(first) => {
                self.pairs[first].1 = value;
                let mut seen = false;
                self.pairs
                    .retain(|(key, _)| *key != name || !std::mem::replace(&mut seen, true));
            }
            None => self.pairs.push((name, value)),
        }
    }

    fn __delitem__(&mut self, name: &str) -> PyResult<()> {
        let before = self.pairs.len();
        self.pairs.retain(|(key, _)| key != name);
        if self.pairs.len() == before {
            return Err(PyKeyError::new_err(name.to_owned()));
        }
        Ok(())
    }

    /// A value beside those that the name has.
    fn add(&mut self, name: String, value: String) {
        self.pairs.push((name, value));
    }

    fn __repr__(&self) -> String {
        format!("QueryParams({:?})", self.pairs)
    }

    #[pyo3(signature = (name, default=None))]
    fn get(&self, py: Python<'_>, name: &str, default: Option<Py<PyAny>>) -> PyResult<Py<PyAny>> {
        match self.last(name) {
            Some(value) => Ok(value.into_pyobject(py)?.into_any().unbind()),
            None => Ok(default.unwrap_or_else(|| py.None())),
        }
    }

    fn getlist(&self, name: &str) -> Vec<&str> {
        self.pairs
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    fn keys(&self) -> Vec<&str> {
        self.distinct().into_iter().map(|(name, _)| name).collect()
    }

    fn values(&self) -> Vec<&str> {
        self.distinct()
            .into_iter()
            .map(|(_, value)| value)
            .collect()
    }

    fn items(&self) -> Vec<(&str, &str)> {
        self.distinct()
    }

    fn multi_items(&self) -> Vec<(&str, &str)> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}
