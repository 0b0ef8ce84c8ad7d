//! The runtime that a server runs in.

use tokio::runtime::Builder;

/// Threads for work that waits for a disk or takes long: files, compression, spooled uploads. More of it than this waits
/// its turn; a disk gets no faster from more threads, and each holds a stack.
pub const MAX_BLOCKING_THREADS: usize = 64;

/// A runtime on one thread, with the bound on threads for blocking work.
pub fn builder() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS);
    builder
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    use super::*;

    #[test]
    fn blocking_work_has_so_many_threads_and_no_more() {
        let runtime = builder().build().expect("a runtime");
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Opens only when as many run at the same time.
        let all = Arc::new(Barrier::new(MAX_BLOCKING_THREADS));
        let work: Vec<_> = (0..3 * MAX_BLOCKING_THREADS)
            .map(|_| {
                let (running, most, all) =
                    (Arc::clone(&running), Arc::clone(&most), Arc::clone(&all));
                runtime.spawn_blocking(move || {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    all.wait();
                    running.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        for one in work {
            runtime.block_on(one).expect("no panic");
        }
        assert_eq!(most.load(Ordering::SeqCst), MAX_BLOCKING_THREADS);
    }
}
