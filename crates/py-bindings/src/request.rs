//! `Request`: one HTTP request; every property is parsed on first access.

use bytes::Bytes;
use core_http::cookie;
use core_http::media_type;
use core_http::request::{Head, Request as CoreRequest};
use core_http::request_id::RequestId;
use core_http::trace_context::TraceParent;
use http::header;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::body_reader::BodyReader;
use crate::headers::{Headers, text_of};
use crate::identity;
use crate::intake;
use crate::query_params::QueryParams;
use crate::route::RouteNames;

#[pyclass(name = "Request", module = "spikard._spikard", subclass, dict, weakref)]
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) head: Head,
    pub(crate) body: Bytes,
    pub(crate) names: Option<RouteNames>,
    pub(crate) path_params: Option<Py<PyDict>>,
    pub(crate) headers: Option<Py<Headers>>,
    pub(crate) query_params: Option<Py<QueryParams>>,
    pub(crate) cookies: Option<Py<PyDict>>,
    state: Option<Py<PyAny>>,
    context: Option<Py<PyAny>>,
    /// Whether hooks have it before its body was read.
    pub(crate) is_unread: bool,
    user: Option<Py<PyAny>>,
    auth: Option<Py<PyAny>>,
    /// The way to a body that is still coming.
    reader: Option<BodyReader>,
    /// Whether somebody has begun to take the body as it comes.
    is_consumed: bool,
    form: Option<Py<PyAny>>,
}

impl Request {
    pub(crate) fn new(mut request: CoreRequest, names: Option<RouteNames>) -> Self {
        Self {
            reader: request.head.parts.extensions.remove(),
            is_consumed: false,
            form: None,
            head: request.head,
            body: request.body,
            names,
            path_params: None,
            headers: None,
            query_params: None,
            cookies: None,
            state: None,
            context: None,
            is_unread: false,
            user: None,
            auth: None,
        }
    }

    pub(crate) fn id(&self) -> Option<&RequestId> {
        self.head.id.as_ref()
    }

    /// The context in which the hooks of this request run.
    pub(crate) fn context(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.context.as_ref().map(|context| context.clone_ref(py))
    }

    pub(crate) fn keep_context(&mut self, context: Py<PyAny>) {
        self.context = Some(context);
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// An error while hooks have the request before its body was read.
    pub(crate) fn check_read(&self) -> PyResult<()> {
        if self.is_unread {
            return Err(PyRuntimeError::new_err(
                "the body has not been read yet; hooks have it from pre_handler on",
            ));
        }
        Ok(())
    }

    pub(crate) fn body_bytes(&self) -> &[u8] {
        &self.body
    }

    /// The way to a body that is still coming, unless somebody took it.
    pub(crate) fn reader(&self) -> Option<BodyReader> {
        self.reader.clone()
    }

    /// Marks the body as taken piece by piece; false if it was already.
    pub(crate) fn consume(&mut self) -> bool {
        !std::mem::replace(&mut self.is_consumed, true)
    }

    /// Has another body, none of which was taken.
    pub(crate) fn restart(&mut self, reader: Option<BodyReader>) {
        self.reader = reader;
        self.is_consumed = false;
        self.form = None;
    }

    pub(crate) fn is_consumed(&self) -> bool {
        self.is_consumed
    }

    pub(crate) fn whole_body(&self) -> &Bytes {
        &self.body
    }

    pub(crate) fn kept_form(&self) -> Option<&Py<PyAny>> {
        self.form.as_ref()
    }

    pub(crate) fn keep_form(&mut self, form: Py<PyAny>) {
        self.form = Some(form);
    }

    pub(crate) fn names(&self) -> Option<&RouteNames> {
        self.names.as_ref()
    }

    /// Sets the converted path parameters, which only the route's plan knows.
    pub(crate) fn set_path_params(&mut self, params: Py<PyDict>) {
        self.path_params = Some(params);
    }
}

/// The value in a form that also can be awaited: handlers written for other frameworks do.
fn awaitable<'py>(py: Python<'py>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let function = FUNCTION.get_or_try_init(py, || {
        py.import(intern!(py, "spikard.datastructures"))?
            .getattr(intern!(py, "awaitable"))
            .map(Bound::unbind)
    })?;
    function.bind(py).call1((value,))
}

/// A `spikard.datastructures.Cookies` of what was sent.
fn cookies_of<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyDict>> {
    let pairs = PyList::empty(py);
    for value in head.parts.headers.get_all(header::COOKIE) {
        for pair in cookie::parse(&text_of(value)) {
            pairs.append(pair)?;
        }
    }
    new_cookies(pairs.as_any())
}

/// Cookies from an iterable of pairs.
pub(crate) fn new_cookies<'py>(pairs: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = pairs.py();
    let class = CLASS.get_or_try_init(py, || {
        py.import(intern!(py, "spikard.datastructures"))?
            .getattr("Cookies")
            .map(Bound::unbind)
    })?;
    Ok(class.bind(py).call1((pairs,))?.cast_into()?)
}

pub(crate) fn cookies_dict<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for value in head.parts.headers.get_all(header::COOKIE) {
        for (name, value) in cookie::parse(&text_of(value)) {
            dict.set_item(name, value)?;
        }
    }
    Ok(dict)
}

#[pymethods]
impl Request {
    #[getter]
    fn method(&self) -> &str {
        self.head.parts.method.as_str()
    }

    /// The context variables that hooks, middleware and the handler of this request share.
    #[getter(context)]
    fn shown_context(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.context(py)
    }

    #[setter]
    fn set_context(&mut self, context: Py<PyAny>) {
        self.keep_context(context);
    }

    #[setter]
    fn set_method(&mut self, value: &str) -> PyResult<()> {
        self.change_method(value)
    }

    #[setter]
    fn set_path(&mut self, value: &str) -> PyResult<()> {
        self.change_path(value)
    }

    #[setter]
    fn set_headers(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.change_headers(value)
    }

    #[setter]
    fn set_query_params(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.change_query(value)
    }

    #[setter]
    fn set_cookies(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.change_cookies(value)
    }

    #[getter]
    fn path(&self) -> String {
        core_http::router::decode_segment(self.head.path()).map_or_else(
            |_| self.head.path().to_owned(),
            std::borrow::Cow::into_owned,
        )
    }

    #[getter]
    fn raw_path<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.head.path().as_bytes())
    }

    #[getter]
    fn query_string(&self) -> &str {
        self.head.query()
    }

    #[getter]
    fn headers(&mut self, py: Python<'_>) -> PyResult<Py<Headers>> {
        if self.headers.is_none() {
            self.headers = Some(Py::new(
                py,
                Headers {
                    map: self.head.parts.headers.clone(),
                },
            )?);
        }
        Ok(self
            .headers
            .as_ref()
            .map_or_else(|| unreachable!("just set"), |headers| headers.clone_ref(py)))
    }

    #[getter]
    fn query_params(&mut self, py: Python<'_>) -> PyResult<Py<QueryParams>> {
        if let Some(params) = &self.query_params {
            return Ok(params.clone_ref(py));
        }
        let params = Py::new(py, QueryParams::parse(self.head.query())?)?;
        self.query_params = Some(params.clone_ref(py));
        Ok(params)
    }

    #[getter]
    fn path_params(&mut self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        if let Some(params) = &self.path_params {
            return Ok(params.clone_ref(py));
        }
        let dict = PyDict::new(py);
        if let Some(names) = &self.names {
            for (index, name) in names.path_names.iter().enumerate() {
                if let Some(raw) = self.head.params.get(self.head.path(), index) {
                    let value = core_http::router::decode_segment(raw)
                        .map_err(|error| PyValueError::new_err(error.to_string()))?;
                    dict.set_item(name, value)?;
                }
            }
        }
        let dict = dict.unbind();
        self.path_params = Some(dict.clone_ref(py));
        Ok(dict)
    }

    #[getter]
    fn cookies(&mut self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        if let Some(cookies) = &self.cookies {
            return Ok(cookies.clone_ref(py));
        }
        let dict = cookies_of(py, &self.head)?.unbind();
        self.cookies = Some(dict.clone_ref(py));
        Ok(dict)
    }

    #[getter]
    fn client(&self) -> Option<(String, u16)> {
        self.head
            .origin
            .remote
            .map(|address| (address.ip().to_string(), address.port()))
    }

    #[getter]
    fn scheme(&self) -> &str {
        self.head.origin.scheme()
    }

    #[getter]
    fn host(&self) -> String {
        match self.head.host() {
            Some(host) => host.to_owned(),
            None => self
                .head
                .origin
                .local
                .map_or_else(|| "localhost".to_owned(), |address| address.to_string()),
        }
    }

    #[getter]
    fn url(&self) -> String {
        let target = self
            .head
            .parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let root = self.root_path();
        format!("{}://{}{root}{target}", self.scheme(), self.host())
    }

    #[getter]
    fn base_url(&self) -> String {
        let root = self.root_path();
        format!("{}://{}{root}/", self.scheme(), self.host())
    }

    #[getter]
    fn root_path(&self) -> &str {
        self.head.origin.root_path.as_deref().unwrap_or("")
    }

    #[getter]
    fn http_version(&self) -> &str {
        match self.head.parts.version {
            http::Version::HTTP_10 => "1.0",
            http::Version::HTTP_2 => "2",
            _ => "1.1",
        }
    }

    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.head.id.as_ref().map(RequestId::as_str)
    }

    #[getter]
    fn auth(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(auth) = &self.auth {
            return Ok(auth.clone_ref(py));
        }
        let auth = identity::auth(py, &self.head)?.into_any().unbind();
        if identity::is_known(&self.head) {
            // Before the credentials are checked there is nothing yet; later there may be.
            self.auth = Some(auth.clone_ref(py));
        }
        Ok(auth)
    }

    #[setter]
    fn set_auth(&mut self, value: Py<PyAny>) {
        self.auth = Some(value);
    }

    #[getter]
    fn user(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.user {
            Some(user) => Ok(user.clone_ref(py)),
            None => identity::user(py, &self.head).map(Bound::unbind),
        }
    }

    #[setter]
    fn set_user(&mut self, value: Py<PyAny>) {
        self.user = Some(value);
    }

    #[getter]
    fn content_type(&self) -> Option<&str> {
        self.head.header(header::CONTENT_TYPE)
    }

    #[getter]
    fn content_length(&self) -> Option<u64> {
        self.head
            .header(header::CONTENT_LENGTH)
            .and_then(|text| text.parse().ok())
    }

    #[getter]
    fn route(&self, py: Python<'_>) -> Py<PyAny> {
        self.names
            .as_ref()
            .map_or_else(|| py.None(), |names| names.route.clone_ref(py))
    }

    #[getter]
    fn app(&self, py: Python<'_>) -> Py<PyAny> {
        self.names
            .as_ref()
            .map_or_else(|| py.None(), |names| names.app.clone_ref(py))
    }

    #[getter]
    fn state(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Some(state) = &self.state {
            return Ok(state.clone_ref(py));
        }
        let state = py
            .import(intern!(py, "spikard.datastructures"))?
            .getattr(intern!(py, "State"))?
            .call0()?;
        if let Some(parent) = TraceParent::of(&self.head.parts.headers) {
            state.set_item(intern!(py, "traceparent"), parent.text)?;
            state.set_item(intern!(py, "trace_id"), parent.trace_id)?;
            state.set_item(intern!(py, "parent_span_id"), parent.span_id)?;
        }
        let state = state.unbind();
        self.state = Some(state.clone_ref(py));
        Ok(state)
    }

    #[setter]
    fn set_state(&mut self, value: Py<PyAny>) {
        self.state = Some(value);
    }

    fn body<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(coming) = intake::whole(slf, "body")? {
            return Ok(coming);
        }
        awaitable(
            slf.py(),
            PyBytes::new(slf.py(), &slf.borrow().body).into_any(),
        )
    }

    fn json<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(coming) = intake::whole(slf, "json")? {
            return Ok(coming);
        }
        let py = slf.py();
        let body = PyBytes::new(py, &slf.borrow().body);
        let value = py
            .import(intern!(py, "msgspec.json"))?
            .getattr(intern!(py, "decode"))?
            .call1((body,))?;
        awaitable(py, value)
    }

    fn text<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(coming) = intake::whole(slf, "text")? {
            return Ok(coming);
        }
        let request = slf.borrow();
        let text = std::str::from_utf8(&request.body)
            .map_err(|error| PyValueError::new_err(format!("the body is not UTF-8: {error}")))?;
        awaitable(slf.py(), PyString::new(slf.py(), text).into_any())
    }

    /// The fields of a form, with files; works plainly and with `await`.
    fn form<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        intake::form(slf)
    }

    /// The body as it comes.
    fn stream<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        intake::stream(slf)
    }

    /// The parts of a form as they come.
    fn stream_parts<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        intake::stream_parts(slf)
    }

    fn _keep(&mut self, body: &Bound<'_, PyBytes>) {
        self.body = Bytes::copy_from_slice(body.as_bytes());
        self.reader = None;
    }

    fn _keep_form(&mut self, form: Py<PyAny>) {
        self.form = Some(form);
    }

    /// A block that is cancelled when the client goes, as every handler is.
    #[allow(clippy::unused_self)]
    fn cancel_on_disconnect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import(intern!(py, "contextlib"))?
            .getattr(intern!(py, "nullcontext"))?
            .call0()
    }

    #[allow(clippy::unused_self)] // a handler whose client is gone is cancelled, so one that runs has a client
    fn is_disconnected(&self) -> bool {
        false
    }

    #[pyo3(signature = (name, /, **path_params))]
    fn url_for<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        path_params: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.app(py)
            .bind(py)
            .call_method(intern!(py, "url_for"), (name,), path_params)
    }

    #[pyo3(signature = (*types))]
    fn accepts(&self, types: Vec<String>) -> Option<String> {
        let accept = self.head.header(header::ACCEPT).unwrap_or("*/*");
        let offers: Vec<&str> = types.iter().map(String::as_str).collect();
        media_type::best_match(accept, &offers).map(str::to_owned)
    }

    fn __repr__(&self) -> String {
        format!("<Request {} {}>", self.head.parts.method, self.head.path())
    }
}
