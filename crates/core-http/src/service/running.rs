//! What marks a request as under way until its answer, streams included, has been produced.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_ENCODING;
use http_body::{Body as HttpBody, Frame, SizeHint};

use crate::body::{self, Body};
use crate::error::BodyError;
use crate::event_stream::{EventBody, EventStream};
use crate::metrics::{Flight, Place};
use crate::response::Response;
use crate::wire::Activity;

/// Marks a request as under way until its answer, streams included, has been produced.
pub(crate) struct Running {
    activity: Rc<Activity>,
    /// Where requests are counted.
    pub(super) flight: Option<Flight>,
}

impl std::fmt::Debug for Running {
    /// Without the activity, which may hold this very value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

impl Running {
    pub(super) fn new(activity: Rc<Activity>) -> Self {
        activity.active.set(activity.active.get() + 1);
        activity.in_head.set(false);
        Self {
            activity,
            flight: None,
        }
    }

    /// Counts the answer, where that is done.
    pub(super) fn answered(&mut self, place: Place, status: StatusCode) {
        if let Some(flight) = &mut self.flight {
            flight.answered(place, status);
        }
    }

    pub(super) fn hold_while_streaming(self, response: Response) -> Response {
        self.activity.unflushed.set(true);
        match response.body() {
            Body::Stream(_) => {}
            Body::Upgrade(_) => return self.hand_over(response),
            Body::Empty | Body::Full(_) => return response,
        }
        // A coded stream can't take comments in between.
        let events = response
            .extensions()
            .get::<EventStream>()
            .copied()
            .filter(|_| !response.headers().contains_key(CONTENT_ENCODING));
        response.map(|body| match body {
            Body::Stream(inner) => Body::Stream(Box::pin(Held {
                inner: match events {
                    Some(events) => {
                        Box::pin(EventBody::new(inner, Rc::clone(&self.activity), events))
                    }
                    None => inner,
                },
                running: self,
            })),
            other => other,
        })
    }
}

impl Running {
    /// Keeps what takes over the connection until hyper lets go of it, and marks it as under way to its end.
    fn hand_over(self, response: Response) -> Response {
        let is_agreed = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        response.map(|body| {
            if let Body::Upgrade(upgrade) = body
                && is_agreed
            {
                let activity = Rc::clone(&self.activity);
                activity.successor.replace(Some((upgrade, self)));
            }
            Body::Empty
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
