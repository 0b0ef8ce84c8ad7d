//! Let the workers finish, then end.

use rustix::process::Signal;

use super::EXIT_FORCED;
use super::fault::Fault;
use super::log;
use super::pool::{Alarm, End, Pool};

/// What is left to do once the last worker is gone.
#[derive(Debug)]
pub(crate) struct Stopping {
    outcome: Result<u8, Fault>,
}

impl Pool {
    /// Somebody wants us to stop; a second time means at once.
    pub(crate) fn stop(&mut self) -> Option<End> {
        if self.stopping.is_some() {
            self.kill_all();
            return Some(Ok(EXIT_FORCED));
        }
        log::note(format_args!("stopping"));
        self.stop_with(Ok(0))
    }

    /// Stop, and end with `outcome`.
    pub(crate) fn stop_with(&mut self, outcome: Result<u8, Fault>) -> Option<End> {
        self.stopping = Some(Stopping { outcome });
        for worker in self.workers.values() {
            worker.signal(Signal::TERM);
        }
        self.plan(self.drain_limit(), Alarm::StopNow);
        self.finished()
    }

    /// The end, once every worker has gone.
    pub(crate) fn finished(&mut self) -> Option<End> {
        if !self.workers.is_empty() {
            return None;
        }
        self.stopping.take().map(|stopping| stopping.outcome)
    }

    pub(crate) fn kill_all(&self) {
        for worker in self.workers.values() {
            log::note(format_args!("killing {worker}"));
            worker.signal(Signal::KILL);
        }
    }
}
