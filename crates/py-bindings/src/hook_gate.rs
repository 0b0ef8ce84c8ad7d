//! Hooks that run before a request's body is read, as a gate.

use std::rc::Rc;
use std::sync::Arc;

use core_http::gate::{Gate, Passing, Refused};
use core_http::request::Head;
use core_http::trail::Trail;
use pyo3::prelude::*;

use crate::answer::Answer;
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
            Ok(said) => match decided(said) {
                Ok(head) => Passing::On(head),
                Err(refused) => Passing::Stop(refused),
            },
            Err(later) => Passing::Later(Box::pin(async move { decided(later.await) })),
        }
    }
}

fn decided(said: Said) -> Result<Head, Box<Refused>> {
    match said {
        Some(Outcome::Passed(head, None)) => Ok(*head),
        Some(Outcome::Passed(head, Some(answer))) => Err(refused(*head, answer)),
        Some(Outcome::Answer(answer)) => Err(refused(bare_head(), answer)),
        Some(Outcome::Fault(_)) | None => match closing() {
            Outcome::Answer(answer) => Err(refused(bare_head(), answer)),
            Outcome::Fault(_) | Outcome::Passed(..) => {
                Err(refused(bare_head(), core_http::Response::default().into()))
            }
        },
    }
}

fn refused(head: Head, answer: Answer) -> Box<Refused> {
    let mut response = core_http::Response::from(answer);
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
