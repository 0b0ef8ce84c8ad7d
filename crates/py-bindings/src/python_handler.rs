//! The Python side as `core_http` sees it: handlers of routes, and an observer of errors.

use std::sync::Arc;

use core_http::handler::{BodyPolicy, Handler, Observer, Reply};
use core_http::problem::Problem;
use core_http::request::{Head, Request as CoreRequest};
use core_validate::JsonLimits;
use http::StatusCode;
use pyo3::prelude::*;

use crate::call::Outcome;
use crate::callee::{Question, Said, closing};
use crate::check;
use crate::gateway::Gateway;
use crate::route::Route;

/// A route's handler in Python.
#[derive(Debug)]
pub(crate) struct PythonHandler {
    pub(crate) route: Arc<Route>,
    pub(crate) gateway: Gateway,
    pub(crate) limits: JsonLimits,
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

fn reply(said: Said) -> core_http::Response {
    match said {
        Some(Outcome::Answer(answer)) => answer.into(),
        // Faults were turned into answers on the way; silence comes only from status handlers.
        Some(Outcome::Fault(_)) | None => match closing() {
            Outcome::Answer(answer) => answer.into(),
            Outcome::Fault(_) => core_http::Response::default(),
        },
    }
}

impl Handler for PythonHandler {
    fn admit(&self, head: &Head) -> Result<BodyPolicy, Box<core_http::Response>> {
        match &self.route.body {
            Some(plan) => check::media_type(plan, head)
                .map(|()| BodyPolicy::Buffer)
                .map_err(|problem| {
                    Box::new(self.gateway.trouble().problem(problem, head.id.as_ref()))
                }),
            None if self.route.needs_request => Ok(BodyPolicy::Buffer),
            None => Ok(BodyPolicy::Discard),
        }
    }

    fn call(&self, request: Box<CoreRequest>) -> Reply {
        // On the loop's own thread the parameters are checked and delivered in one go; through the queue the
        // check is here, without the interpreter, and the values are made there.
        let checked = match &self.gateway {
            Gateway::Inline { .. } => check::body(&self.route, self.limits, &request),
            Gateway::Queue(_) => check::whole(&self.route, self.limits, &request),
        };
        if let Err(problem) = checked {
            return self.refuse(request, problem);
        }
        match self.gateway.handle(&self.route, request) {
            Ok(said) => Reply::Ready(reply(said)),
            Err(later) => Reply::Later(Box::pin(async move { reply(later.await) })),
        }
    }
}

/// Lets Python revise an answer with an error status, if it asked to.
fn revise(
    gateway: &Gateway,
    route: Option<&Arc<Route>>,
    request: Box<CoreRequest>,
    response: core_http::Response,
) -> Reply {
    if !gateway.trouble().wants(response.status()) {
        return Reply::Ready(response);
    }
    let body = match response.body() {
        core_http::body::Body::Full(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    };
    let question = Question::Status {
        route: route.cloned(),
        request,
        status: response.status(),
        body,
    };
    match gateway.ask(question) {
        Ok(Some(Outcome::Answer(answer))) => Reply::Ready(answer.into()),
        Ok(_) => Reply::Ready(response),
        Err(later) => Reply::Later(Box::pin(async move {
            match later.await {
                Some(Outcome::Answer(answer)) => answer.into(),
                _ => response,
            }
        })),
    }
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

    fn panicked(&self, request_id: Option<&str>, message: &str) {
        let message = format!("a panic in native code: {message}");
        Python::attach(|py| self.0.trouble().log(py, &message, request_id));
    }

    fn warned(&self, message: &str) {
        Python::attach(|py| self.0.trouble().log(py, message, None));
    }
}
