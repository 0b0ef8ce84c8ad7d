//! WebSocket routes: from the handshake to the peer that the socket talks with.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use core_http::body::Body;
use core_http::handler::{BodyPolicy, Handler, Reply};
use core_http::problem::Problem;
use core_http::request::{Head, Request as CoreRequest};
use core_http::websocket::{Closure, Handshake, Peer, advise, upgrade};
use core_validate::JsonLimits;
use http::HeaderMap;
use pyo3::intern;
use pyo3::prelude::*;

use crate::call::Outcome;
use crate::callee::{Later, Said};
use crate::check;
use crate::gateway::Gateway;
use crate::python_handler::{reply, revise};
use crate::route::Route;
use crate::server::Notifier;
use crate::socket_link::{Acceptance, Carried, Link};
use crate::socket_peer::{CallPeer, MessagePeer};
use crate::socket_plan::{SocketPlan, Style};

/// A WebSocket route.
#[derive(Debug)]
pub(crate) struct SocketHandler {
    pub(crate) route: Arc<Route>,
    pub(crate) plan: Arc<SocketPlan>,
    pub(crate) gateway: Gateway,
    pub(crate) limits: JsonLimits,
}

impl SocketHandler {
    fn refusal(&self, head: &Head, problem: Problem) -> core_http::Response {
        advise(self.gateway.trouble().problem(problem, head.id.as_ref()))
    }

    fn refuse(&self, request: Box<CoreRequest>, problem: Problem) -> Reply {
        let refusal = self.refusal(&request.head, problem);
        revise(&self.gateway, Some(&self.route), request, refusal)
    }

    fn link(&self, handshake: Handshake) -> PyResult<Arc<Link>> {
        let notifier = match &self.gateway {
            Gateway::Inline { turn, .. } => Notifier::Here(Arc::clone(&turn.wake)),
            Gateway::Queue(queue) => Notifier::There(Arc::clone(queue)),
        };
        let wake = Python::attach(|py| {
            py.import(intern!(py, "spikard.responses.pump"))?
                .getattr(intern!(py, "make_room"))
                .map(Bound::unbind)
        })?;
        Ok(Link::new(self.plan.queueing, handshake, notifier, wake))
    }

    /// A socket whose handler is called with each message.
    fn open(&self, mut request: Box<CoreRequest>, link: Arc<Link>) -> Reply {
        if let Err(problem) = check::resolve(&self.route, &request, |_| ()) {
            return self.refuse(request, problem);
        }
        let preferred = link.handshake().preferred().map(str::to_owned);
        link.open(preferred.as_deref());
        request
            .head
            .parts
            .extensions
            .insert(Carried(Arc::clone(&link)));
        let peer = MessagePeer::new(
            Arc::clone(&self.route),
            Arc::clone(&self.plan),
            self.gateway.clone(),
            self.limits,
            request.head,
            Arc::clone(&link),
        );
        Reply::Ready(self.switch(
            &link,
            preferred.as_deref(),
            HeaderMap::new(),
            Box::new(peer),
        ))
    }

    /// A socket whose handler is called once and accepts by itself.
    fn connect(&self, mut request: Box<CoreRequest>, link: Arc<Link>) -> Reply {
        request
            .head
            .parts
            .extensions
            .insert(Carried(Arc::clone(&link)));
        let unanswered = Unanswered {
            link: Some(Arc::clone(&link)),
        };
        let call = match self.gateway.handle(&self.route, request) {
            Ok(said) => return self.answer(&link, unanswered, link.acceptance(), Ok(said)),
            Err(later) => later,
        };
        let this = Self {
            route: Arc::clone(&self.route),
            plan: Arc::clone(&self.plan),
            gateway: self.gateway.clone(),
            limits: self.limits,
        };
        Reply::Later(Box::pin(async move {
            let mut call = call;
            let mut said = None;
            let acceptance = poll_fn(|cx| {
                if let Poll::Ready(acceptance) = link.poll_accepted(cx) {
                    return Poll::Ready(Some(acceptance));
                }
                match call.as_mut().poll(cx) {
                    Poll::Ready(outcome) => {
                        said = Some(outcome);
                        Poll::Ready(link.acceptance())
                    }
                    Poll::Pending => Poll::Pending,
                }
            })
            .await;
            this.answer(&link, unanswered, acceptance, said.ok_or(call))
                .settled()
                .await
        }))
    }

    /// The answer to the handshake; `call` is what the handler said, or will say.
    fn answer(
        &self,
        link: &Arc<Link>,
        mut unanswered: Unanswered,
        acceptance: Option<Acceptance>,
        call: Result<Said, Later>,
    ) -> Reply {
        let Some(acceptance) = acceptance else {
            return match call {
                Ok(said) if refuses(&said) => reply(&self.gateway, said),
                _ => Reply::Ready(
                    self.gateway
                        .trouble()
                        .problem(Problem::forbidden("The WebSocket was not accepted"), None),
                ),
            };
        };
        let peer = CallPeer::new(
            Arc::clone(&self.route),
            Arc::clone(&self.plan),
            self.gateway.clone(),
            self.limits,
            Arc::clone(link),
            call,
        );
        // From here on it is the peer that tells of the end.
        unanswered.link = None;
        let subprotocol = acceptance.subprotocol;
        Reply::Ready(self.switch(
            link,
            subprotocol.as_deref(),
            acceptance.headers,
            Box::new(peer),
        ))
    }

    fn switch(
        &self,
        link: &Link,
        subprotocol: Option<&str>,
        headers: HeaderMap,
        peer: Box<dyn Peer>,
    ) -> core_http::Response {
        let handshake = link.handshake();
        let mut response = handshake.response(subprotocol, headers);
        let body: Body = upgrade(self.plan.options.clone(), handshake.deflates, peer);
        *response.body_mut() = body;
        response
    }
}

/// Tells those who wait that nothing comes, if the handshake has no answer: refused, or the client is gone. It also ends
/// the cycle of the link and its `WebSocket`.
struct Unanswered {
    link: Option<Arc<Link>>,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            link.closed(&Closure::abnormal());
        }
    }
}

/// Whether what a handler said before it accepted is a refusal to hand on.
fn refuses(said: &Said) -> bool {
    matches!(said, Some(Outcome::Answer(answer)) if answer.status.as_u16() >= 300)
}

impl Handler for SocketHandler {
    fn takes_connection(&self) -> bool {
        true
    }

    fn is_watched(&self) -> bool {
        false
    }

    fn admit(&self, head: &Head) -> Result<BodyPolicy, Box<core_http::Response>> {
        match Handshake::read(head, &self.plan.options) {
            Ok(_) => Ok(BodyPolicy::Discard),
            Err(problem) => Err(Box::new(self.refusal(head, problem))),
        }
    }

    fn call(&self, request: Box<CoreRequest>) -> Reply {
        let handshake = match Handshake::read(&request.head, &self.plan.options) {
            Ok(handshake) => handshake,
            Err(problem) => return self.refuse(request, problem),
        };
        let link = match self.link(handshake) {
            Ok(link) => link,
            Err(error) => {
                Python::attach(|py| self.gateway.trouble().log_fault(py, &error));
                return self.refuse(request, Problem::internal_server_error());
            }
        };
        match self.plan.style {
            Style::Message => self.open(request, link),
            Style::Connection => self.connect(request, link),
        }
    }
}
