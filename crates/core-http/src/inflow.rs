//! A request's body as it comes, for those who do not want it whole.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::error::BodyError;

/// How much, and how long, is read behind a refusal.
const LINGER_SIZE: u64 = 16 * 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// What an inflow reads from. It crosses threads: a loop of its own may be where it is wanted.
pub type Source = Pin<Box<dyn HttpBody<Data = Bytes, Error = BodyError> + Send>>;

/// Pieces of a body, under its limit on size and on the time between two of them. Nothing is read before it is asked
/// for, so that a slow reader slows the sender.
pub struct Inflow {
    source: Source,
    limit: u64,
    total: u64,
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Inflow {
    pub fn new(source: Source, limit: Option<u64>, idle: Duration) -> Self {
        Self {
            source,
            limit: limit.unwrap_or(u64::MAX),
            total: 0,
            idle,
            timer: None,
        }
    }

    /// The next piece, never empty; None at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Inflow::next`].
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            match self.source.as_mut().poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    if data.is_empty() {
                        continue;
                    }
                    self.timer = None;
                    self.total += data.len() as u64;
                    if self.total > self.limit {
                        return Poll::Ready(Some(Err(BodyError::TooLarge { limit: self.limit })));
                    }
                    return Poll::Ready(Some(Ok(data)));
                }
                Poll::Pending => {}
            }
            let idle = self.idle;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
            return timer.as_mut().poll(cx).map(|()| {
                Some(Err(BodyError::Idle {
                    seconds: idle.as_secs_f64(),
                }))
            });
        }
    }

    /// Reads and forgets what a refused client is still sending, for a while: a connection that is closed over unread
    /// bytes is reset, and the client would not see the answer.
    pub fn linger(mut self) {
        self.limit = self.total.saturating_add(LINGER_SIZE);
        tokio::task::spawn_local(async move {
            let rest = async { while let Some(Ok(_)) = self.next().await {} };
            // Whether it ended, was too much or took too long: the connection may go now.
            let _ = tokio::time::timeout(LINGER_TIME, rest).await;
        });
    }

    /// What is known of the size of the rest.
    pub fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}

impl std::fmt::Debug for Inflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflow")
            .field("total", &self.total)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
