//! What a route says about an option that its server has too.

use pyo3::intern;
use pyo3::prelude::*;

use crate::application::error_class;
use crate::route::Route;

/// An option of a route.
pub(crate) enum Choice<'py> {
    /// Nothing said.
    Inherit,
    Off,
    Own(Bound<'py, PyAny>),
}

impl<'py> Choice<'py> {
    /// From a value that may be UNSET or None.
    pub(crate) fn of(value: Bound<'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let unset = py
            .import(intern!(py, "spikard.config"))?
            .getattr(intern!(py, "UNSET"))?;
        Ok(if value.is(&unset) {
            Self::Inherit
        } else if value.is_none() {
            Self::Off
        } else {
            Self::Own(value)
        })
    }
}

/// An option in the `RouteConfig` of a route.
pub(crate) fn route_choice<'py>(
    py: Python<'py>,
    route: &Route,
    option: &str,
) -> PyResult<Choice<'py>> {
    let config = route.names.route.bind(py).getattr(intern!(py, "config"))?;
    if config.is_none() {
        return Ok(Choice::Inherit);
    }
    Choice::of(config.getattr(option)?)
}

/// The error of an application that cannot start as it is configured.
pub(crate) fn config_error(py: Python<'_>, message: &str) -> PyErr {
    match error_class(py, "ConfigError").and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
