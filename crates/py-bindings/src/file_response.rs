//! `FileResponse`: a file as an answer; it is opened and sent without Python.

use std::path::{Path, PathBuf};

use core_http::file::{FileAnswer, FileFault, Terms};
use core_http::request::Head;
use core_http::request_id::RequestId;
use core_http::{disposition, file_type};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderValue};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::gateway::Gateway;
use crate::response::Response;

#[pyclass(
    name = "FileResponse",
    module = "spikard._spikard",
    extends = Response,
    subclass
)]
#[derive(Debug)]
pub(crate) struct FileResponse {
    #[pyo3(get)]
    pub(crate) path: PathBuf,
}

#[pymethods]
impl FileResponse {
    #[new]
    #[pyo3(signature = (path, *, filename=None, media_type=None, headers=None, inline=false, background=None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        filename: Option<&str>,
        media_type: Option<String>,
        headers: Option<&Bound<'_, PyAny>>,
        inline: bool,
        background: Option<Py<PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let response = Response::new(py, None, 200, headers, media_type, background)?;
        {
            let mut headers = response.headers.borrow_mut(py);
            if !headers.map.contains_key(CONTENT_TYPE) {
                let named = filename.map_or(path.as_path(), Path::new);
                let media_type = HeaderValue::from_static(file_type::of(named));
                headers.map.insert(CONTENT_TYPE, media_type);
            }
            if (filename.is_some() || inline) && !headers.map.contains_key(CONTENT_DISPOSITION) {
                let disposition = disposition::of_file(filename, inline);
                headers.map.insert(CONTENT_DISPOSITION, disposition);
            }
        }
        Ok(PyClassInitializer::from(response).add_subclass(Self { path }))
    }
}

/// The path of a `pathlib.Path`.
pub(crate) fn path_of(value: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(value.py(), "pathlib", "Path")?;
    if value.is_instance(class)? {
        value.extract().map(Some)
    } else {
        Ok(None)
    }
}

/// A file on its way to the thread that sends it, with what its request demands.
#[derive(Debug)]
pub(crate) struct FileContent {
    path: PathBuf,
    terms: Terms,
    id: Option<RequestId>,
}

impl From<PathBuf> for FileContent {
    fn from(path: PathBuf) -> Self {
        Self {
            path,
            terms: Terms::default(),
            id: None,
        }
    }
}

impl FileContent {
    /// As the object that hooks see.
    pub(crate) fn into_python(
        self,
        py: Python<'_>,
        response: Response,
    ) -> PyResult<Bound<'_, PyAny>> {
        let file = FileResponse { path: self.path };
        let initializer = PyClassInitializer::from(response).add_subclass(file);
        Ok(Bound::new(py, initializer)?.into_any())
    }

    /// Keeps what decides how the file is sent.
    pub(crate) fn note(&mut self, head: &Head) {
        self.terms = Terms::of(&head.parts.method, &head.parts.headers);
        self.id.clone_from(&head.id);
    }

    /// The answer, or the refusal of it.
    pub(crate) async fn answer(
        self,
        status: StatusCode,
        headers: HeaderMap,
        gateway: Gateway,
    ) -> core_http::Response {
        let shown = self.path.display().to_string();
        let file = FileAnswer {
            path: self.path,
            status,
            headers,
            terms: self.terms,
        };
        let fault = match file.answer().await {
            Ok(response) => return response,
            Err(fault) => fault,
        };
        let id = self.id.as_ref().map(RequestId::as_str);
        if let FileFault::Unreadable(error) = &fault {
            let message = format!("the file {shown} cannot be sent: {error}");
            Python::attach(|py| gateway.trouble().log(py, &message, id));
        }
        fault.into_response(&gateway.trouble().base_url, id)
    }
}
