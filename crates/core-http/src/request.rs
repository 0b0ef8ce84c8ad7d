//! A request as handlers see it: the head, where it came from, and its body.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;

use crate::inflow::Inflow;
use crate::multipart::Part;
use crate::request_id::RequestId;
use crate::router::Params;

/// Where a connection comes from and by which door.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The other end; none on a Unix socket or in memory.
    pub remote: Option<SocketAddr>,
    /// Our end.
    pub local: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

/// Everything of a request but its body.
#[derive(Clone, Debug)]
pub struct Head {
    pub parts: Parts,
    pub origin: Arc<Origin>,
    pub params: Params,
    pub id: Option<RequestId>,
}

impl Head {
    /// The path as it was sent, still percent-encoded.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The query without its question mark; empty if there is none.
    pub fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or("")
    }

    /// A header's first value, if it is readable text.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    }
}

/// A request with its body, as far as its handler wanted it read.
#[derive(Debug)]
pub struct Request {
    pub head: Head,
    pub body: Bytes,
    pub intake: Intake,
}

/// What of a body is not in `Request::body`.
#[derive(Debug, Default)]
pub enum Intake {
    /// Nothing: it is there, whole.
    #[default]
    Whole,
    /// It was a form, and here are its parts.
    Parts(Vec<Part>),
    /// It is still coming.
    Stream(Box<Inflow>),
}

impl Request {
    /// A request whose body is there.
    pub fn new(head: Head, body: Bytes) -> Self {
        Self {
            head,
            body,
            intake: Intake::Whole,
        }
    }
}
