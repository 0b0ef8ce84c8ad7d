//! The body of a request: from the wire, or from within the process.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;

use crate::error::BodyError;

/// A body that somebody in this process gives, piece by piece.
pub type Given = Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError> + Send>>;

/// Where a request from within the process comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// As if it had come over a connection.
    Outer,
    /// From the front, which leads it on.
    BehindFront,
}

/// Where the body of a request comes from.
pub enum Inbound {
    Wire(Incoming),
    Given(Given),
    Empty,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wire(_) => "Wire",
            Self::Given(_) => "Given",
            Self::Empty => "Empty",
        })
    }
}

impl From<Incoming> for Inbound {
    fn from(incoming: Incoming) -> Self {
        Self::Wire(incoming)
    }
}

impl HttpBody for Inbound {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Wire(incoming) => Pin::new(incoming)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(BodyError::from))),
            Self::Given(given) => given.as_mut().poll_frame(cx),
            Self::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Wire(incoming) => incoming.is_end_stream(),
            Self::Given(given) => given.is_end_stream(),
            Self::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Wire(incoming) => incoming.size_hint(),
            Self::Given(given) => given.size_hint(),
            Self::Empty => SizeHint::with_exact(0),
        }
    }
}
