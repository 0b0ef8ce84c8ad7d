use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};

use pyo3::prelude::*;

/// Whose turn it is: one step of a session at a time, whichever thread asks. A thread that has to wait sleeps.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The thread that has the turn; 0 for none.
    owner: AtomicUsize,
    sleeping: AtomicUsize,
}

/// Where threads sleep, of all sessions together: they seldom wait, so sessions have no room for it.
static ROOMS: [Room; 16] = [const {
    Room {
        door: Mutex::new(()),
        bell: Condvar::new(),
    }
}; 16];

struct Room {
    door: Mutex<()>,
    bell: Condvar,
}

thread_local! {
    static HERE: u8 = const { 0 };
}

/// A number that no other living thread has.
fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl Turn {
    /// Takes the turn if nobody has it.
    pub(super) fn try_take(&self) -> bool {
        self.owner
            .compare_exchange(0, here(), SeqCst, SeqCst)
            .is_ok()
    }

    /// Takes the turn for this thread; false when this thread has it already.
    pub(super) fn take(&self, py: Python<'_>) -> bool {
        if self.try_take() {
            return true;
        }
        if self.owner.load(SeqCst) == here() {
            return false;
        }
        py.detach(|| self.wait());
        true
    }

    fn wait(&self) {
        let room = self.room();
        let mut door = room.door.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever gives the turn back looks at this after that, so one of the two sees the other.
        self.sleeping.fetch_add(1, SeqCst);
        while !self.try_take() {
            door = room.bell.wait(door).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleeping.fetch_sub(1, SeqCst);
    }

    /// Gives the turn back.
    pub(super) fn give(&self) {
        self.owner.store(0, SeqCst);
        if self.sleeping.load(SeqCst) > 0 {
            let room = self.room();
            drop(room.door.lock().unwrap_or_else(PoisonError::into_inner));
            room.bell.notify_all();
        }
    }

    fn room(&self) -> &'static Room {
        &ROOMS[(std::ptr::from_ref(self).addr() >> 6) % ROOMS.len()]
    }
}
