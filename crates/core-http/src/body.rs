//! Bodies: what comes in and what goes out.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::error::BodyError;
use crate::inbound::Inbound;
use crate::upgrade::Upgrade;

/// A stream of body frames that a handler produces, polled on the connection's own thread.
pub type FrameStream = Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError>>>;

/// The body of an answer.
#[derive(Default)]
pub enum Body {
    #[default]
    Empty,
    Full(Bytes),
    Stream(FrameStream),
    /// Of a 101: empty, and then somebody else has the connection.
    Upgrade(Upgrade),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
            Self::Upgrade(_) => f.write_str("Upgrade"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Full(bytes)
        }
    }
}

impl From<Infallible> for BodyError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match this {
            Self::Empty | Self::Upgrade(_) => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *this = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Stream(stream) => stream.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Upgrade(_) => true,
            Self::Full(_) => false,
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty | Self::Upgrade(_) => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}

/// Reads a request body whole, at most `limit` bytes, waiting at most `idle` for each next piece.
///
/// The timer is only made when a piece isn't there yet, so that a body that came with its head costs none.
pub(crate) async fn collect(
    incoming: &mut Inbound,
    limit: Option<u64>,
    idle: Duration,
) -> Result<Bytes, BodyError> {
    let limit = limit.unwrap_or(u64::MAX);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut total: u64 = 0;
    while let Some(frame) = next_frame(incoming, idle).await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        total += data.len() as u64;
        if total > limit {
            return Err(BodyError::TooLarge { limit });
        }
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                let expected = incoming.size_hint().lower().min(limit) as usize;
                rest.reserve(first.len() + data.len() + expected);
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

/// Reads and forgets a body of at most `limit` bytes; tells whether it ended within that.
pub(crate) async fn discard(
    mut incoming: Inbound,
    limit: u64,
    idle: Duration,
) -> Result<bool, BodyError> {
    let mut total: u64 = 0;
    while let Some(frame) = next_frame(&mut incoming, idle).await {
        if let Ok(data) = frame?.into_data() {
            total += data.len() as u64;
            if total > limit {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

async fn next_frame(
    incoming: &mut Inbound,
    idle: Duration,
) -> Option<Result<Frame<Bytes>, BodyError>> {
    let mut sleep: Option<Pin<Box<tokio::time::Sleep>>> = None;
    std::future::poll_fn(|cx| {
        match Pin::new(&mut *incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                return Poll::Ready(frame);
            }
            Poll::Pending => {}
        }
        let timer = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::Idle {
                seconds: idle.as_secs_f64(),
            }))),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
