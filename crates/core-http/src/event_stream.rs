//! Event streams (server-sent events): what keeps a silent one alive, and ends it in order.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Instant, Sleep, sleep};

use crate::body::FrameStream;
use crate::error::BodyError;
use crate::wire::{Activity, Ending};

/// Comments, which clients ignore.
const PING: &[u8] = b": ping\n\n";
const FAREWELL: &[u8] = b": the server is closing\n\n";

/// Put into an answer's extensions it makes its stream one of events: a comment is sent after so long without an
/// event (`None`: never), and when the server stops the stream ends after its current event.
#[derive(Clone, Copy, Debug)]
pub struct EventStream {
    pub keep_alive: Option<Duration>,
}

/// The body of such an answer.
pub(crate) struct EventBody {
    /// None once the stream is over.
    inner: Option<FrameStream>,
    activity: Rc<Activity>,
    silence: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl EventBody {
    pub(crate) fn new(inner: FrameStream, activity: Rc<Activity>, stream: EventStream) -> Self {
        let silence = stream
            .keep_alive
            .map(|limit| (limit, Box::pin(sleep(limit))));
        Self {
            inner: Some(inner),
            activity,
            silence,
        }
    }

    fn end(&mut self) {
        self.inner = None;
        self.silence = None;
    }
}

fn comment(text: &'static [u8]) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text)))))
}

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        if this.activity.ending.get() == Some(Ending::Graceful) {
            this.end();
            return comment(FAREWELL);
        }
        if let Poll::Ready(frame) = inner.as_mut().poll_frame(cx) {
            match &mut this.silence {
                Some((limit, timer)) if frame.is_some() => {
                    timer.as_mut().reset(Instant::now() + *limit);
                }
                _ => this.silence = None,
            }
            if frame.is_none() {
                this.end();
            }
            return Poll::Ready(frame);
        }
        this.activity.watch(cx);
        if let Some((limit, timer)) = &mut this.silence
            && timer.as_mut().poll(cx).is_ready()
        {
            timer.as_mut().reset(Instant::now() + *limit);
            return comment(PING);
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_none()
    }
}
