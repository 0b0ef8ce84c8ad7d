//! The Python side as `core_http` sees it: handlers of routes, and an observer of errors.

use std::sync::Arc;

use bytes::Bytes;
use core_http::body::Body;
use core_http::handler::{BodyPolicy, Handler, Observer, Reply};
use core_http::multipart::PartRules;
use core_http::problem::Problem;
use core_http::request::{Head, Intake, Request as CoreRequest};
use core_http::request_id::RequestId;
use core_validate::JsonLimits;
use http::StatusCode;
use pyo3::prelude::*;

use crate::body_reader::{BodyReader, Reading};
use crate::call::Outcome;
use crate::callee::{Question, Said, closing};
use crate::check;
use crate::gateway::Gateway;
use crate::hook_gate::Concluded;
use crate::route::{Mode, Route};

/// A route's handler in Python.
#[derive(Debug)]
pub(crate) struct PythonHandler {
    pub(crate) route: Arc<Route>,
    pub(crate) gateway: Gateway,
    pub(crate) limits: JsonLimits,
    pub(crate) parts: Arc<PartRules>,
}

impl PythonHandler {
    fn refuse(&self, request: Box<CoreRequest>, problem: Problem) -> Reply {
        let response = self
            .gateway
            .trouble()
            .problem(problem, request.head.id.as_ref());
        revise(&self.gateway, Some(&self.route), request, response)
    }
}

/// An extension of a head: the route whose hooks see what becomes of the request.
#[derive(Clone)]
struct FoundRoute(Arc<Route>);

#[inline]
pub(crate) fn reply(gateway: &Gateway, said: Said) -> Reply {
    match said {
        Some(Outcome::Answer(answer)) => answer.into_reply(gateway),
        // Faults were turned into answers on the way; silence comes only from status handlers.
        Some(Outcome::Fault(_) | Outcome::Passed(..)) | None => match closing() {
            Outcome::Answer(answer) => answer.into_reply(gateway),
            Outcome::Fault(_) | Outcome::Passed(..) => Reply::Ready(core_http::Response::default()),
        },
    }
}

#[inline]
fn settled(reading: Option<Reading>, response: core_http::Response) -> core_http::Response {
    if let Some(reading) = reading {
        reading.settle(&response);
    }
    response
}

impl Handler for PythonHandler {
    fn found(&self, head: &mut Head) {
        if self.route.is_hooked {
            head.parts
                .extensions
                .insert(FoundRoute(Arc::clone(&self.route)));
        }
    }

    fn is_watched(&self) -> bool {
        false
    }

    fn admit(&self, head: &Head) -> Result<BodyPolicy, Box<core_http::Response>> {
        if !self.route.produces.is_empty() && !check::acceptable(&self.route.produces, head) {
            let produces: Vec<&str> = self.route.produces.iter().map(String::as_str).collect();
            let problem = Problem::not_acceptable(&produces);
            let response = self.gateway.trouble().problem(problem, head.id.as_ref());
            return Err(Box::new(response));
        }
        match &self.route.body {
            Some(plan) => {
                let boundary = check::media_type(plan, head).map_err(|problem| {
                    Box::new(self.gateway.trouble().problem(problem, head.id.as_ref()))
                })?;
                Ok(match boundary {
                    Some(boundary) => BodyPolicy::Parts {
                        boundary,
                        rules: Arc::clone(&self.parts),
                    },
                    None => BodyPolicy::Buffer,
                })
            }
            None if self.route.streams_body => Ok(BodyPolicy::Stream),
            None if self.route.needs_request => Ok(BodyPolicy::Buffer),
            None => Ok(BodyPolicy::Discard),
        }
    }

    fn timed_out(&self, request_id: Option<&str>) {
        // Everything else is cancelled; a thread cannot be.
        if self.route.mode == Mode::Thread {
            let name = &self.route.name;
            let message =
                format!("{name} has run out of time, and still takes a thread until it ends");
            Python::attach(|py| self.gateway.trouble().warn(py, &message, request_id));
        }
    }

    fn call(&self, mut request: Box<CoreRequest>) -> Reply {
        let mut reading = None;
        if matches!(request.intake, Intake::Stream(_))
            && let Intake::Stream(inflow) = std::mem::take(&mut request.intake)
        {
            let (reader, begun) = BodyReader::start(*inflow, self.gateway.notifier());
            request.head.parts.extensions.insert(reader);
            reading = Some(begun);
        }
        // On the loop's own thread the parameters are checked and delivered in one go; through the queue the
        // check is here, without the interpreter, and the values are made there.
        let checked = match &self.gateway {
            Gateway::Inline { .. } => check::body(&self.route, self.limits, &mut request),
            Gateway::Queue(_) => check::whole(&self.route, self.limits, &mut request),
        };
        if let Err(problem) = checked {
            return self.refuse(request, problem);
        }
        match self.gateway.handle(&self.route, request) {
            Ok(said) => match reply(&self.gateway, said) {
                Reply::Ready(response) => Reply::Ready(settled(reading, response)),
                Reply::Later(file) => {
                    Reply::Later(Box::pin(async move { settled(reading, file.await) }))
                }
            },
            Err(later) => {
                let gateway = self.gateway.clone();
                Reply::Later(Box::pin(async move {
                    settled(reading, reply(&gateway, later.await).settled().await)
                }))
            }
        }
    }
}

/// Lets Python revise an answer with an error status, if it asked to.
pub(crate) fn revise(
    gateway: &Gateway,
    route: Option<&Arc<Route>>,
    request: Box<CoreRequest>,
    response: core_http::Response,
) -> Reply {
    if !gateway.trouble().wants(response.status()) {
        return Reply::Ready(response);
    }
    if response.extensions().get::<Concluded>().is_some() {
        return Reply::Ready(response);
    }
    let body = match response.body() {
        Body::Full(bytes) => bytes.clone(),
        Body::Empty | Body::Stream(_) | Body::Upgrade(_) => Bytes::new(),
    };
    let found = request.head.parts.extensions.get::<FoundRoute>();
    let question = Question::Status {
        route: route.or(found.map(|found| &found.0)).cloned(),
        request,
        status: response.status(),
        headers: response.headers().clone(),
        body,
    };
    match gateway.ask(question) {
        Ok(said) => revised(gateway, response, said),
        Err(later) => {
            let gateway = gateway.clone();
            Reply::Later(Box::pin(async move {
                revised(&gateway, response, later.await).settled().await
            }))
        }
    }
}

/// The answer after Python has seen it.
fn revised(gateway: &Gateway, response: core_http::Response, said: Said) -> Reply {
    let Some(Outcome::Answer(answer)) = said else {
        return Reply::Ready(response);
    };
    let (new, new_body) = match answer.into_reply(gateway) {
        Reply::Ready(new) => new.into_parts(),
        file @ Reply::Later(_) => return file,
    };
    let (mut parts, body) = response.into_parts();
    parts.status = new.status;
    parts.headers = new.headers;
    // A stream of the server's own is not shown to Python: it stays unless something took its place.
    let body = match (body, new_body) {
        (Body::Stream(stream), Body::Empty) => Body::Stream(stream),
        (Body::Upgrade(upgrade), Body::Empty) => Body::Upgrade(upgrade),
        (_, new_body) => new_body,
    };
    Reply::Ready(core_http::Response::from_parts(parts, body))
}

/// Python's view of what the service answers by itself.
#[derive(Debug)]
pub(crate) struct PythonObserver(pub(crate) Gateway);

impl Observer for PythonObserver {
    fn revise(&self, request: Box<CoreRequest>, response: core_http::Response) -> Reply {
        revise(&self.0, None, request, response)
    }

    fn wants(&self, status: StatusCode) -> bool {
        self.0.trouble().wants(status)
    }

    fn is_watchful(&self) -> bool {
        self.0.trouble().is_watchful()
    }

    fn failed(&self, request_id: Option<&RequestId>, fault: &std::io::Error) {
        let message = format!("a request could not be served: {fault}");
        let id = request_id.map(RequestId::as_str);
        Python::attach(|py| self.0.trouble().log(py, &message, id));
    }

    fn panicked(&self, request_id: Option<&str>, message: &str) {
        let message = format!("a panic in native code: {message}");
        Python::attach(|py| self.0.trouble().log(py, &message, request_id));
    }

    fn warned(&self, message: &str) {
        Python::attach(|py| self.0.trouble().warn(py, message, None));
    }
}
