//! What is said between this process and its workers: a JSON object per line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Raised whenever either side would misunderstand the other.
pub(crate) const PROTOCOL: u32 = 1;

/// From the supervisor to a worker.
#[derive(Debug, Serialize)]
#[serde(tag = "cmd", rename_all = "lowercase")]
pub(crate) enum Command<'a> {
    /// The first one; carries standard error and standard input, which the worker puts in place, and the memory that
    /// all workers share.
    Start {
        protocol: u32,
        target: &'a str,
        app_dir: Option<&'a PathBuf>,
        config: &'a Map<String, Value>,
        debug: bool,
    },
    /// Serve on the socket that comes with this message, or on an inherited one by its number.
    Listen { fd: Option<i32> },
    /// Stop accepting, let idle connections send one more request for `linger` seconds, finish, exit.
    Drain { linger: f64 },
}

/// From a worker to the supervisor.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Event {
    /// The interpreter runs and has found spikard.
    Hello {
        protocol: u32,
        version: String,
        executable: String,
    },
    /// The application is imported and its configuration known.
    Loaded { config: Settings },
    /// Start-up is done, requests are being accepted.
    Ready { addresses: Vec<String> },
    /// It cannot start; the process is about to end.
    Failed(Failure),
    /// It has served its share and would like to be replaced.
    Recycle { reason: String },
}

/// Why a worker cannot start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) traceback: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FailureKind {
    /// The interpreter cannot run this spikard.
    Interpreter,
    /// Something the operator or developer declared is impossible.
    Config,
    /// The application's own code raised.
    Startup,
}

/// The part of the application's configuration that concerns processes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) uds: Option<PathBuf>,
    pub(crate) workers: usize,
    pub(crate) backlog: i32,
    pub(crate) shutdown_timeout: f64,
    /// MiB.
    pub(crate) worker_max_rss: Option<u64>,
    /// Seconds.
    pub(crate) worker_lifetime: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8000,
            uds: None,
            workers: 1,
            backlog: 2048,
            shutdown_timeout: 30.0,
            worker_max_rss: None,
            worker_lifetime: None,
        }
    }
}

impl Settings {
    /// What can only change with the whole server.
    pub(crate) fn differs_for_good(&self, other: &Self) -> bool {
        let fixed = |settings: &Self| {
            (
                settings.host.clone(),
                settings.port,
                settings.uds.clone(),
                settings.workers,
                settings.backlog,
            )
        };
        fixed(self) != fixed(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_as_workers_write_them() {
        for (line, expected) in [
            (
                r#"{"event":"hello","protocol":1,"version":"0.20.0","executable":"/p"}"#,
                Event::Hello {
                    protocol: 1,
                    version: "0.20.0".into(),
                    executable: "/p".into(),
                },
            ),
            (
                r#"{"event":"ready","addresses":["http://h:1"]}"#,
                Event::Ready {
                    addresses: vec!["http://h:1".into()],
                },
            ),
            (
                r#"{"event":"failed","kind":"config","message":"m"}"#,
                Event::Failed(Failure {
                    kind: FailureKind::Config,
                    message: "m".into(),
                    traceback: None,
                }),
            ),
            (
                r#"{"event":"loaded","config":{"port":1,"workers":2,"unknown":3}}"#,
                Event::Loaded {
                    config: Settings {
                        port: 1,
                        workers: 2,
                        ..Settings::default()
                    },
                },
            ),
            (
                r#"{"event":"recycle","reason":"r"}"#,
                Event::Recycle { reason: "r".into() },
            ),
        ] {
            assert_eq!(
                serde_json::from_str::<Event>(line).unwrap(),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn commands_as_workers_read_them() {
        let line = serde_json::to_string(&Command::Drain { linger: 1.5 }).unwrap();
        assert_eq!(line, r#"{"cmd":"drain","linger":1.5}"#);
        assert_eq!(
            serde_json::to_string(&Command::Listen { fd: Some(3) }).unwrap(),
            r#"{"cmd":"listen","fd":3}"#
        );
    }
}
