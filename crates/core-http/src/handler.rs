//! The one trait a route's target implements, in Rust or behind the Python boundary.

use std::io;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use crate::multipart::PartRules;
use crate::request::{Head, Request};
use crate::request_id::RequestId;
use crate::response::Response;

/// What a handler gives back: an answer at once, or a future of one. The first costs no allocation and no
/// turn of the scheduler, which is the usual case.
pub enum Reply {
    Ready(Response),
    Later(LocalBoxFuture<'static, Response>),
}

impl Reply {
    /// Waits for the answer if it isn't there yet.
    pub async fn settled(self) -> Response {
        match self {
            Self::Ready(response) => response,
            Self::Later(future) => future.await,
        }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(response) => f.debug_tuple("Ready").field(response).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// What happens to the request's body before the handler is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyPolicy {
    /// The route has no use for one: a small one is read and forgotten, a large one ends the connection.
    Discard,
    /// Read whole, under the limits, before the call.
    Buffer,
    /// Read as a multipart form before the call, its large files to disk.
    Parts {
        boundary: String,
        rules: Arc<PartRules>,
    },
    /// Handed to the handler as it comes.
    Stream,
}

/// The target of a route. Not `Send`: each worker thread has a runtime and handlers of its own.
pub trait Handler {
    /// Told as soon as a request is known to be for this handler; may leave something in the head for later steps.
    fn found(&self, _head: &mut Head) {}

    /// Whether it takes over the connection, in place of an answer that others could look at.
    fn takes_connection(&self) -> bool {
        false
    }

    /// Whether the observer looks at this handler's own answers too, where it watches all; a handler that has shown
    /// them already says no.
    fn is_watched(&self) -> bool {
        true
    }

    /// A look at the head before the body is read: `Err` is the refusal (415 and such).
    fn admit(&self, _head: &Head) -> Result<BodyPolicy, Box<Response>> {
        Ok(BodyPolicy::Discard)
    }

    /// A call has been given up after its time, and its client has an answer.
    fn timed_out(&self, _request_id: Option<&str>) {}

    /// Answers a request whose body, if wanted, has been read. Boxed, since it passes through many hands.
    fn call(&self, request: Box<Request>) -> Reply;
}

/// Sees what the service answers by itself, and what goes wrong. One per server.
pub trait Observer {
    /// May replace an answer with an error status that the service or a handler gave.
    fn revise(&self, _request: Box<Request>, response: Response) -> Reply {
        Reply::Ready(response)
    }

    /// Whether `revise` wants to see answers with this status.
    fn wants(&self, _status: http::StatusCode) -> bool {
        false
    }

    /// Whether there is any status for which `wants` says yes.
    fn is_watchful(&self) -> bool {
        false
    }

    /// A handler panicked; the client gets an opaque 500.
    fn panicked(&self, _request_id: Option<&str>, _message: &str) {}

    /// The machine failed a request, as a full disk does; the client gets an opaque 500.
    fn failed(&self, _request_id: Option<&RequestId>, _fault: &io::Error) {}

    /// Something that whoever runs the server should know.
    fn warned(&self, _message: &str) {}
}

impl Observer for () {}
