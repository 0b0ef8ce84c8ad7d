//! Numbers that several users change at the same time, other processes among them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Memory that all of its users see: zero at first.
pub trait Cells: Send + Sync {
    fn cells(&self) -> &[AtomicU64];
}

impl Cells for Box<[AtomicU64]> {
    fn cells(&self) -> &[AtomicU64] {
        self
    }
}

/// Memory of this process, all zero.
pub(crate) fn local(count: usize) -> Arc<dyn Cells> {
    let cells: Box<[AtomicU64]> = (0..count).map(|_| AtomicU64::new(0)).collect();
    Arc::new(cells)
}

/// Some neighbours among the numbers of a memory.
#[derive(Clone)]
pub(crate) struct Part {
    whole: Arc<dyn Cells>,
    start: usize,
    count: usize,
}

impl Part {
    /// `None` if the memory ends before the part does.
    pub(crate) fn of(whole: Arc<dyn Cells>, start: usize, count: usize) -> Option<Self> {
        whole.cells().get(start..start.checked_add(count)?)?;
        Some(Self {
            whole,
            start,
            count,
        })
    }

    /// A part of the part.
    pub(crate) fn part(&self, start: usize, count: usize) -> Option<Self> {
        let within = start.checked_add(count)? <= self.count;
        within.then(|| Self {
            whole: Arc::clone(&self.whole),
            start: self.start + start,
            count,
        })
    }
}

impl Cells for Part {
    fn cells(&self) -> &[AtomicU64] {
        &self.whole.cells()[self.start..self.start + self.count]
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("start", &self.start)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
