//! One request's way from the parsed head to the finished answer.

mod answering;
mod coded_body;
mod crossing;
mod finishing;
mod head_check;
mod line;
mod miss;
mod notes;
mod passage;
mod reading;
mod refusals;
mod route_marks;
mod running;
mod within;

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http::StatusCode;
use http::header::{self, HeaderValue};
use http_body::Body as HttpBody;
use hyper::body::Incoming;

use crate::access_log::{AccessLog, LineSink};
use crate::compression::Compression;
use crate::cors::Cors;
use crate::counters::Counters;
use crate::gate::Gate;
use crate::handler::{BodyPolicy, Handler, Observer, Reply};
use crate::inbound::Inbound;
use crate::metrics::{Metrics, Place};
use crate::problem::Problem;
use crate::request::{Head, Origin, Request};
use crate::request_id::RequestId;
use crate::response::Response;
use crate::router::{Match, Params, Router};
use crate::settings::Settings;
use crate::tls::Tls;
use crate::trail::Trail;
use crate::websocket::is_upgrade;
use crate::wire::Activity;

pub(crate) use answering::Answering;
use finishing::Exchange;
use notes::Notes;
use passage::Stage;
use route_marks::RouteMarks;
pub(crate) use running::Running;
use within::Led;

/// A route's target with what is particular to it. `None` in the outer option inherits the server's setting.
pub struct Endpoint {
    pub handler: Box<dyn Handler>,
    pub max_body_size: Option<Option<u64>>,
    pub request_timeout: Option<Option<Duration>>,
    /// What a request passes before its body is read, in this order.
    pub gates: Vec<Rc<dyn Gate>>,
    pub compression: Option<Option<Arc<Compression>>>,
    /// The `Cache-Control` of successful answers that say nothing about it, and of those that nothing has changed.
    pub cache_control: Option<HeaderValue>,
}

impl Endpoint {
    /// An endpoint like its server.
    pub fn new(handler: Box<dyn Handler>) -> Self {
        Self {
            handler,
            max_body_size: None,
            request_timeout: None,
            gates: Vec::new(),
            compression: None,
            cache_control: None,
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("max_body_size", &self.max_body_size)
            .finish_non_exhaustive()
    }
}

/// Everything below a path that no route matches: a directory, another application.
#[derive(Debug)]
pub struct Mount {
    /// Without the slash at its end.
    pub prefix: String,
    pub endpoint: Rc<Endpoint>,
    /// What takes the WebSockets below it, if anything does.
    pub socket: Option<Rc<Endpoint>>,
}

impl Mount {
    fn holds(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn endpoint_for(&self, head: &Head) -> &Rc<Endpoint> {
        match &self.socket {
            Some(socket) if is_upgrade(head) => socket,
            _ => &self.endpoint,
        }
    }
}

/// Routes, settings and counters of one server.
pub struct Service {
    pub router: Router<Rc<Endpoint>>,
    /// The longest prefix first.
    pub mounts: Vec<Mount>,
    /// Stands before all that follows the checks of the head, and may lead requests on to it: see `exchange`.
    pub front: Option<Rc<Endpoint>>,
    /// What every request passes before its route is looked for, in this order.
    pub entry: Vec<Rc<dyn Gate>>,
    /// Whether there are any gates, here or at an endpoint: without them no request gets a trail.
    pub is_guarded: bool,
    /// What scripts of other sites may do; nothing is looked at without it.
    pub cors: Option<Cors>,
    /// Whether any answer may be compressed: without that nobody looks at what clients accept.
    pub compresses: bool,
    pub settings: Settings,
    /// Encrypts what comes by TCP.
    pub tls: Option<Tls>,
    pub observer: Box<dyn Observer>,
    pub(crate) access_log: Option<AccessLog>,
    pub counters: Arc<Counters>,
    /// Figures by route; nothing is counted without it.
    pub metrics: Option<Rc<Metrics>>,
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
            mounts: Vec::new(),
            front: None,
            entry: Vec::new(),
            is_guarded: false,
            cors: None,
            compresses: settings.compression.is_some(),
            settings,
            tls: None,
            observer,
            access_log,
            counters: Arc::default(),
            metrics: None,
            draining: Cell::new(false),
        }
    }

    /// Gives the lines of the access log to `sink`, if there is such a log.
    pub fn send_access_log(&mut self, sink: LineSink) {
        if let Some(log) = &mut self.access_log {
            log.sink = Some(sink);
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
        let (parts, incoming) = request.into_parts();
        let mut notes = Notes::of(self, &parts.headers);
        notes.is_ambiguous = activity.ambiguous.take();
        let origin = match &self.settings.trusted_proxies {
            Some(proxies) => proxies.seen_through(&parts.headers, origin),
            None => origin,
        };
        let head = Head {
            parts,
            origin,
            params: Params::default(),
            id: self.id_for(&mut notes),
        };
        // In its box from the start: a head is large, and it passes through many hands.
        let request = Box::new(Request::new(head, Bytes::new()));
        let mut exchange = Exchange::begin(self, &request.head, &mut notes, activity, false);
        let reply = self.reply(request, incoming.into(), &mut exchange, &notes);
        match reply {
            Reply::Ready(response) => match self.finish(response, exchange) {
                Reply::Ready(response) => Answering::Ready(Some(response)),
                Reply::Later(future) => Answering::Later(future),
            },
            Reply::Later(future) => {
                let service = Rc::clone(self);
                Answering::Later(Box::pin(async move {
                    let response = future.await;
                    match service.finish(response, exchange) {
                        Reply::Ready(response) => response,
                        Reply::Later(future) => future.await,
                    }
                }))
            }
        }
    }

    /// What a request is called: as its client says, or anew.
    fn id_for(&self, notes: &mut Notes) -> Option<RequestId> {
        let fresh = || RequestId::accept_or_new(None, self.settings.fresh_ids);
        self.settings
            .request_id_header
            .as_ref()
            .map(|_| notes.id.take().unwrap_or_else(fresh))
    }

    /// Checks the head, then lets the front answer or whoever is behind it.
    fn reply(
        self: &Rc<Self>,
        mut request: Box<Request>,
        body: Inbound,
        exchange: &mut Exchange,
        notes: &Notes,
    ) -> Reply {
        if let Some(refusal) = self.check_head(&request.head, notes) {
            return self.revise(request, refusal);
        }
        match &self.front {
            Some(front) if !exchange.is_led_on && !self.is_for_socket(&request.head) => {
                exchange.led = Some(Led::through(&mut request.head));
                self.admit(front, None, request, body)
            }
            _ => self.begin(request, body, exchange.trail.as_ref()),
        }
    }

    fn needs_trail(&self) -> bool {
        self.is_guarded || self.metrics.is_some() || self.access_log.is_some()
    }

    fn begin(
        self: &Rc<Self>,
        request: Box<Request>,
        incoming: Inbound,
        trail: Option<&Rc<Trail>>,
    ) -> Reply {
        match trail {
            Some(trail) if !self.entry.is_empty() => {
                let (service, kept) = (Rc::clone(self), Rc::clone(trail));
                self.pass(Stage::Entry, request, trail, move |request| {
                    service.route(request, incoming, Some(&kept))
                })
            }
            _ => self.route(request, incoming, trail),
        }
    }

    /// Whether the request is to become something else than HTTP, and has a route that does it.
    fn is_for_socket(&self, head: &Head) -> bool {
        if !head.parts.headers.contains_key(header::UPGRADE) {
            return false;
        }
        match self.router.find(&head.parts.method, head.path()) {
            Match::Found { value, .. } => value.handler.takes_connection(),
            Match::NotFound => self
                .mount_of(head)
                .is_some_and(|index| self.mounts[index].socket.is_some() && is_upgrade(head)),
            _ => false,
        }
    }

    /// What is mounted above a path.
    fn mount_of(&self, head: &Head) -> Option<usize> {
        let path = head.path();
        self.mounts.iter().position(|mount| mount.holds(path))
    }

    /// Finds who answers.
    fn route(
        self: &Rc<Self>,
        mut request: Box<Request>,
        incoming: Inbound,
        trail: Option<&Rc<Trail>>,
    ) -> Reply {
        if let Some(cors) = &self.cors
            && let Some(response) = self.check_crossing(cors, &request.head)
        {
            return self.revise(request, response);
        }
        let head = &request.head;
        let found = self.router.find(&head.parts.method, head.path());
        let (endpoint, place) = match found {
            Match::Found {
                id, value, params, ..
            } => {
                let endpoint = Rc::clone(value);
                request.head.params = params;
                (endpoint, Place::Route(id))
            }
            Match::NotFound if !self.mounts.is_empty() && !self.has_page(head.path()) => {
                match self.mount_of(head) {
                    Some(index) => {
                        let endpoint = self.mounts[index].endpoint_for(head);
                        (Rc::clone(endpoint), Place::Mount(index))
                    }
                    None => return self.missed(request, &found),
                }
            }
            _ => return self.missed(request, &found),
        };
        endpoint.handler.found(&mut request.head);
        if let Some(trail) = trail {
            trail.place.set(place);
        }
        let limit = endpoint
            .max_body_size
            .unwrap_or(self.settings.max_body_size);
        if let (Some(limit), Some(length)) = (limit, incoming.size_hint().exact())
            && length > limit
        {
            let mut response = self.problem(&request.head, Problem::payload_too_large(limit));
            close_after(&mut response);
            reading::linger(incoming);
            return self.revise(request, response);
        }
        match trail {
            Some(trail) if !endpoint.gates.is_empty() => {
                let service = Rc::clone(self);
                let stage = Stage::Endpoint(Rc::clone(&endpoint));
                self.pass(stage, request, trail, move |request| {
                    service.admit(&endpoint, limit, request, incoming)
                })
            }
            _ => self.admit(&endpoint, limit, request, incoming),
        }
    }

    fn missed(self: &Rc<Self>, request: Box<Request>, found: &Match<'_, Rc<Endpoint>>) -> Reply {
        let response = self.miss(&request.head, found);
        self.revise(request, response)
    }

    /// Lets the handler look at the head, reads the body, calls.
    fn admit(
        self: &Rc<Self>,
        endpoint: &Rc<Endpoint>,
        limit: Option<u64>,
        mut request: Box<Request>,
        incoming: Inbound,
    ) -> Reply {
        let policy = match endpoint.handler.admit(&request.head) {
            Ok(policy) => policy,
            Err(refusal) => return self.revise(request, *refusal),
        };
        // A stream may have ended before it is asked for; its reader finds out.
        if incoming.is_end_stream() && policy != BodyPolicy::Stream {
            return self.call(endpoint, request);
        }
        let coding = match self.body_coding(endpoint, &policy, &request.head) {
            Ok(coding) => coding,
            Err(refusal) => return self.revise(request, *refusal),
        };
        let (service, endpoint) = (Rc::clone(self), Rc::clone(endpoint));
        Reply::Later(Box::pin(async move {
            let reply = match service
                .read(limit, policy, coding, &mut request, incoming)
                .await
            {
                Ok(()) => service.call(&endpoint, request),
                Err(problem) => {
                    let mut response = service.problem(&request.head, problem);
                    close_after(&mut response);
                    service.revise(request, response)
                }
            };
            match reply {
                Reply::Ready(response) => response,
                Reply::Later(future) => future.await,
            }
        }))
    }

    fn call(self: &Rc<Self>, endpoint: &Rc<Endpoint>, request: Box<Request>) -> Reply {
        let timeout = endpoint
            .request_timeout
            .unwrap_or(self.settings.request_timeout);
        let seen = Seen {
            id: request.head.id.clone(),
            is_watched: endpoint.handler.is_watched(),
            request: self
                .shows(endpoint)
                .then(|| Box::new(Request::new(request.head.clone(), Bytes::new()))),
        };
        match catch_unwind(AssertUnwindSafe(|| endpoint.handler.call(request))) {
            Ok(Reply::Later(future)) => {
                let marks = RouteMarks::of(endpoint);
                let (service, endpoint) = (Rc::clone(self), Rc::clone(endpoint));
                let waiting = service.wait(endpoint, future, timeout, seen);
                match marks {
                    None => Reply::Later(Box::pin(waiting)),
                    Some(marks) => Reply::Later(Box::pin(async move { marks.put(waiting.await) })),
                }
            }
            Ok(Reply::Ready(response)) => match RouteMarks::of(endpoint) {
                None => self.show(seen, response),
                Some(marks) => self.show(seen, marks.put(response)),
            },
            Err(panic) => {
                let response = self.panicked(panic.as_ref(), seen.id.as_ref());
                self.show(seen.made_by_us(), response)
            }
        }
    }

    /// Whether the observer may want to see what comes of a call of this endpoint's handler.
    fn shows(&self, endpoint: &Endpoint) -> bool {
        if endpoint.handler.is_watched() {
            self.observer.is_watchful()
        } else {
            self.observer.wants(StatusCode::REQUEST_TIMEOUT)
        }
    }

    #[inline]
    fn show(&self, seen: Seen, response: Response) -> Reply {
        match seen.request {
            Some(request) if seen.is_watched => self.revise(request, response),
            _ => Reply::Ready(response),
        }
    }

    async fn wait(
        self: Rc<Self>,
        endpoint: Rc<Endpoint>,
        future: LocalBoxFuture<'static, Response>,
        timeout: Option<Duration>,
        seen: Seen,
    ) -> Response {
        let guarded = AssertUnwindSafe(future).catch_unwind();
        let outcome = match timeout {
            None => guarded.await,
            Some(limit) => match tokio::time::timeout(limit, guarded).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let id = seen.id.as_ref();
                    endpoint.handler.timed_out(id.map(RequestId::as_str));
                    let problem = Problem::request_timeout(limit.as_secs_f64());
                    let response = self.render(problem, id);
                    return self.show(seen.made_by_us(), response).settled().await;
                }
            },
        };
        match outcome {
            Ok(response) => self.show(seen, response).settled().await,
            Err(panic) => {
                let response = self.panicked(panic.as_ref(), seen.id.as_ref());
                self.show(seen.made_by_us(), response).settled().await
            }
        }
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

    fn revise(&self, request: Box<Request>, response: Response) -> Reply {
        if !self.observer.wants(response.status()) {
            return Reply::Ready(response);
        }
        self.observer.revise(request, response)
    }

    /// A problem as the answer to this request.
    pub fn problem(&self, head: &Head, problem: Problem) -> Response {
        self.render(problem, head.id.as_ref())
    }

    fn render(&self, problem: Problem, id: Option<&RequestId>) -> Response {
        problem.into_response(&self.settings.problem_base_url, id.map(RequestId::as_str))
    }
}

/// What is kept of a request while its handler runs.
struct Seen {
    id: Option<RequestId>,
    /// Without its body, and only where the observer may want to see the answer.
    request: Option<Box<Request>>,
    is_watched: bool,
}

impl Seen {
    /// For an answer of the service's own, which nobody has seen.
    fn made_by_us(mut self) -> Self {
        self.is_watched = true;
        self
    }
}

fn close_after(response: &mut Response) {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
}
