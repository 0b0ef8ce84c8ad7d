//! A request's way through gates.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{Endpoint, Service};
use crate::gate::{Gate, Passing, Refused};
use crate::handler::Reply;
use crate::problem::Problem;
use crate::request::{Head, Request};
use crate::request_id::RequestId;
use crate::response::Response;
use crate::trail::Trail;

type Decision = Result<Head, Box<Refused>>;

/// Whose gates they are.
#[derive(Clone)]
pub(super) enum Stage {
    Entry,
    Endpoint(Rc<Endpoint>),
}

impl Stage {
    fn gates<'a>(&'a self, service: &'a Service) -> &'a [Rc<dyn Gate>] {
        match self {
            Self::Entry => &service.entry,
            Self::Endpoint(endpoint) => &endpoint.gates,
        }
    }

    fn time_limit(&self, service: &Service) -> Option<Duration> {
        match self {
            Self::Entry => service.settings.request_timeout,
            Self::Endpoint(endpoint) => endpoint
                .request_timeout
                .unwrap_or(service.settings.request_timeout),
        }
    }
}

impl Service {
    /// Leads the request through all gates of a stage, then to `next`.
    pub(super) fn pass<N>(
        self: &Rc<Self>,
        stage: Stage,
        request: Box<Request>,
        trail: &Rc<Trail>,
        next: N,
    ) -> Reply
    where
        N: FnOnce(Box<Request>) -> Reply + 'static,
    {
        self.pass_from(0, stage, request, trail, next)
    }

    fn pass_from<N>(
        self: &Rc<Self>,
        from: usize,
        stage: Stage,
        request: Box<Request>,
        trail: &Rc<Trail>,
        next: N,
    ) -> Reply
    where
        N: FnOnce(Box<Request>) -> Reply + 'static,
    {
        let Request { mut head, .. } = *request;
        for index in from..stage.gates(self).len() {
            let gate = &stage.gates(self)[index];
            let id = head.id.clone();
            match catch_unwind(AssertUnwindSafe(|| gate.pass(head, trail))) {
                Ok(Passing::On(passed)) => head = passed,
                Ok(Passing::Stop(refused)) => {
                    return self.revise(bodiless(refused.head), refused.response);
                }
                Ok(Passing::Later(decision)) => {
                    let (service, trail) = (Rc::clone(self), Rc::clone(trail));
                    let limit = stage.time_limit(self);
                    return Reply::Later(Box::pin(async move {
                        let reply = match service.decided(decision, limit, id).await {
                            Ok(Ok(head)) => {
                                let request = bodiless(head);
                                service.pass_from(index + 1, stage, request, &trail, next)
                            }
                            Ok(Err(refused)) => {
                                service.revise(bodiless(refused.head), refused.response)
                            }
                            Err(failed) => Reply::Ready(failed),
                        };
                        reply.settled().await
                    }));
                }
                Err(panic) => {
                    return Reply::Ready(self.panicked(panic.as_ref(), id.as_ref()));
                }
            }
        }
        next(bodiless(head))
    }

    /// What a gate decides in time; else the answer to a request whose head is lost with the gate.
    async fn decided(
        &self,
        decision: LocalBoxFuture<'static, Decision>,
        limit: Option<Duration>,
        id: Option<RequestId>,
    ) -> Result<Decision, Response> {
        let guarded = AssertUnwindSafe(decision).catch_unwind();
        let outcome = match limit {
            None => guarded.await,
            Some(limit) => match tokio::time::timeout(limit, guarded).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let problem = Problem::request_timeout(limit.as_secs_f64());
                    return Err(self.render(problem, id.as_ref()));
                }
            },
        };
        outcome.map_err(|panic| self.panicked(panic.as_ref(), id.as_ref()))
    }
}

/// No gate waits for a body.
fn bodiless(head: Head) -> Box<Request> {
    Box::new(Request::new(head, Bytes::new()))
}
