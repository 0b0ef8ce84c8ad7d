//! The clock of this process, which tests can hold still.

use std::sync::{Arc, OnceLock};

use core_http::clock::Clock;
use pyo3::prelude::*;

/// The one clock: limits and tokens of every server go by it.
pub(crate) fn clock() -> &'static Arc<Clock> {
    static CLOCK: OnceLock<Arc<Clock>> = OnceLock::new();
    CLOCK.get_or_init(Arc::default)
}

/// Holds the clock at a moment, nanoseconds since 1970, or lets it run; gives the moment it was held at.
#[pyfunction]
#[pyo3(signature = (at, /))]
pub(crate) fn hold_clock(at: Option<u64>) -> Option<u64> {
    let before = clock().held();
    match at {
        Some(at) => clock().hold(at),
        None => clock().release(),
    }
    before
}
