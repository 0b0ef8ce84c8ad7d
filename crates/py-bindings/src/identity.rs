//! Whoever sent a request, as handlers see it: `request.auth` and `request.user`.

use std::sync::Arc;

use core_http::auth::identity::{Identity, Principal};
use core_http::request::Head;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyMapping, PyString};
use serde_json::Value;

use crate::json_value;

/// An object of the application that travels through code without Python.
struct Carried(Py<PyAny>);

/// Whom an API key belongs to, of what the application said: None or False for nobody.
#[allow(clippy::unnecessary_wraps)] // the form of everything that reads what functions said
pub(crate) fn read_principal(said: &Bound<'_, PyAny>) -> PyResult<Option<Principal>> {
    if said.is_none() || said.is(PyBool::new(said.py(), false)) {
        return Ok(None);
    }
    // What can be demanded of it: only of what has names, and a JSON form.
    let claims = if said.cast::<PyMapping>().is_ok() {
        match json_value::from_python(said) {
            Ok(Value::Object(claims)) => Some(Arc::new(claims)),
            Ok(_) | Err(_) => None,
        }
    } else {
        None
    };
    Ok(Some(Principal::Known {
        value: Arc::new(Carried(said.clone().unbind())),
        claims,
    }))
}

pub(crate) fn is_known(head: &Head) -> bool {
    head.parts.extensions.get::<Identity>().is_some()
}

/// `request.auth`: empty for nobody.
pub(crate) fn auth<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyDict>> {
    let auth = PyDict::new(py);
    match head.parts.extensions.get::<Identity>() {
        None => {}
        Some(Identity::Token { text, .. }) => {
            auth.set_item(intern!(py, "scheme"), intern!(py, "jwt"))?;
            auth.set_item(intern!(py, "claims"), json_value::parse(py, text)?)?;
        }
        Some(Identity::Key(principal)) => {
            auth.set_item(intern!(py, "scheme"), intern!(py, "api_key"))?;
            auth.set_item(intern!(py, "principal"), principal_of(py, principal))?;
        }
    }
    Ok(auth)
}

/// `request.user`: the subject of a token, the principal of a key, None for nobody.
pub(crate) fn user<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyAny>> {
    match head.parts.extensions.get::<Identity>() {
        None => Ok(py.None().into_bound(py)),
        Some(Identity::Token { claims, .. }) => match claims.get("sub") {
            Some(Value::String(subject)) => Ok(PyString::new(py, subject).into_any()),
            Some(subject) => json_value::parse(py, subject.to_string().as_bytes()),
            None => Ok(py.None().into_bound(py)),
        },
        Some(Identity::Key(principal)) => Ok(principal_of(py, principal)),
    }
}

fn principal_of<'py>(py: Python<'py>, principal: &Principal) -> Bound<'py, PyAny> {
    match principal {
        Principal::Listed(key) => PyString::new(py, key).into_any(),
        Principal::Known { value, .. } => value.downcast_ref::<Carried>().map_or_else(
            || py.None().into_bound(py),
            |value| value.0.bind(py).clone(),
        ),
    }
}
