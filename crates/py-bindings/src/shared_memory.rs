//! Memory that the workers of one server share: a file without a name, which the supervisor hands to each of them.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use core_http::cells::Cells;
use core_http::metrics::Board;
use core_http::rate_limit::table::Table;
use core_http::shared_memory::SharedMemory;
use memmap2::MmapMut;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// The file's bytes as numbers that several processes change.
struct Mapped {
    map: MmapMut,
}

impl Cells for Mapped {
    fn cells(&self) -> &[AtomicU64] {
        let length = self.map.len() / size_of::<AtomicU64>();
        // SAFETY: a map begins at a page, so the numbers are aligned; `length` of them fit into it; it lives as long
        // as `self`, and this process reaches it as atomic numbers only. Any bits are a number.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), length) }
    }
}

fn shared() -> &'static OnceLock<SharedMemory> {
    static SHARED: OnceLock<SharedMemory> = OnceLock::new();
    &SHARED
}

/// The table that all workers share; in a process of its own a table for the server alone.
pub(crate) fn table() -> Table {
    let shared = shared().get();
    shared.map_or_else(Table::local, |shared| shared.limits.clone())
}

/// The board that all workers share, if there is one.
pub(crate) fn board() -> Option<Board> {
    shared().get().map(|shared| shared.figures.clone())
}

/// Shares limits and figures through the file with this descriptor, which belongs to this function from here on.
#[pyfunction]
#[pyo3(signature = (fd, /))]
pub(crate) fn share_memory(fd: i32) -> PyResult<()> {
    if fd < 0 {
        return Err(PyOSError::new_err(format!("{fd} is not a file descriptor")));
    }
    // SAFETY: the caller hands the descriptor over, as the stub's docstring says; a number that is no open descriptor
    // fails in the first system call on it.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    // SAFETY: the file has no name, so nobody but the supervisor and its workers has it, and none of them cuts it.
    let map = unsafe { MmapMut::map_mut(&file) }?;
    let cells: Arc<dyn Cells> = Arc::new(Mapped { map });
    let memory = SharedMemory::over(&cells)
        .ok_or_else(|| PyOSError::new_err("the shared memory is too small"))?;
    // A worker gets it once; a second one would be the same.
    let _ = shared().set(memory);
    Ok(())
}
