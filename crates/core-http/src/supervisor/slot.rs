//! The place a worker serves in; workers come and go, the slot and its socket stay.

use super::backoff::Backoff;
use super::worker::WorkerId;

#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// The worker that serves, or will as soon as it has started.
    pub(crate) serving: Option<WorkerId>,
    /// The one that takes over as soon as it is ready.
    pub(crate) replacement: Option<WorkerId>,
    pub(crate) backoff: Backoff,
    /// Counts planned restarts; a timer that comes back with an older number is out of date.
    pub(crate) attempt: u64,
    /// The serving worker has asked to be replaced.
    pub(crate) due: bool,
}

impl Slot {
    pub(crate) fn is_empty(&self) -> bool {
        self.serving.is_none() && self.replacement.is_none()
    }
}
