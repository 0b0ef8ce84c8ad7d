//! `spikard-server`: see `core_http::supervisor`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    core_http::supervisor::main(std::env::args_os())
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!(
        "spikard-server: error: worker processes need a Unix system; run one process with `python -m spikard run` here"
    );
    ExitCode::from(2)
}
