//! `TokenBucket` and `KeyedBuckets`: seconds of Python to nanoseconds of a clock that never goes back.

use std::sync::OnceLock;
use std::time::Instant;

use core_http::rate_limit::keyed_buckets;
use core_http::rate_limit::token_bucket::{self, Moment, Pace, nanos};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

const SECOND: f64 = 1e9;

/// Nanoseconds since the first question.
fn now() -> Moment {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed();
    Moment::try_from(since.as_nanos()).unwrap_or(Moment::MAX)
}

fn seconds(nanos: i64) -> f64 {
    nanos as f64 / SECOND
}

fn pace(rate: f64, burst: f64) -> PyResult<Pace> {
    Pace::new(rate, burst).ok_or_else(|| {
        PyValueError::new_err(format!(
            "rate and burst are above zero, and burst is finite: not rate={rate} and burst={burst}"
        ))
    })
}

#[pyclass(name = "TokenBucket", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct TokenBucket(token_bucket::TokenBucket);

#[pymethods]
impl TokenBucket {
    #[new]
    #[pyo3(signature = (rate, burst=1.0))]
    fn new(rate: f64, burst: f64) -> PyResult<Self> {
        Ok(Self(token_bucket::TokenBucket::new(pace(rate, burst)?)))
    }

    #[pyo3(signature = (n=1.0))]
    fn reserve(&self, n: f64) -> f64 {
        seconds(self.0.reserve(now(), n))
    }

    #[pyo3(signature = (n=1.0))]
    fn take(&self, n: f64) -> f64 {
        seconds(self.0.take(now(), n))
    }

    #[pyo3(signature = (n=1.0))]
    fn cancel(&self, n: f64) {
        self.0.cancel(n);
    }

    fn pause(&self, seconds: f64) {
        self.0.pause(now(), nanos(seconds * SECOND));
    }

    #[getter]
    fn level(&self) -> f64 {
        self.0.level(now())
    }
}

#[pyclass(name = "KeyedBuckets", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct KeyedBuckets(keyed_buckets::KeyedBuckets);

#[pymethods]
impl KeyedBuckets {
    #[new]
    #[pyo3(signature = (rate, burst=1.0, max_keys=100_000))]
    fn new(rate: f64, burst: f64, max_keys: usize) -> PyResult<Self> {
        Ok(Self(keyed_buckets::KeyedBuckets::new(
            pace(rate, burst)?,
            max_keys,
        )))
    }

    #[pyo3(signature = (key, n=1.0))]
    fn reserve(&self, key: &str, n: f64) -> f64 {
        seconds(self.0.reserve(key, now(), n))
    }

    #[pyo3(signature = (key, n=1.0))]
    fn take(&self, key: &str, n: f64) -> f64 {
        seconds(self.0.take(key, now(), n))
    }

    #[pyo3(signature = (key, n=1.0))]
    fn cancel(&self, key: &str, n: f64) {
        self.0.cancel(key, n);
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}
