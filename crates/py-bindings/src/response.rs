//! `Response`: an answer under construction.

use bytes::Bytes;
use core_http::cookie::{SameSite, SetCookie};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, SET_COOKIE};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::encode;
use crate::headers::{Headers, parse_value};
use crate::stream::Source;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

#[pyclass(
    name = "Response",
    module = "spikard._spikard",
    subclass,
    dict,
    weakref
)]
#[derive(Debug)]
pub(crate) struct Response {
    #[pyo3(get, set)]
    content: Py<PyAny>,
    #[pyo3(get)]
    pub(crate) status_code: u16,
    #[pyo3(get)]
    pub(crate) headers: Py<Headers>,
    #[pyo3(get, set)]
    pub(crate) background: Py<PyAny>,
    #[pyo3(get)]
    media_type: Option<String>,
    /// The streamed body of an answer that was made already; gone once it is sent.
    pub(crate) held: Option<Source>,
}

fn check_status(status: u16) -> PyResult<u16> {
    if (100..=599).contains(&status) {
        Ok(status)
    } else {
        Err(PyValueError::new_err(format!(
            "status_code must be between 100 and 599, not {status}"
        )))
    }
}

#[pymethods]
impl Response {
    #[new]
    #[pyo3(signature = (content=None, status_code=200, headers=None, *, media_type=None, background=None))]
    pub(crate) fn new(
        py: Python<'_>,
        content: Option<Py<PyAny>>,
        status_code: u16,
        headers: Option<&Bound<'_, PyAny>>,
        media_type: Option<String>,
        background: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let mut headers = Headers::from_items(headers)?;
        if let Some(media_type) = &media_type
            && !headers.map.contains_key(CONTENT_TYPE)
        {
            headers
                .map
                .insert(CONTENT_TYPE, parse_value("content-type", media_type)?);
        }
        Ok(Self {
            content: content.unwrap_or_else(|| py.None()),
            status_code: check_status(status_code)?,
            headers: Py::new(py, headers)?,
            background: background.unwrap_or_else(|| py.None()),
            media_type,
            held: None,
        })
    }

    #[setter]
    fn set_status_code(&mut self, status_code: u16) -> PyResult<()> {
        self.status_code = check_status(status_code)?;
        Ok(())
    }

    #[setter]
    fn set_headers(&mut self, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        self.headers = Py::new(headers.py(), Headers::from_items(Some(headers))?)?;
        Ok(())
    }

    /// The body as it will be sent.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.render(py)?.0))
    }

    #[getter]
    fn cookies(&self, py: Python<'_>) -> Vec<String> {
        let headers = self.headers.borrow(py);
        headers
            .map
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect()
    }

    #[pyo3(
        signature = (
            key, value="", *, max_age=None, expires=None, path=Some("/"), domain=None, secure=false, httponly=false,
            samesite=Some("lax"), partitioned=false
        ),
        text_signature = "($self, key, value='', *, max_age=None, expires=None, path='/', domain=None, secure=False, \
                          httponly=False, samesite='lax', partitioned=False)"
    )]
    #[allow(clippy::too_many_arguments, clippy::fn_params_excessive_bools)] // RFC 6265 has as many attributes
    fn set_cookie(
        &self,
        py: Python<'_>,
        key: &str,
        value: &str,
        max_age: Option<i64>,
        expires: Option<&Bound<'_, PyAny>>,
        path: Option<&str>,
        domain: Option<&str>,
        secure: bool,
        httponly: bool,
        samesite: Option<&str>,
        partitioned: bool,
    ) -> PyResult<()> {
        let mut cookie = SetCookie::new(key, value);
        cookie.max_age = max_age;
        cookie.expires = expires.map(expires_of).transpose()?;
        cookie.path = path;
        cookie.domain = domain;
        cookie.secure = secure;
        cookie.http_only = httponly;
        cookie.partitioned = partitioned;
        cookie.same_site = samesite
            .map(|name| {
                SameSite::from_name(name).ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "samesite must be lax, strict or none, not {name:?}"
                    ))
                })
            })
            .transpose()?;
        self.append_cookie(py, &cookie)
    }

    #[pyo3(signature = (key, path="/", domain=None))]
    fn delete_cookie(
        &self,
        py: Python<'_>,
        key: &str,
        path: &str,
        domain: Option<&str>,
    ) -> PyResult<()> {
        self.append_cookie(py, &SetCookie::delete(key, Some(path), domain))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!(
            "<{} {}>",
            slf.get_type().name()?,
            slf.borrow().status_code
        ))
    }
}

impl Response {
    /// An answer that is made already.
    pub(crate) fn of_parts(
        py: Python<'_>,
        status: StatusCode,
        headers: HeaderMap,
        body: &[u8],
    ) -> PyResult<Self> {
        let media_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Self {
            content: if body.is_empty() {
                py.None()
            } else {
                PyBytes::new(py, body).into_any().unbind()
            },
            status_code: status.as_u16(),
            headers: Py::new(py, Headers { map: headers })?,
            background: py.None(),
            media_type,
            held: None,
        })
    }

    fn append_cookie(&self, py: Python<'_>, cookie: &SetCookie<'_>) -> PyResult<()> {
        let value = cookie
            .to_header_value()
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.headers.borrow_mut(py).map.append(SET_COOKIE, value);
        Ok(())
    }

    /// The body, and the content type it implies if none was given.
    pub(crate) fn render(&self, py: Python<'_>) -> PyResult<(Bytes, Option<HeaderValue>)> {
        let content = self.content.bind(py);
        if content.is_none() {
            return Ok((Bytes::new(), None));
        }
        if let Some(bytes) = bytes_of(content) {
            return Ok((bytes, Some(OCTETS)));
        }
        if let Ok(text) = content.cast::<PyString>() {
            let headers = self.headers.borrow(py);
            let given = headers
                .map
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok());
            if given.is_some_and(|given| !is_json(given)) {
                return Ok((Bytes::copy_from_slice(text.to_str()?.as_bytes()), None));
            }
        }
        Ok((encode::to_json(content)?.into(), Some(JSON)))
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// The bytes of a bytes-like object.
pub(crate) fn bytes_of(value: &Bound<'_, PyAny>) -> Option<Bytes> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(Bytes::copy_from_slice(bytes.as_bytes()));
    }
    if let Ok(array) = value.cast::<PyByteArray>() {
        return Some(array.to_vec().into());
    }
    if value.cast::<PyMemoryView>().is_ok() {
        let bytes = value.call_method0(intern!(value.py(), "tobytes")).ok()?;
        return Some(Bytes::copy_from_slice(
            bytes.cast::<PyBytes>().ok()?.as_bytes(),
        ));
    }
    None
}

/// Unix seconds, of seconds from now as an int or of a datetime.
fn expires_of(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(seconds) = value.extract::<i64>() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        return Ok(now
            .map_or(0, |now| now.as_secs() as i64)
            .saturating_add(seconds));
    }
    let stamp: f64 = value
        .call_method0(intern!(value.py(), "timestamp"))
        .and_then(|stamp| stamp.extract())
        .map_err(|_| PyValueError::new_err("expires must be a number of seconds or a datetime"))?;
    Ok(stamp as i64)
}
