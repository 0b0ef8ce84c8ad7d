//! Figures of a running server, readable from any thread.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Written by the server's thread alone, so plain loads and stores do.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    connections: AtomicUsize,
}

impl Counters {
    /// Requests taken so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn count_request(&self) {
        self.requests.store(self.requests() + 1, Ordering::Relaxed);
    }

    pub(crate) fn set_connections(&self, open: usize) {
        self.connections.store(open, Ordering::Relaxed);
    }
}
