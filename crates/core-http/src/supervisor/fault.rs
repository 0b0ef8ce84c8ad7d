//! Why the server ends before anybody asked it to.

use std::path::PathBuf;

use super::{EXIT_CONFIG, EXIT_STARTUP};

/// Each message is one line: what is wrong, then what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Listen(String),
    #[error("no Python interpreter found: {0}; name one with --python PATH")]
    NoInterpreter(String),
    #[error("{0}")]
    Interpreter(String),
    #[error("cannot write the pid file {}: {reason}", path.display())]
    PidFile { path: PathBuf, reason: String },
    #[error("{0}")]
    Config(String),
    #[error("{0}")]
    Startup(String),
    #[error("cannot {what}: {reason}")]
    System { what: &'static str, reason: String },
}

impl Fault {
    pub(crate) fn system(what: &'static str, error: &std::io::Error) -> Self {
        Self::System {
            what,
            reason: error.to_string(),
        }
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Startup(_) => EXIT_STARTUP,
            Self::System { .. } => 1,
            _ => EXIT_CONFIG,
        }
    }
}
