//! Hooks that run before a request's body is read, as a gate.

use std::rc::Rc;
use std::sync::Arc;

use core_http::gate::{Gate, Passing, Refused};
use core_http::handler::Reply;
use core_http::request::Head;
use core_http::trail::Trail;
use pyo3::prelude::*;

use crate::call::Outcome;
use crate::callee::{Question, Said, closing};
use crate::gateway::Gateway;
use crate::route::Route;

/// Calls what the application made of its hooks: a function of the request.
pub(crate) struct HookGate {
    gateway: Gateway,
    hooks: Arc<Py<PyAny>>,
    /// None before the route is known.
    route: Option<Arc<Route>>,
}

impl HookGate {
    pub(crate) fn of(
        gateway: &Gateway,
        hooks: &Arc<Py<PyAny>>,
        route: Option<&Arc<Route>>,
    ) -> Rc<dyn Gate> {
        Rc::new(Self {
            gateway: gateway.clone(),
            hooks: Arc::clone(hooks),
            route: route.cloned(),
        })
    }
}

/// Marks an answer that has passed all hooks that are meant for it.
#[derive(Clone)]
pub(crate) struct Concluded;

impl Gate for HookGate {
    fn pass(&self, head: Head, _trail: &Rc<Trail>) -> Passing {
        let question = Question::Hooks {
            hooks: Arc::clone(&self.hooks),
            route: self.route.clone(),
            head: Box::new(head),
        };
        match self.gateway.ask(question) {
            Ok(said) => match decided(&self.gateway, said) {
                Ok(head) => Passing::On(head),
                Err((head, Reply::Ready(response))) => Passing::Stop(refused(head, response)),
                Err((head, Reply::Later(file))) => {
                    Passing::Later(Box::pin(async move { Err(refused(head, file.await)) }))
                }
            },
            Err(later) => {
                let gateway = self.gateway.clone();
                Passing::Later(Box::pin(async move {
                    match decided(&gateway, later.await) {
                        Ok(head) => Ok(head),
                        Err((head, reply)) => Err(refused(head, reply.settled().await)),
                    }
                }))
            }
        }
    }
}

/// The head where Python has let it pass; else the answer, and the head that goes with it.
#[allow(clippy::result_large_err)] // taken apart at once
pub(crate) fn decided(gateway: &Gateway, said: Said) -> Result<Head, (Head, Reply)> {
    match said {
        Some(Outcome::Passed(head, None)) => Ok(*head),
        Some(Outcome::Passed(head, Some(mut answer))) => {
            answer.note_head(&head);
            Err((*head, answer.into_reply(gateway)))
        }
        Some(Outcome::Answer(answer)) => Err((bare_head(), answer.into_reply(gateway))),
        Some(Outcome::Fault(_)) | None => Err((bare_head(), closed(gateway))),
    }
}

/// What is answered when nothing more can be asked.
pub(crate) fn closed(gateway: &Gateway) -> Reply {
    match closing() {
        Outcome::Answer(answer) => answer.into_reply(gateway),
        Outcome::Fault(_) | Outcome::Passed(..) => Reply::Ready(core_http::Response::default()),
    }
}

fn refused(head: Head, mut response: core_http::Response) -> Box<Refused> {
    response.extensions_mut().insert(Concluded);
    Box::new(Refused { head, response })
}

/// For answers that come without the request they belong to: the server is closing, or the code is wrong.
pub(crate) fn bare_head() -> Head {
    let (parts, ()) = http::Request::new(()).into_parts();
    Head {
        parts,
        origin: Arc::default(),
        params: core_http::router::Params::default(),
        id: None,
    }
}
