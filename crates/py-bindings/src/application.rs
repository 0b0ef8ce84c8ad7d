//! `Application`: the routes of one app, compiled as they are added.

use std::sync::Arc;

use core_http::router::{RouteError, Router, pattern_parameters};
use http::Method;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::route::Route;

#[pyclass(name = "Application", module = "spikard._spikard")]
pub(crate) struct Application {
    owner: Py<PyAny>,
    /// Finds conflicts as routes are added; servers build routers of their own.
    router: Router<Arc<Route>>,
    pub(crate) routes: Vec<(Method, String, Arc<Route>)>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application")
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}

/// An exception class of `spikard.errors`.
pub(crate) fn error_class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import(intern!(py, "spikard.errors"))?.getattr(name)
}

fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    match error_class(py, class).and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

impl Application {
    pub(crate) fn owner<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.owner.bind(py)
    }
}

#[pymethods]
impl Application {
    #[new]
    fn new(owner: Py<PyAny>) -> Self {
        Self {
            owner,
            router: Router::new(),
            routes: Vec::new(),
        }
    }

    /// Compiles `plan` and inserts it.
    #[pyo3(signature = (method, path, plan, route, /))]
    fn add_route(
        &mut self,
        method: &str,
        path: &str,
        plan: &Bound<'_, PyAny>,
        route: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = plan.py();
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| PyValueError::new_err(format!("{method:?} is not an HTTP method")))?;
        let names = pattern_parameters(path)
            .map_err(|error| raise(py, "RouteError", format!("{method} {path}: {error}")))?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let compiled =
            Route::read(plan, route, self.owner.clone_ref(py), names).map_err(|error| {
                if error.is_instance_of::<PyValueError>(py) {
                    raise(
                        py,
                        "RouteError",
                        format!("{method} {path}: {}", error.value(py)),
                    )
                } else {
                    error
                }
            })?;
        let compiled = Arc::new(compiled);
        match self
            .router
            .insert(method.clone(), path, Arc::clone(&compiled))
        {
            Ok(_) => {}
            Err(RouteError::Conflict { existing, .. }) => {
                let other = self.router.value(existing);
                let message = format!(
                    "{method} {path} is registered twice: by {} and by {}; change one path or method",
                    other.name, compiled.name
                );
                return Err(raise(py, "RouteConflict", message));
            }
            Err(error) => return Err(raise(py, "RouteError", format!("{method} {path}: {error}"))),
        }
        self.routes.push((method, path.to_owned(), compiled));
        Ok(())
    }

    fn remove_routes(&mut self) {
        self.routes.clear();
        self.router = Router::new();
    }
}
