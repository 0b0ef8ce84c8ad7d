//! Changes that hooks make to a request, and its way between them and the server.

use core_http::cookie;
use core_http::percent::encode_rest;
use core_http::request::{Head, Request as CoreRequest};
use core_http::router::check_path;
use http::header::{self, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};

use crate::headers::Headers;
use crate::passenger::Passenger;
use crate::query_params::QueryParams;
use crate::request::{Request, cookies_dict, new_cookies};
use crate::route::RouteNames;

impl Request {
    /// Comes back from the server, at another stage of its way.
    pub(crate) fn resume(&mut self, mut request: CoreRequest, names: Option<RouteNames>) {
        self.restart(request.head.parts.extensions.remove());
        self.head = request.head;
        self.body = request.body;
        self.is_unread = false;
        if names.is_some() {
            self.names = names;
            self.path_params = None;
        }
    }

    /// The head as the hooks left it, on its way back to the server; this request travels with it.
    pub(crate) fn depart(slf: &Bound<'_, Self>) -> PyResult<Head> {
        let py = slf.py();
        let mut head = {
            let mut request = slf.borrow_mut();
            request.settle(py)?;
            request.head.clone()
        };
        Passenger::board(py, slf.as_unbound(), &mut head);
        Ok(head)
    }

    /// Writes what was changed in the objects given out into the head.
    fn settle(&mut self, py: Python<'_>) -> PyResult<()> {
        if let Some(query) = &self.query_params {
            let shown = query.borrow(py);
            let target = (*shown != QueryParams::parse(self.head.query())?)
                .then(|| with_query(self.head.path(), &shown.encoded()));
            drop(shown);
            if let Some(target) = target {
                self.set_target(&target)?;
            }
        }
        if let Some(cookies) = &self.cookies {
            let cookies = cookies.bind(py);
            // Compared with the headers as they came: both may have been changed, and the cookies are the later word.
            if !cookies.eq(cookies_dict(py, &self.head)?)? {
                let text = encoded_cookies(cookies)?;
                let headers = &mut self.head.parts.headers;
                headers.remove(header::COOKIE);
                if let Some(shown) = &self.headers {
                    shown.borrow_mut(py).map.remove(header::COOKIE);
                }
                if !text.is_empty() {
                    let value = HeaderValue::from_str(&text)
                        .map_err(|error| PyValueError::new_err(error.to_string()))?;
                    if let Some(shown) = &self.headers {
                        let map = &mut shown.borrow_mut(py).map;
                        map.insert(header::COOKIE, value.clone());
                    }
                    headers.insert(header::COOKIE, value);
                }
            }
        }
        if let Some(shown) = &self.headers {
            let shown = shown.borrow(py);
            if shown.map != self.head.parts.headers {
                self.head.parts.headers = shown.map.clone();
            }
        }
        Ok(())
    }

    fn set_target(&mut self, target: &str) -> PyResult<()> {
        let invalid = || PyValueError::new_err(format!("{target:?} is not a path of a request"));
        let mut parts = self.head.parts.uri.clone().into_parts();
        parts.path_and_query = Some(target.parse::<PathAndQuery>().map_err(|_| invalid())?);
        self.head.parts.uri = Uri::from_parts(parts).map_err(|_| invalid())?;
        Ok(())
    }

    pub(crate) fn change_method(&mut self, method: &str) -> PyResult<()> {
        self.head.parts.method = method
            .to_ascii_uppercase()
            .parse()
            .map_err(|_| PyValueError::new_err(format!("{method:?} is not an HTTP method")))?;
        Ok(())
    }

    /// Takes a path as people read it, not percent-encoded.
    pub(crate) fn change_path(&mut self, path: &str) -> PyResult<()> {
        if !path.starts_with('/') {
            return Err(PyValueError::new_err(format!(
                "a path starts with a slash: {path:?}"
            )));
        }
        let encoded = encode_rest(path);
        check_path(&encoded).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let target = with_query(&encoded, self.head.query());
        self.set_target(&target)
    }

    pub(crate) fn change_headers(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let headers = Headers::from_items(Some(value))?;
        self.headers = Some(Py::new(value.py(), headers)?);
        Ok(())
    }

    pub(crate) fn change_query(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let query = QueryParams::from_any(value)?;
        self.query_params = Some(Py::new(value.py(), query)?);
        Ok(())
    }

    pub(crate) fn change_cookies(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let pairs = value.cast::<PyMapping>()?.items()?;
        self.cookies = Some(new_cookies(pairs.as_any())?.unbind());
        Ok(())
    }
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

fn encoded_cookies(cookies: &Bound<'_, PyDict>) -> PyResult<String> {
    let pairs: Vec<(String, String)> = cookies
        .iter()
        .map(|(name, value)| Ok((name.extract()?, value.str()?.to_str()?.to_owned())))
        .collect::<PyResult<_>>()?;
    Ok(cookie::encode(pairs))
}
