//! The Python request of a hook, which travels with the head to the handler.

use std::sync::Arc;

use core_http::request::Head;
use pyo3::prelude::*;

use crate::request::Request;

/// An extension of a head: hooks and handler hold the same request, and run in the same context.
#[derive(Clone)]
pub(crate) struct Passenger(Arc<Py<Request>>);

impl Passenger {
    pub(crate) fn board(py: Python<'_>, request: &Py<Request>, head: &mut Head) {
        let passenger = Self(Arc::new(request.clone_ref(py)));
        head.parts.extensions.insert(passenger);
    }

    pub(crate) fn alight(py: Python<'_>, head: &mut Head) -> Option<Py<Request>> {
        head.parts
            .extensions
            .remove::<Self>()
            .map(|passenger| passenger.0.clone_ref(py))
    }

    /// The context in which this request's hooks ran.
    pub(crate) fn context(py: Python<'_>, head: &Head) -> Option<Py<PyAny>> {
        let passenger = head.parts.extensions.get::<Self>()?;
        passenger.0.borrow(py).context(py)
    }
}
