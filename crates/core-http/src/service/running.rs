//! What marks a request as under way until its answer, streams included, has been produced.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::body::{self, Body};
use crate::error::BodyError;
use crate::response::Response;
use crate::wire::Activity;

/// Marks a request as under way until its answer, streams included, has been produced.
#[derive(Debug)]
pub(super) struct Running {
    activity: Rc<Activity>,
}

impl Running {
    pub(super) fn new(activity: Rc<Activity>) -> Self {
        activity.active.set(activity.active.get() + 1);
        activity.in_head.set(false);
        Self { activity }
    }

    pub(super) fn hold_while_streaming(self, response: Response) -> Response {
        self.activity.unflushed.set(true);
        if !matches!(response.body(), Body::Stream(_)) {
            return response;
        }
        response.map(|body| match body {
            Body::Stream(inner) => Body::Stream(Box::pin(Held {
                inner,
                running: self,
            })),
            other => other,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.activity.active.set(self.activity.active.get() - 1);
    }
}

/// A streamed body that keeps its request marked as under way.
struct Held {
    inner: body::FrameStream,
    running: Running,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = self.inner.as_mut().poll_frame(cx);
        self.running.activity.unflushed.set(true);
        frame
    }
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
