//! Streamed bodies, compressed while they pass.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::task::JoinHandle;

use super::AT_ONCE;
use super::encoder::Encoder;
use crate::body::FrameStream;
use crate::error::BodyError;

/// A body that is compressed piece by piece. Large pieces are worked on in another thread; one at a time, so that
/// the source is asked for the next only when this one has gone.
pub(super) struct Compressed {
    source: FrameStream,
    state: State,
    /// Whether each piece must come out at once.
    flushes: bool,
}

enum State {
    Idle(Encoder),
    Working(JoinHandle<io::Result<(Encoder, Bytes)>>),
    /// What came behind the body.
    Trailers(Frame<Bytes>),
    Done,
}

impl Compressed {
    pub(super) fn new(source: FrameStream, encoder: Encoder, flushes: bool) -> Self {
        Self {
            source,
            state: State::Idle(encoder),
            flushes,
        }
    }

    /// Compresses a piece; gives what came out of it, if it was small enough to be done here.
    fn take_in(&mut self, mut encoder: Encoder, piece: Bytes) -> io::Result<Bytes> {
        let flushes = self.flushes;
        if piece.len() > AT_ONCE {
            self.state = State::Working(tokio::task::spawn_blocking(move || {
                let ready = encoder.push(&piece, flushes)?;
                Ok((encoder, ready))
            }));
            return Ok(Bytes::new());
        }
        let ready = encoder.push(&piece, flushes)?;
        self.state = State::Idle(encoder);
        Ok(ready)
    }

    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            // An early return on failure leaves `Done` behind.
            match std::mem::replace(&mut self.state, State::Done) {
                State::Working(mut work) => {
                    let Poll::Ready(outcome) = Pin::new(&mut work).poll(cx) else {
                        self.state = State::Working(work);
                        return Poll::Pending;
                    };
                    let (encoder, ready) = outcome
                        .map_err(io::Error::other)
                        .and_then(|done| done)
                        .map_err(broken)?;
                    self.state = State::Idle(encoder);
                    if !ready.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(ready))));
                    }
                }
                State::Idle(encoder) => {
                    let Poll::Ready(frame) = self.source.as_mut().poll_frame(cx) else {
                        self.state = State::Idle(encoder);
                        return Poll::Pending;
                    };
                    let ready = match frame.transpose()?.map(Frame::into_data) {
                        Some(Ok(piece)) if piece.is_empty() => {
                            self.state = State::Idle(encoder);
                            Bytes::new()
                        }
                        Some(Ok(piece)) => self.take_in(encoder, piece).map_err(broken)?,
                        Some(Err(trailers)) => {
                            self.state = State::Trailers(trailers);
                            encoder.finish().map_err(broken)?
                        }
                        None => encoder.finish().map_err(broken)?,
                    };
                    if !ready.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(ready))));
                    }
                }
                State::Trailers(frame) => return Poll::Ready(Some(Ok(frame))),
                State::Done => return Poll::Ready(None),
            }
        }
    }
}

fn broken(error: io::Error) -> BodyError {
    BodyError::Producer(format!("the body could not be compressed: {error}"))
}

impl HttpBody for Compressed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll_piece(cx)
    }
}
