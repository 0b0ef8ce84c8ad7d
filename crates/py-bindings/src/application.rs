//! `Application`: the routes of one app, compiled as they are added.

use std::sync::Arc;

use core_http::router::{RouteError, Router, pattern_parameters};
use http::Method;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

use crate::answer;
use crate::response::Response;
use crate::route::Route;

#[pyclass(name = "Application", module = "spikard._spikard")]
pub(crate) struct Application {
    owner: Py<PyAny>,
    /// Finds conflicts as routes are added; servers build routers of their own.
    router: Router<Arc<Route>>,
    pub(crate) routes: Vec<(Method, String, Arc<Route>)>,
    /// Hooks that every request passes before its route is looked for.
    pub(crate) entry: Option<Arc<Py<PyAny>>>,
    /// Middleware around everything.
    pub(crate) front: Option<Arc<Route>>,
    /// Applications below a path: what answers requests, and what takes WebSockets.
    pub(crate) mounts: Vec<(String, Arc<Route>, Arc<Route>)>,
    /// Settings of directories; servers look whether they are there.
    pub(crate) static_files: Vec<Py<PyAny>>,
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

pub(crate) fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    match error_class(py, class).and_then(|class| class.call1((message,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn no_route(index: usize) -> PyErr {
    PyIndexError::new_err(format!("there is no route number {index}"))
}

impl Application {
    fn compiled(
        &self,
        method: &Method,
        path: &str,
        plan: &Bound<'_, PyAny>,
        route: &Bound<'_, PyAny>,
    ) -> PyResult<Route> {
        let py = plan.py();
        let names = pattern_parameters(path)
            .map_err(|error| raise(py, "RouteError", format!("{method} {path}: {error}")))?
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        Route::read(plan, route, self.owner.clone_ref(py), names).map_err(|error| {
            if error.is_instance_of::<PyValueError>(py) {
                let message = format!("{method} {path}: {}", error.value(py));
                raise(py, "RouteError", message)
            } else {
                error
            }
        })
    }

    /// A plan that belongs to no method and no pattern.
    fn unrouted(&self, plan: &Bound<'_, PyAny>) -> PyResult<Arc<Route>> {
        let py = plan.py();
        let none = py.None().into_bound(py);
        Route::read(plan, &none, self.owner.clone_ref(py), Vec::new()).map(Arc::new)
    }

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
            entry: None,
            front: None,
            mounts: Vec::new(),
            static_files: Vec::new(),
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
        let compiled = Arc::new(self.compiled(&method, path, plan, route)?);
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

    /// Puts another plan in the place of one; the path and the method stay.
    #[pyo3(signature = (index, plan, route, /))]
    fn replace_plan(
        &mut self,
        index: usize,
        plan: &Bound<'_, PyAny>,
        route: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (method, path, _) = self.routes.get(index).ok_or_else(|| no_route(index))?;
        let compiled = Arc::new(self.compiled(method, path, plan, route)?);
        self.routes[index].2 = compiled;
        Ok(())
    }

    /// Hooks for every request, a function of it; None for none.
    #[pyo3(signature = (hooks, /))]
    fn set_entry(&mut self, hooks: Option<Py<PyAny>>) {
        self.entry = hooks.map(Arc::new);
    }

    /// Middleware that stands before everything; None for none.
    #[pyo3(signature = (plan, /))]
    fn set_front(&mut self, plan: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.front = plan.map(|plan| self.unrouted(plan)).transpose()?;
        Ok(())
    }

    /// Everything below these paths, each without the slash at its end, that no route matches.
    #[pyo3(signature = (mounts, /))]
    fn set_mounts(
        &mut self,
        mounts: Vec<(String, Bound<'_, PyAny>, Bound<'_, PyAny>)>,
    ) -> PyResult<()> {
        self.mounts = mounts
            .into_iter()
            .map(|(prefix, plan, socket)| {
                Ok((prefix, self.unrouted(&plan)?, self.unrouted(&socket)?))
            })
            .collect::<PyResult<_>>()?;
        Ok(())
    }

    /// What a route's handler gave, as a `Response`.
    #[pyo3(signature = (index, value, event_loop, /))]
    fn respond<'py>(
        &self,
        index: usize,
        value: Bound<'py, PyAny>,
        event_loop: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if value.cast::<Response>().is_ok() {
            return Ok(value);
        }
        let (_, _, route) = self.routes.get(index).ok_or_else(|| no_route(index))?;
        answer::answer(route, &event_loop, &value)?.into_python(value.py())
    }

    /// Takes a directory, a `spikard.config.StaticFilesConfig`.
    #[pyo3(signature = (config, /))]
    fn add_static(&mut self, config: Py<PyAny>) {
        self.static_files.push(config);
    }

    fn remove_routes(&mut self) {
        self.routes.clear();
        self.static_files.clear();
        self.router = Router::new();
    }
}
