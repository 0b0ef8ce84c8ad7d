//! The two kinds of peers: a handler that is called with each message, and one that is called once.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use core_http::request::{Head, Request as CoreRequest};
use core_http::websocket::{Closure, Message, Outgoing, Peer};
use core_validate::{Faults, JsonLimits, Loc};
use http::{StatusCode, header};
use http_body::Body;
use pyo3::prelude::*;

use crate::answer::{Answer, Content};
use crate::body_plan::BodyKind;
use crate::call::Outcome;
use crate::callee::{Later, Said};
use crate::gateway::Gateway;
use crate::route::Route;
use crate::socket_link::Link;
use crate::socket_plan::SocketPlan;
use crate::stream::StreamBody;

/// Close codes (RFC 6455, 7.4.1).
const NORMAL: u16 = 1000;
const INVALID_DATA: u16 = 1007;
const POLICY: u16 = 1008;
const INTERNAL: u16 = 1011;

/// What both kinds need.
struct Common {
    route: Arc<Route>,
    plan: Arc<SocketPlan>,
    gateway: Gateway,
    limits: JsonLimits,
    link: Arc<Link>,
}

/// What is wrong with a message: the errors of the reply, and the code of the close that may take its place.
struct Invalid {
    errors: Vec<u8>,
    code: u16,
}

impl Common {
    /// Checks a message, without the interpreter.
    fn check(&self, message: &Message) -> Result<(), Invalid> {
        let Some(plan) = &self.route.body else {
            return Ok(());
        };
        if plan.kind == BodyKind::Bytes {
            return Ok(());
        }
        let mut faults = Faults::default();
        let read = match &plan.schema {
            Some(schema) => schema
                .examine(&message.payload, self.limits, &["message"], &mut faults)
                .map(drop),
            None => core_validate::parse(&message.payload, self.limits).map(drop),
        };
        if let Err(fault) = read {
            let mut told = fault.to_fault();
            told.loc[0] = Loc::from("message");
            faults.push(told);
            return Err(Invalid {
                errors: faults.to_json(),
                code: INVALID_DATA,
            });
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Invalid {
            errors: faults.to_json(),
            code: POLICY,
        })
    }

    /// Tells the client what is wrong with its message.
    fn refuse(&self, invalid: &Invalid) {
        self.link.push(if self.plan.closes_invalid {
            let reason = if invalid.code == INVALID_DATA {
                "the message is not JSON"
            } else {
                "the message does not fit its schema"
            };
            Outgoing::Close(Closure::new(invalid.code, reason))
        } else {
            let mut payload = b"{\"type\":\"error\",\"error\":\"validation\",\"errors\":".to_vec();
            payload.extend_from_slice(&invalid.errors);
            payload.push(b'}');
            text(payload)
        });
    }

    /// Sends a reply, if it is what the route promises.
    fn send(&self, is_text: bool, payload: Bytes) {
        if let Some(schema) = &self.plan.reply_schema
            && let Some(errors) = schema.get().faults(&payload, "message")
        {
            let message = format!(
                "a reply of {} does not fit its schema and was not sent: {}",
                self.route.name,
                String::from_utf8_lossy(&errors)
            );
            Python::attach(|py| self.gateway.trouble().log(py, &message, None));
            if self.plan.strict {
                self.fail();
            }
            return;
        }
        self.link
            .push(Outgoing::Message(Message { is_text, payload }));
    }

    /// Closes because of a fault of ours, which the log knows.
    fn fail(&self) {
        let closure = Closure::new(INTERNAL, "internal error");
        self.link.push(Outgoing::Close(closure));
    }

    /// Whether a handler's end was a fault; what the log does not know yet goes there.
    fn is_fault(&self, said: &Said) -> bool {
        let Some(Outcome::Answer(answer)) = said else {
            return said.is_some();
        };
        if answer.status.is_client_error() {
            let message = format!(
                "{} refused with status {} when its WebSocket was open already",
                self.route.name,
                answer.status.as_u16()
            );
            Python::attach(|py| self.gateway.trouble().log(py, &message, None));
        }
        answer.status.as_u16() >= 300
    }
}

fn text(payload: Vec<u8>) -> Outgoing {
    Outgoing::Message(Message {
        is_text: true,
        payload: payload.into(),
    })
}

/// A handler that is called with each message, in order.
pub(crate) struct MessagePeer {
    common: Common,
    head: Head,
    waiting: VecDeque<Message>,
    call: Option<Later>,
    /// Replies of a generator.
    stream: Option<StreamBody>,
}

impl MessagePeer {
    pub(crate) fn new(
        route: Arc<Route>,
        plan: Arc<SocketPlan>,
        gateway: Gateway,
        limits: JsonLimits,
        head: Head,
        link: Arc<Link>,
    ) -> Self {
        let common = Common {
            route,
            plan,
            gateway,
            limits,
            link,
        };
        Self {
            common,
            head,
            waiting: VecDeque::new(),
            call: None,
            stream: None,
        }
    }

    fn handle(&mut self, message: Message) {
        if let Err(invalid) = self.common.check(&message) {
            self.common.refuse(&invalid);
            return;
        }
        let route = &self.common.route;
        let head = again(
            &self.head,
            route.needs_request || !route.parameters.is_empty(),
        );
        let request = Box::new(CoreRequest::new(head, message.payload));
        match self.common.gateway.handle(route, request) {
            Ok(said) => self.reply(said),
            Err(later) => self.call = Some(later),
        }
    }

    fn reply(&mut self, said: Said) {
        let answer = match said {
            Some(Outcome::Answer(answer)) if answer.status == StatusCode::UNPROCESSABLE_ENTITY => {
                if let Some(errors) = errors_of(&answer) {
                    self.common.refuse(&Invalid {
                        errors,
                        code: POLICY,
                    });
                    return;
                }
                answer
            }
            Some(Outcome::Answer(answer)) => answer,
            Some(Outcome::Fault(_) | Outcome::Passed(..)) | None => return self.common.fail(),
        };
        if answer.status == StatusCode::NO_CONTENT {
            return;
        }
        if answer.status != StatusCode::OK {
            self.common.is_fault(&Some(Outcome::Answer(answer)));
            return self.common.fail();
        }
        match answer.body {
            Content::Bytes(payload) => {
                let is_text = !answer.headers.contains_key(header::CONTENT_TYPE);
                self.common.send(is_text, payload);
            }
            Content::Stream(source) => self.stream = Some(source.into()),
            // A file is an answer to a request, not a message.
            Content::File(_) => self.common.fail(),
        }
    }

    /// Goes on with what is under way; false when there is nothing to go on with now.
    fn proceed(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(stream) = &mut self.stream {
            match Pin::new(stream).poll_frame(cx) {
                Poll::Pending => return false,
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(payload) = frame.into_data() {
                        self.common.send(true, payload);
                    }
                }
                // Its fault has been logged where it happened.
                Poll::Ready(Some(Err(_))) => {
                    self.stream = None;
                    self.common.fail();
                }
                Poll::Ready(None) => self.stream = None,
            }
            return true;
        }
        if let Some(call) = &mut self.call {
            let Poll::Ready(said) = call.as_mut().poll(cx) else {
                return false;
            };
            self.call = None;
            self.reply(said);
            return true;
        }
        match self.waiting.pop_front() {
            Some(message) => {
                self.handle(message);
                true
            }
            None => false,
        }
    }
}

impl Peer for MessagePeer {
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.len() < self.common.plan.queueing.limit {
            Poll::Ready(())
        } else {
            // Woken by the call that is under way.
            Poll::Pending
        }
    }

    fn receive(&mut self, message: Message) {
        self.waiting.push_back(message);
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Outgoing> {
        loop {
            if let Poll::Ready(outgoing) = self.common.link.poll_outgoing(cx) {
                return Poll::Ready(outgoing);
            }
            if !self.proceed(cx) {
                return Poll::Pending;
            }
        }
    }

    fn closed(&mut self, closure: &Closure) {
        self.waiting.clear();
        self.stream = None;
        self.common.link.closed(closure);
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.call {
            Some(call) => call.as_mut().poll(cx).map(drop),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for MessagePeer {
    fn drop(&mut self) {
        self.common.link.closed(&Closure::abnormal());
    }
}

/// The handshake's head once more, for another call; bare where the route looks at nothing of it.
fn again(head: &Head, is_needed: bool) -> Head {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    if is_needed {
        parts.method = head.parts.method.clone();
        parts.uri = head.parts.uri.clone();
        parts.version = head.parts.version;
        parts.headers = head.parts.headers.clone();
        parts.extensions = head.parts.extensions.clone();
    }
    Head {
        parts,
        origin: Arc::clone(&head.origin),
        params: if is_needed {
            head.params.clone()
        } else {
            core_http::router::Params::default()
        },
        id: head.id.clone(),
    }
}

/// The faults of a 422, at their places in the message.
fn errors_of(answer: &Answer) -> Option<Vec<u8>> {
    let mut problem: serde_json::Value = serde_json::from_slice(answer.body.as_bytes()).ok()?;
    let errors = problem.get_mut("errors")?;
    for fault in errors.as_array_mut()? {
        if let Some(place) = fault.pointer_mut("/loc/0")
            && place == "body"
        {
            *place = "message".into();
        }
    }
    serde_json::to_vec(errors).ok()
}

/// A handler that is called once, for the life of its socket.
pub(crate) struct CallPeer {
    common: Common,
    /// What it said, or will say.
    call: Result<Said, Later>,
}

impl CallPeer {
    pub(crate) fn new(
        route: Arc<Route>,
        plan: Arc<SocketPlan>,
        gateway: Gateway,
        limits: JsonLimits,
        link: Arc<Link>,
        call: Result<Said, Later>,
    ) -> Self {
        let common = Common {
            route,
            plan,
            gateway,
            limits,
            link,
        };
        let mut peer = Self { common, call };
        if let Ok(said) = &mut peer.call {
            let said = said.take();
            peer.leave(&said);
        }
        peer
    }

    /// The handler is done: what it has queued goes out, then the close.
    fn leave(&mut self, said: &Said) {
        if self.common.is_fault(said) {
            self.common.fail();
        } else {
            let closure = Closure::new(NORMAL, "");
            self.common.link.push(Outgoing::Close(closure));
        }
        self.call = Ok(None);
    }
}

impl Peer for CallPeer {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.common.link.poll_room(cx)
    }

    fn receive(&mut self, message: Message) {
        match self.common.check(&message) {
            Ok(()) => self.common.link.receive(message),
            Err(invalid) => self.common.refuse(&invalid),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Outgoing> {
        if let Err(call) = &mut self.call
            && let Poll::Ready(said) = call.as_mut().poll(cx)
        {
            self.leave(&said);
        }
        self.common.link.poll_outgoing(cx)
    }

    fn closed(&mut self, closure: &Closure) {
        self.common.link.closed(closure);
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.call {
            Ok(_) => Poll::Ready(()),
            Err(call) => call.as_mut().poll(cx).map(drop),
        }
    }
}

impl Drop for CallPeer {
    fn drop(&mut self) {
        self.common.link.closed(&Closure::abnormal());
    }
}
