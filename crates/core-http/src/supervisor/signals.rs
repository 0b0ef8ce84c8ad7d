//! What the outside world asks for.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A wish, whatever number it comes under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Stop,
    Reload,
    AddWorker,
    RemoveWorker,
}

/// The signals this process listens to.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    add: Signal,
    remove: Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        let job_control =
            |number: rustix::process::Signal| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            add: job_control(rustix::process::Signal::TTIN)?,
            remove: job_control(rustix::process::Signal::TTOU)?,
        })
    }

    /// The next wish.
    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.hang_up.recv() => Wish::Reload,
            _ = self.add.recv() => Wish::AddWorker,
            _ = self.remove.recv() => Wish::RemoveWorker,
        }
    }
}

/// A signal's name for the log.
pub(crate) fn name(number: i32) -> String {
    use rustix::process::Signal;
    let known = [
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::HUP, "SIGHUP"),
        (Signal::ILL, "SIGILL"),
        (Signal::INT, "SIGINT"),
        (Signal::KILL, "SIGKILL"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::TERM, "SIGTERM"),
    ];
    let name = known
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map(|(_, name)| *name);
    name.map_or_else(|| format!("signal {number}"), str::to_owned)
}
