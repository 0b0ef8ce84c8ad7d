//! Replace workers one by one: the new one is ready before the old one stops, on the same socket.

use std::time::Duration;

use rustix::process::Signal;

use super::log;
use super::pool::{Alarm, End, Pool};
use super::slot::Slot;
use super::worker::{Phase, WorkerId};

/// How long idle connections may send one more request to a worker that was replaced. A client that reuses a
/// connection in this time is answered with `Connection: close` instead of finding it cut.
pub(crate) const LINGER: Duration = Duration::from_millis(1500);
/// The same for development: enough for a connection that has just been accepted.
pub(crate) const SHORT_LINGER: Duration = Duration::from_millis(300);
/// A replacement that isn't ready by then is given up.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// On top of the application's own time for a drain.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

impl Pool {
    /// Begin to renew all slots; one that is under way begins again, since what it has loaded is out of date.
    pub(crate) fn roll(&mut self, linger: Duration) -> Option<End> {
        self.linger = linger;
        self.rolling = (0..self.slots.len()).collect();
        self.renew()
    }

    /// A slot has been renewed; go on with the next one.
    pub(crate) fn roll_on(&mut self, slot: usize) -> Option<End> {
        if self.rolling.front() != Some(&slot) {
            return None;
        }
        self.rolling.pop_front();
        if self.rolling.is_empty() {
            log::note(format_args!("reloaded"));
        }
        self.renew()
    }

    /// Renew the first of the slots that are still waiting.
    fn renew(&mut self) -> Option<End> {
        let slot = *self.rolling.front()?;
        self.discard_unready(slot);
        // A restart that was planned for later is this one.
        self.slots[slot].attempt += 1;
        self.start(slot)
    }

    /// A worker that has not become ready has nobody waiting for it.
    fn discard_unready(&mut self, slot: usize) {
        let place = &mut self.slots[slot];
        for seat in [&mut place.serving, &mut place.replacement] {
            let Some(worker) = seat.and_then(|id| self.workers.get_mut(&id)) else {
                continue;
            };
            if worker.phase < Phase::Ready {
                worker.phase = Phase::Discarded;
                worker.signal(Signal::KILL);
                *seat = None;
            }
        }
    }

    /// A replacement has limited time. A worker without a predecessor may take as long as it likes.
    pub(crate) fn expect_ready(&self, worker: WorkerId) {
        for phase in [Phase::Booting, Phase::Loading, Phase::Starting] {
            self.plan(READY_WITHIN, Alarm::Overdue { worker, phase });
        }
    }

    /// A worker is ready: if it came as a replacement, the old one may go.
    pub(crate) fn take_over(&mut self, id: WorkerId, slot: usize) {
        let place = &mut self.slots[slot];
        if place.replacement != Some(id) {
            return;
        }
        place.replacement = None;
        place.due = false;
        if let Some(old) = place.serving.replace(id) {
            self.drain(old, self.linger);
        }
    }

    /// Let a worker finish and end, in bounded time.
    pub(crate) fn drain(&mut self, id: WorkerId, linger: Duration) {
        let limit = self.drain_limit() + linger;
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        worker.phase = Phase::Draining;
        worker.drain(linger);
        self.plan(
            limit,
            Alarm::Overdue {
                worker: id,
                phase: Phase::Draining,
            },
        );
    }

    /// The longest a drain may take.
    pub(crate) fn drain_limit(&self) -> Duration {
        Duration::try_from_secs_f64(self.settings.shutdown_timeout).unwrap_or_default() + GRACE
    }

    /// Replace one worker that has served its share.
    pub(crate) fn recycle(&mut self, id: WorkerId, reason: &str) {
        let Some(worker) = self.workers.get(&id) else {
            return;
        };
        let place = &mut self.slots[worker.slot];
        if place.serving != Some(id) || place.due || place.replacement.is_some() {
            return;
        }
        log::note(format_args!("replacing {worker}: {reason}"));
        place.due = true;
        let slot = worker.slot;
        // Once a worker has been ready, a failure to start one is a matter of trying again.
        let _ = self.start(slot);
    }

    /// One more worker, on the socket of another.
    pub(crate) fn add_worker(&mut self) -> Option<End> {
        if !self.proven {
            return None;
        }
        self.slots.push(Slot::default());
        log::note(format_args!("adding a worker, now {}", self.slots.len()));
        self.start(self.slots.len() - 1)
    }

    /// Take away a worker that was added. The first ones have a queue of their own, which must not be left alone.
    pub(crate) fn remove_worker(&mut self) {
        let least = self
            .listeners
            .as_ref()
            .map_or(1, super::listener::Listeners::count);
        if self.slots.len() <= least {
            log::note(format_args!("staying at {} workers", self.slots.len()));
            return;
        }
        self.discard_unready(self.slots.len() - 1);
        let Some(slot) = self.slots.pop() else { return };
        self.rolling.retain(|waiting| *waiting != self.slots.len());
        log::note(format_args!(
            "taking a worker away, now {}",
            self.slots.len()
        ));
        for id in [slot.serving, slot.replacement].into_iter().flatten() {
            self.drain(id, LINGER);
        }
    }
}
