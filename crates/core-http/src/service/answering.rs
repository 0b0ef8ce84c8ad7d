//! An answer under way, as hyper waits for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::LocalBoxFuture;

use crate::response::Response;

/// An answer on its way, as hyper wants it.
pub(crate) enum Answering {
    Ready(Option<Response>),
    Later(LocalBoxFuture<'static, Response>),
}

impl Future for Answering {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            // hyper polls no future again that was ready.
            Self::Ready(response) => Poll::Ready(Ok(response.take().unwrap_or_default())),
            Self::Later(future) => future.as_mut().poll(cx).map(Ok),
        }
    }
}
