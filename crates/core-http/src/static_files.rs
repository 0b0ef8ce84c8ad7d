//! A directory as a part of the site.

mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};

use self::place::{Place, Wish};
use crate::accept_encoding::{self, AcceptEncoding};
use crate::body::Body;
use crate::file::{FileAnswer, FileFault, Prepared, Terms};
use crate::file_type;
use crate::handler::{Handler, Observer, Reply};
use crate::problem::Problem;
use crate::request::Request;
use crate::request_id::RequestId;
use crate::response::Response;
use crate::vary;

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// A directory and how it is served.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Absolute, without links.
    root: PathBuf,
    pub rules: Rules,
}

/// What of a directory is served, and how.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// A directory is answered with its `index.html`.
    pub index_file: bool,
    /// A path that leads nowhere is answered with the `index.html` of the root.
    pub html: bool,
    /// Links may lead out of the directory.
    pub follow_symlinks: bool,
    /// Files with `.zst`, `.br` or `.gz` behind their names stand in for those without.
    pub precompressed: bool,
    /// Names that start with a dot are served.
    pub dotfiles: bool,
    pub cache_control: Option<HeaderValue>,
}

impl Directory {
    /// Looks the directory up; it has to be there.
    pub fn open(path: &Path, rules: Rules) -> io::Result<Self> {
        let root = path.canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root, rules })
    }

    /// Everything that has to wait for the disk.
    fn prepare(
        &self,
        wish: &Wish,
        terms: Terms,
        accept: Option<HeaderValue>,
    ) -> Result<Found, FileFault> {
        let (file, status) = match place::find(&self.root, &self.rules, wish)? {
            Place::Slash => return Ok(Found::Slash),
            Place::File(file) => (file, StatusCode::OK),
        };
        let mut headers = HeaderMap::with_capacity(10);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(file_type::of(&file)),
        );
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        if let Some(cache_control) = &self.rules.cache_control {
            headers.insert(header::CACHE_CONTROL, cache_control.clone());
        }
        let mut path = file;
        if self.rules.precompressed {
            let siblings = place::siblings(&self.root, &self.rules, &path);
            if !siblings.is_empty() {
                vary::add(&mut headers, "Accept-Encoding");
            }
            let offered: Vec<_> = siblings.iter().map(|(coding, _)| *coding).collect();
            let chosen = accept
                .as_ref()
                .and_then(|value| value.to_str().ok())
                .and_then(|text| AcceptEncoding::parse(text).choose(&offered));
            if let Some((coding, sibling)) = siblings
                .into_iter()
                .find(|(coding, _)| Some(*coding) == chosen)
            {
                let token = HeaderValue::from_static(coding.token());
                headers.insert(header::CONTENT_ENCODING, token);
                path = sibling;
            }
        }
        FileAnswer {
            path,
            status,
            headers,
            terms,
        }
        .prepare()
        .map(Found::File)
    }
}

/// What a path came to.
enum Found {
    File(Prepared),
    /// The path of a directory lacks its slash.
    Slash,
}

/// Answers for everything below a path.
pub struct StaticFiles {
    /// Without the slash at its end.
    prefix: String,
    directory: Arc<Directory>,
    problem_base_url: Rc<str>,
    observer: Rc<dyn Observer>,
}

impl std::fmt::Debug for StaticFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticFiles")
            .field("prefix", &self.prefix)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl StaticFiles {
    pub fn new(
        prefix: &str,
        directory: Directory,
        problem_base_url: &str,
        observer: Rc<dyn Observer>,
    ) -> Self {
        Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            directory: Arc::new(directory),
            problem_base_url: problem_base_url.into(),
            observer,
        }
    }

    fn other_method(&self, request: &Request) -> Response {
        let method = &request.head.parts.method;
        let mut response = if *method == Method::OPTIONS {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        } else {
            self.problem(request, Problem::method_not_allowed(method.as_str()))
        };
        response.headers_mut().insert(header::ALLOW, ALLOW);
        response
    }

    fn problem(&self, request: &Request, problem: Problem) -> Response {
        problem.into_response(
            &self.problem_base_url,
            request.head.id.as_ref().map(RequestId::as_str),
        )
    }
}

impl Handler for StaticFiles {
    fn call(&self, request: Box<Request>) -> Reply {
        if !matches!(request.head.parts.method, Method::GET | Method::HEAD) {
            return Reply::Ready(self.other_method(&request));
        }
        let rest = request
            .head
            .path()
            .strip_prefix(self.prefix.as_str())
            .unwrap_or("");
        let Some(wish) = Wish::read(rest, self.directory.rules.dotfiles) else {
            return Reply::Ready(self.problem(&request, missing(&request)));
        };
        let directory = Arc::clone(&self.directory);
        let (base_url, observer) = (Rc::clone(&self.problem_base_url), Rc::clone(&self.observer));
        Reply::Later(Box::pin(async move {
            let parts = &request.head.parts;
            let terms = Terms::of(&parts.method, &parts.headers);
            let accept = accept_encoding::joined(&parts.headers);
            let work = move || directory.prepare(&wish, terms, accept);
            let found = tokio::task::spawn_blocking(work).await;
            let fault = match found {
                Ok(Ok(Found::File(prepared))) => return prepared.into_response(),
                Ok(Ok(Found::Slash)) => return to_slash(&request),
                Ok(Err(fault)) => fault,
                Err(error) => FileFault::Unreadable(io::Error::other(error)),
            };
            let id = request.head.id.as_ref().map(RequestId::as_str);
            match fault {
                FileFault::Missing => missing(&request).into_response(&base_url, id),
                FileFault::Unreadable(error) => {
                    let path = request.head.path();
                    let told = format!("{path} cannot be read: {error}");
                    observer.failed(
                        request.head.id.as_ref(),
                        &io::Error::new(error.kind(), told),
                    );
                    FileFault::Unreadable(error).into_response(&base_url, id)
                }
                fault => fault.into_response(&base_url, id),
            }
        }))
    }
}

fn missing(request: &Request) -> Problem {
    Problem::not_found(request.head.parts.method.as_str(), request.head.path())
}

/// To the same path with a slash behind it. It has no empty segment, so it leads to no other host.
fn to_slash(request: &Request) -> Response {
    let mut target = format!("{}/", request.head.path());
    if let Some(query) = request.head.parts.uri.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(location) = HeaderValue::try_from(target) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
