//! Checks that a request passes on its way to its handler: origin rules, limits, credentials, hooks.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use crate::request::Head;
use crate::response::Response;
use crate::trail::Trail;

/// A check of a request's head, before its body is read. It may change the head, refuse the request, or leave on the
/// trail what is to be done to the answer.
pub trait Gate {
    fn pass(&self, head: Head, trail: &Rc<Trail>) -> Passing;
}

/// What a gate decided.
#[allow(clippy::large_enum_variant)] // moved on at once; a box would cost every request that passes
pub enum Passing {
    /// Go on with this head.
    On(Head),
    /// The answer is there already.
    Stop(Box<Refused>),
    /// It takes time to say.
    Later(LocalBoxFuture<'static, Result<Head, Box<Refused>>>),
}

/// A request that was answered by a gate.
#[derive(Debug)]
pub struct Refused {
    pub head: Head,
    pub response: Response,
}

impl Passing {
    /// Answer with this.
    pub fn stop(head: Head, response: Response) -> Self {
        Self::Stop(Box::new(Refused { head, response }))
    }
}

impl From<Result<Head, Box<Refused>>> for Passing {
    fn from(decision: Result<Head, Box<Refused>>) -> Self {
        match decision {
            Ok(head) => Self::On(head),
            Err(refused) => Self::Stop(refused),
        }
    }
}

impl std::fmt::Debug for Passing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::On(head) => f.debug_tuple("On").field(head).finish(),
            Self::Stop(refused) => f.debug_tuple("Stop").field(refused).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}
