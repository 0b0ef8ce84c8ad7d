//! Threads for plain `def` handlers, which may block.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use pyo3::prelude::*;

type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// A bounded pool; threads are made when first needed and end with the pool.
#[derive(Clone)]
pub(crate) struct ThreadPool {
    shared: Arc<Shared>,
    limit: usize,
}

struct Shared {
    state: Mutex<State>,
    added: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl std::fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadPool")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements under the lock, so a panic elsewhere doesn't spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; `None` when the pool is closed. Called without the interpreter.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                state.threads -= 1;
                return None;
            }
            state.idle += 1;
            state = self
                .added
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl ThreadPool {
    pub(crate) fn new(limit: usize) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            added: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
            limit: limit.max(1),
        }
    }

    /// Queues a job; false if the pool is closed or no thread could be made.
    pub(crate) fn submit(&self, job: impl FnOnce(Python<'_>) + Send + 'static) -> bool {
        let mut state = self.shared.lock();
        if state.closed {
            return false;
        }
        state.jobs.push_back(Box::new(job));
        if state.idle >= state.jobs.len() || state.threads >= self.limit {
            self.shared.added.notify_one();
            return true;
        }
        let shared = Arc::clone(&self.shared);
        let made = thread::Builder::new()
            .name("spikard-sync".to_owned())
            .spawn(move || {
                // Attached once for the thread's whole life: making a thread state for each call would be slow.
                Python::attach(|py| {
                    while let Some(job) = py.detach(|| shared.next()) {
                        job(py);
                    }
                });
            });
        match made {
            Ok(_) => state.threads += 1,
            // With a thread at work the job waits its turn; without any it would wait for ever.
            Err(_) if state.threads > 0 => self.shared.added.notify_one(),
            Err(_) => {
                state.jobs.pop_back();
                return false;
            }
        }
        true
    }

    pub(crate) fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.added.notify_all();
    }
}
