//! What can go wrong below a handler.

use std::io;

use crate::problem::Problem;

/// A request or answer body that could not be read or produced whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("no byte of the body came for {seconds} seconds")]
    Idle { seconds: f64 },
    #[error("the body ended early or was malformed: {0}")]
    Broken(#[from] hyper::Error),
    #[error("{0}")]
    Producer(String),
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::payload_too_large(limit),
            BodyError::Idle { seconds } => Self::request_timeout(seconds),
            BodyError::Broken(_) | BodyError::Producer(_) => {
                Self::bad_request("The request body ended early or was malformed")
            }
        }
    }
}

/// A listener that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("cannot resolve {host:?}: {source}")]
    Resolve { host: String, source: io::Error },
    #[error("cannot listen on {address}: {source}")]
    Bind { address: String, source: io::Error },
}

impl ListenError {
    /// The operating system's reason.
    pub fn io(&self) -> &io::Error {
        match self {
            Self::Resolve { source, .. } | Self::Bind { source, .. } => source,
        }
    }
}
