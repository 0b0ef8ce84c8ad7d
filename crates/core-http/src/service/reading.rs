//! Reading a request's body the way its handler wants it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};

use super::Service;
use super::coded_body::decoded;
use crate::body;
use crate::coding::Coding;
use crate::error::BodyError;
use crate::handler::BodyPolicy;
use crate::inbound::Inbound;
use crate::inflow::Inflow;
use crate::multipart::{self, MultipartError};
use crate::problem::Problem;
use crate::request::{Intake, Request};

/// How much of an unwanted body is read to keep the connection usable.
const DISCARD_LIMIT: u64 = 64 * 1024;

impl Service {
    /// Reads as much of the body as the policy wants into the request; else says what to answer.
    pub(super) async fn read(
        &self,
        limit: Option<u64>,
        policy: BodyPolicy,
        coding: Option<Coding>,
        request: &mut Request,
        incoming: Inbound,
    ) -> Result<(), Problem> {
        let idle = self.settings.body_read_timeout;
        let source = match coding {
            None => Body::Coming(incoming),
            // What is compressed is read whole, under the limit before and after, and goes on as if it had come so.
            Some(coding) => {
                let body = match Body::Coming(incoming).whole(limit, idle).await {
                    Ok(body) => decoded(coding, body, limit, &mut request.head).await,
                    Err(error) => Err(error.into()),
                };
                match body {
                    Ok(body) => Body::There(body),
                    Err(problem) => return Err(problem),
                }
            }
        };
        let (body, intake) = match policy {
            BodyPolicy::Buffer => (source.whole(limit, idle).await, Intake::Whole),
            BodyPolicy::Discard => {
                let discarded = match source {
                    Body::Coming(incoming) => body::discard(incoming, DISCARD_LIMIT, idle).await,
                    Body::There(_) => Ok(true),
                };
                (discarded.map(|_| Bytes::new()), Intake::Whole)
            }
            BodyPolicy::Parts { boundary, rules } => {
                let mut inflow = source.inflow(limit, idle);
                // Boxed: what it takes to read a form is large, and the other bodies are many.
                let reading = Box::pin(multipart::of_inflow(&mut inflow, &boundary, &rules));
                let read = reading.await;
                match read {
                    Ok(parts) => (Ok(Bytes::new()), Intake::Parts(parts)),
                    Err(error) => {
                        if let MultipartError::Disk(fault) = &error {
                            self.observer.failed(request.head.id.as_ref(), fault);
                        }
                        inflow.linger();
                        return Err(error.into());
                    }
                }
            }
            BodyPolicy::Stream => (
                Ok(Bytes::new()),
                Intake::Stream(Box::new(source.inflow(limit, idle))),
            ),
        };
        request.body = body?;
        request.intake = intake;
        Ok(())
    }
}

/// Where a body is.
enum Body {
    Coming(Inbound),
    There(Bytes),
}

impl Body {
    async fn whole(self, limit: Option<u64>, idle: Duration) -> Result<Bytes, BodyError> {
        match self {
            Self::Coming(mut incoming) => {
                let whole = body::collect(&mut incoming, limit, idle).await;
                if matches!(whole, Err(BodyError::TooLarge { .. })) {
                    linger(incoming);
                }
                whole
            }
            Self::There(body) => Ok(body),
        }
    }

    fn inflow(self, limit: Option<u64>, idle: Duration) -> Inflow {
        match self {
            Self::Coming(incoming) => inflow(incoming, limit, idle),
            Self::There(body) => {
                let source = Box::pin(Full::new(body).map_err(BodyError::from));
                Inflow::new(source, limit, idle)
            }
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
