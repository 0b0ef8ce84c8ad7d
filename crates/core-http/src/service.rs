//! One request's way from the parsed head to the finished answer.

use std::any::Any;
use std::cell::Cell;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http::header::{self, HeaderValue};
use http::{Method, StatusCode, Version};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use crate::access_log::{AccessLog, Entry};
use crate::body::{self, Body};
use crate::counters::Counters;
use crate::error::BodyError;
use crate::handler::{BodyPolicy, Handler, Observer, Reply};
use crate::problem::Problem;
use crate::request::{Head, Origin, Request};
use crate::request_id::RequestId;
use crate::response::Response;
use crate::router::{self, Match, Params, Router};
use crate::settings::Settings;
use crate::wire::{Activity, Refusals};

/// How much of an unwanted body is read to keep the connection usable.
const DISCARD_LIMIT: u64 = 64 * 1024;

/// A route's target with what is particular to it. `None` in the outer option inherits the server's setting.
pub struct Endpoint {
    pub handler: Box<dyn Handler>,
    pub max_body_size: Option<Option<u64>>,
    pub request_timeout: Option<Option<Duration>>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("max_body_size", &self.max_body_size)
            .finish_non_exhaustive()
    }
}

/// Routes, settings and counters of one server.
pub struct Service {
    pub router: Router<Rc<Endpoint>>,
    pub settings: Settings,
    pub observer: Box<dyn Observer>,
    pub(crate) access_log: Option<AccessLog>,
    pub counters: Arc<Counters>,
    pub(crate) draining: Cell<bool>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Service {
    pub fn new(
        router: Router<Rc<Endpoint>>,
        settings: Settings,
        observer: Box<dyn Observer>,
    ) -> Self {
        let access_log = settings.access_log.map(AccessLog::new);
        Self {
            router,
            settings,
            observer,
            access_log,
            counters: Arc::default(),
            draining: Cell::new(false),
        }
    }

    /// Answers one request of a connection.
    ///
    /// Not an `async fn`: hyper moves the future of every request, and one that can hold a whole exchange is large.
    /// What can be answered at once is; the rest goes into a box.
    pub(crate) fn answer(
        self: &Rc<Self>,
        request: http::Request<Incoming>,
        origin: Arc<Origin>,
        activity: Rc<Activity>,
    ) -> Answering {
        let is_ambiguous = activity.ambiguous.take();
        let running = Running::new(activity);
        self.counters.count_request();
        let (parts, incoming) = request.into_parts();
        let id = self.settings.request_id_header.as_ref().map(|name| {
            RequestId::accept_or_new(parts.headers.get(name).map(HeaderValue::as_bytes))
        });
        let exchange = Exchange {
            running,
            id: id.as_ref().map(RequestId::to_header_value),
            version: parts.version,
            logged: self
                .access_log
                .as_ref()
                .map(|log| log.begin(&parts, &origin)),
        };
        let head = Head {
            parts,
            origin,
            params: Params::default(),
            id,
        };
        match self.begin(head, incoming, is_ambiguous) {
            Reply::Ready(response) => Answering::Ready(Some(self.finish(response, exchange))),
            Reply::Later(future) => {
                let service = Rc::clone(self);
                Answering::Later(Box::pin(async move {
                    let response = future.await;
                    service.finish(response, exchange)
                }))
            }
        }
    }

    fn begin(self: &Rc<Self>, mut head: Head, incoming: Incoming, is_ambiguous: bool) -> Reply {
        if let Some(refusal) = self.check_head(&head, is_ambiguous) {
            return self.revise(head, refusal);
        }
        let found = self.router.find(&head.parts.method, head.parts.uri.path());
        let Match::Found { value, params, .. } = found else {
            let response = self.miss(&head, &found);
            return self.revise(head, response);
        };
        let endpoint = Rc::clone(value);
        head.params = params;
        let limit = endpoint
            .max_body_size
            .unwrap_or(self.settings.max_body_size);
        if let (Some(limit), Some(length)) = (limit, incoming.size_hint().exact())
            && length > limit
        {
            let mut response = self.problem(&head, Problem::payload_too_large(limit));
            close_after(&mut response);
            return self.revise(head, response);
        }
        let policy = match endpoint.handler.admit(&head) {
            Ok(policy) => policy,
            Err(refusal) => return self.revise(head, *refusal),
        };
        if incoming.is_end_stream() {
            return self.call(&endpoint, head, Bytes::new());
        }
        let service = Rc::clone(self);
        Reply::Later(Box::pin(async move {
            let reply = match service.read_body(limit, policy, incoming).await {
                Ok(body) => service.call(&endpoint, head, body),
                Err(problem) => {
                    let mut response = service.problem(&head, problem);
                    close_after(&mut response);
                    service.revise(head, response)
                }
            };
            match reply {
                Reply::Ready(response) => response,
                Reply::Later(future) => future.await,
            }
        }))
    }

    fn call(self: &Rc<Self>, endpoint: &Endpoint, head: Head, body: Bytes) -> Reply {
        let timeout = endpoint
            .request_timeout
            .unwrap_or(self.settings.request_timeout);
        let id = head.id.clone();
        let request = Box::new(Request { head, body });
        match catch_unwind(AssertUnwindSafe(|| endpoint.handler.call(request))) {
            Ok(Reply::Later(future)) => {
                Reply::Later(Box::pin(Rc::clone(self).wait(future, timeout, id)))
            }
            Ok(ready) => ready,
            Err(panic) => Reply::Ready(self.panicked(panic.as_ref(), id.as_ref())),
        }
    }

    async fn wait(
        self: Rc<Self>,
        future: LocalBoxFuture<'static, Response>,
        timeout: Option<Duration>,
        id: Option<RequestId>,
    ) -> Response {
        let guarded = AssertUnwindSafe(future).catch_unwind();
        let outcome = match timeout {
            None => guarded.await,
            Some(limit) => match tokio::time::timeout(limit, guarded).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let problem = Problem::request_timeout(limit.as_secs_f64());
                    return self.render(problem, id.as_ref());
                }
            },
        };
        outcome.unwrap_or_else(|panic| self.panicked(panic.as_ref(), id.as_ref()))
    }

    fn panicked(&self, panic: &(dyn Any + Send), id: Option<&RequestId>) -> Response {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        self.observer.panicked(id.map(RequestId::as_str), &message);
        self.render(Problem::internal_server_error(), id)
    }

    /// Refusals that need only the head.
    fn check_head(&self, head: &Head, is_ambiguous: bool) -> Option<Response> {
        let settings = &self.settings;
        let uri = &head.parts.uri;
        let length = uri
            .path_and_query()
            .map_or(0, |target| target.as_str().len());
        if length > settings.max_uri_length {
            let mut response = self.problem(head, Problem::uri_too_long(settings.max_uri_length));
            close_after(&mut response);
            return Some(response);
        }
        if let Err(error) = router::check_path(uri.path()) {
            return Some(self.problem(
                head,
                Problem::invalid_encoding(&format!("the path: {error}")),
            ));
        }
        if head.parts.headers.contains_key(header::EXPECT)
            && !head
                .header(header::EXPECT)
                .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            return Some(self.problem(head, Problem::expectation_failed()));
        }
        let hosts = head.parts.headers.get_all(header::HOST).iter().count();
        let fault = match hosts {
            _ if is_ambiguous => "Content-Length and Transfer-Encoding exclude each other",
            0 if head.parts.version == Version::HTTP_11 => "The Host header is missing",
            0 | 1 => "",
            _ => "There is more than one Host header",
        };
        if !fault.is_empty() {
            let mut response = self.problem(head, Problem::bad_request(fault));
            close_after(&mut response);
            return Some(response);
        }
        if !settings.allowed_hosts.is_empty() && !self.host_allowed(head) {
            return Some(self.problem(
                head,
                Problem::invalid_host(head.header(header::HOST).unwrap_or("")),
            ));
        }
        None
    }

    fn host_allowed(&self, head: &Head) -> bool {
        let host = head
            .header(header::HOST)
            .or_else(|| head.parts.uri.host())
            .unwrap_or("");
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inner, _)) => inner,
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        self.settings
            .allowed_hosts
            .iter()
            .any(|allowed| match allowed.strip_prefix("*.") {
                Some(domain) => name.len().checked_sub(domain.len() + 1).is_some_and(|dot| {
                    name.as_bytes()[dot] == b'.'
                        && name.as_bytes()[dot + 1..].eq_ignore_ascii_case(domain.as_bytes())
                }),
                None => allowed == "*" || allowed.eq_ignore_ascii_case(name),
            })
    }

    /// The answer when no handler matches.
    fn miss(&self, head: &Head, found: &Match<'_, Rc<Endpoint>>) -> Response {
        let (method, path) = (&head.parts.method, head.path());
        match found {
            Match::Options { allow } => {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(header::ALLOW, allow.clone());
                response
            }
            Match::MethodNotAllowed { allow } => {
                let mut response = self.problem(head, Problem::method_not_allowed(method.as_str()));
                response.headers_mut().insert(header::ALLOW, allow.clone());
                response
            }
            Match::NotFound if self.settings.health_path.as_deref() == Some(path) => {
                Response::new(Body::Empty)
            }
            Match::NotFound
                if self.settings.redirect_slashes && self.router.alternate_slash(method, path) =>
            {
                self.redirect_slash(head)
            }
            Match::NotFound | Match::Found { .. } => {
                self.problem(head, Problem::not_found(method.as_str(), path))
            }
        }
    }

    fn redirect_slash(&self, head: &Head) -> Response {
        let path = head.path();
        let mut target = match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        if let Some(query) = head.parts.uri.query() {
            target.push('?');
            target.push_str(query);
        }
        let Ok(location) = HeaderValue::from_str(&target) else {
            return self.problem(head, Problem::not_found(head.parts.method.as_str(), path));
        };
        let mut response = Response::default();
        *response.status_mut() = match head.parts.method {
            Method::GET | Method::HEAD => StatusCode::TEMPORARY_REDIRECT,
            _ => StatusCode::PERMANENT_REDIRECT,
        };
        response.headers_mut().insert(header::LOCATION, location);
        response
    }

    async fn read_body(
        &self,
        limit: Option<u64>,
        policy: BodyPolicy,
        incoming: Incoming,
    ) -> Result<Bytes, Problem> {
        let idle = self.settings.body_read_timeout;
        let result = match policy {
            BodyPolicy::Buffer => body::collect(incoming, limit, idle).await,
            BodyPolicy::Discard => body::discard(incoming, DISCARD_LIMIT, idle)
                .await
                .map(|_| Bytes::new()),
        };
        result.map_err(|error| match error {
            BodyError::TooLarge { limit } => Problem::payload_too_large(limit),
            BodyError::Idle { seconds } => Problem::request_timeout(seconds),
            BodyError::Broken(_) | BodyError::Producer(_) => {
                Problem::bad_request("The request body ended early or was malformed")
            }
        })
    }

    fn revise(&self, head: Head, response: Response) -> Reply {
        if !self.observer.wants(response.status()) {
            return Reply::Ready(response);
        }
        let body = Bytes::new();
        self.observer
            .revise(Box::new(Request { head, body }), response)
    }

    /// A problem as the answer to this request.
    pub fn problem(&self, head: &Head, problem: Problem) -> Response {
        self.render(problem, head.id.as_ref())
    }

    fn render(&self, problem: Problem, id: Option<&RequestId>) -> Response {
        problem.into_response(&self.settings.problem_base_url, id.map(RequestId::as_str))
    }

    /// Adds what every answer carries.
    fn finish(&self, mut response: Response, exchange: Exchange) -> Response {
        let headers = response.headers_mut();
        if let (Some(name), Some(id)) = (&self.settings.request_id_header, exchange.id)
            && !headers.contains_key(name)
        {
            headers.insert(name.clone(), id);
        }
        if let Some(server) = &self.settings.server_header
            && !headers.contains_key(header::SERVER)
        {
            headers.insert(header::SERVER, server.clone());
        }
        if self.draining.get() && exchange.version < Version::HTTP_2 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let (Some(log), Some(entry)) = (&self.access_log, exchange.logged) {
            log.end(&entry, &response);
        }
        exchange.running.hold_while_streaming(response)
    }
}

/// An answer on its way, as hyper wants it.
pub(crate) enum Answering {
    Ready(Option<Response>),
    Later(LocalBoxFuture<'static, Response>),
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // hyper polls no future again that was ready.
            Self::Ready(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Self::Later(future) => future.as_mut().poll(cx).map(Ok),
        }
    }
}

/// What is kept of a request for its answer's last touches.
struct Exchange {
    running: Running,
    id: Option<HeaderValue>,
    version: Version,
    logged: Option<Entry>,
}

impl Refusals for Service {
    fn refusal(&self, status: u16) -> Option<Bytes> {
        let problem = match status {
            400 => Problem::bad_request("The request could not be parsed as HTTP"),
            414 => Problem::uri_too_long(self.settings.max_uri_length),
            431 => Problem::headers_too_large(self.settings.max_header_size),
            408 => Problem::request_timeout(self.settings.header_read_timeout.as_secs_f64()),
            _ => return None,
        };
        let id = self
            .settings
            .request_id_header
            .as_ref()
            .map(|_| RequestId::accept_or_new(None));
        let response = self.render(problem, id.as_ref());
        let status = response.status();
        let Body::Full(body) = response.into_body() else {
            return None;
        };
        let id = match (&self.settings.request_id_header, &id) {
            (Some(name), Some(id)) => format!("{}: {}\r\n", name.as_str(), id.as_str()),
            _ => String::new(),
        };
        let reason = status.canonical_reason().unwrap_or("");
        let mut text = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n{id}connection: close\r\ndate: {}\r\n\r\n",
            status.as_u16(),
            body.len(),
            httpdate::fmt_http_date(std::time::SystemTime::now()),
        )
        .into_bytes();
        text.extend_from_slice(&body);
        Some(text.into())
    }
}

fn close_after(response: &mut Response) {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// Marks a request as under way until its answer, streams included, has been produced.
#[derive(Debug)]
struct Running {
    activity: Rc<Activity>,
}

impl Running {
    fn new(activity: Rc<Activity>) -> Self {
        activity.active.set(activity.active.get() + 1);
        activity.in_head.set(false);
        Self { activity }
    }

    fn hold_while_streaming(self, response: Response) -> Response {
        self.activity.unflushed.set(true);
        if !matches!(response.body(), Body::Stream(_)) {
            return response;
        }
        response.map(|body| match body {
            Body::Stream(inner) => Body::Stream(Box::pin(Held {
                inner,
                running: self,
            })),
            other => other,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.activity.active.set(self.activity.active.get() - 1);
    }
}

/// A streamed body that keeps its request marked as under way.
struct Held {
    inner: body::FrameStream,
    running: Running,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = self.inner.as_mut().poll_frame(cx);
        self.running.activity.unflushed.set(true);
        frame
    }
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
