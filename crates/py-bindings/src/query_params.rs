//! `QueryParams`: the decoded query as an immutable multi-mapping.

use core_http::query;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

#[pyclass(name = "QueryParams", module = "spikard._spikard", frozen)]
#[derive(Debug)]
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
            return Ok(self.pairs == other.get().pairs);
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

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.pairs.hash(&mut hasher);
        hasher.finish()
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
