//! Reading a request's body the way its handler wants it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;

use super::Service;
use crate::body;
use crate::error::BodyError;
use crate::handler::BodyPolicy;
use crate::inbound::Inbound;
use crate::inflow::Inflow;
use crate::multipart::{self, MultipartError};
use crate::problem::Problem;
use crate::request::{Head, Intake, Request};

/// How much of an unwanted body is read to keep the connection usable.
const DISCARD_LIMIT: u64 = 64 * 1024;

impl Service {
    /// The request with as much of its body as the policy wants; else its head and what to answer.
    pub(super) async fn read(
        &self,
        limit: Option<u64>,
        policy: BodyPolicy,
        head: Head,
        mut incoming: Inbound,
    ) -> Result<Box<Request>, (Head, Problem)> {
        let idle = self.settings.body_read_timeout;
        let (body, intake) = match policy {
            BodyPolicy::Buffer => {
                let whole = body::collect(&mut incoming, limit, idle).await;
                if matches!(whole, Err(BodyError::TooLarge { .. })) {
                    linger(incoming);
                }
                (whole, Intake::Whole)
            }
            BodyPolicy::Discard => {
                let discarded = body::discard(incoming, DISCARD_LIMIT, idle).await;
                (discarded.map(|_| Bytes::new()), Intake::Whole)
            }
            BodyPolicy::Parts { boundary, rules } => {
                let mut inflow = inflow(incoming, limit, idle);
                // Boxed: what it takes to read a form is large, and the other bodies are many.
                let reading = Box::pin(multipart::of_inflow(&mut inflow, &boundary, &rules));
                let read = reading.await;
                match read {
                    Ok(parts) => (Ok(Bytes::new()), Intake::Parts(parts)),
                    Err(error) => {
                        if let MultipartError::Disk(fault) = &error {
                            self.observer.failed(head.id.as_ref(), fault);
                        }
                        inflow.linger();
                        return Err((head, error.into()));
                    }
                }
            }
            BodyPolicy::Stream => (
                Ok(Bytes::new()),
                Intake::Stream(Box::new(inflow(incoming, limit, idle))),
            ),
        };
        match body {
            Ok(body) => Ok(Box::new(Request { head, body, intake })),
            Err(error) => Err((head, error.into())),
        }
    }
}

fn inflow(incoming: Inbound, limit: Option<u64>, idle: Duration) -> Inflow {
    Inflow::new(Box::pin(incoming.map_err(BodyError::from)), limit, idle)
}

/// Lets a client finish sending what nobody wants; see [`Inflow::linger`].
pub(super) fn linger(incoming: Inbound) {
    inflow(incoming, None, Duration::from_secs(1)).linger();
}
