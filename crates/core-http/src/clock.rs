//! The time of day as limits and tokens see it; tests hold it still.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
pub type Nanos = u64;

pub const SECOND: Nanos = 1_000_000_000;

/// Tells the time of the machine, or the one it was told to stand still at.
#[derive(Debug, Default)]
pub struct Clock {
    /// 0: it runs.
    held: AtomicU64,
}

impl Clock {
    pub const fn new() -> Self {
        Self {
            held: AtomicU64::new(0),
        }
    }

    pub fn now(&self) -> Nanos {
        self.held().unwrap_or_else(|| {
            // A machine set to before 1970 has its clock at the beginning of it.
            let since = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        })
    }

    /// The moment it stands still at, if it does.
    pub fn held(&self) -> Option<Nanos> {
        match self.held.load(Ordering::Relaxed) {
            0 => None,
            at => Some(at),
        }
    }

    /// Stands still from now on.
    pub fn hold(&self, at: Nanos) {
        self.held.store(at.max(1), Ordering::Relaxed);
    }

    /// Runs again.
    pub fn release(&self) {
        self.held.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_while_held() {
        let clock = Clock::new();
        clock.hold(5 * SECOND);
        assert_eq!((clock.now(), clock.now()), (5 * SECOND, 5 * SECOND));
        clock.release();
        // Later than the year 2020, whatever the machine's clock says exactly.
        assert!(clock.now() > 1_577_836_800 * SECOND);
    }
}
