//! A request as handlers see it: the head, where it came from, and its body.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
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
    /// The host that a trusted proxy was asked for.
    pub host: Option<Box<str>>,
    /// What the proxy in front has taken off the path.
    pub root_path: Option<Arc<str>>,
}

impl Origin {
    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The host a request is for, with its port if it has one. What stands in the target wins over the header
    /// (RFC 9112, 3.2.2); HTTP/2 has it there in any case.
    pub fn host_of<'r>(&'r self, parts: &'r Parts) -> Option<&'r str> {
        if let Some(host) = &self.host {
            return Some(host);
        }
        match parts.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => parts.headers.get(HOST).and_then(|host| host.to_str().ok()),
        }
    }
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

    /// The host it is for, with its port if it has one.
    pub fn host(&self) -> Option<&str> {
        self.origin.host_of(&self.parts)
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
