//! Memory that the workers of one server share: a file without a name, which the supervisor hands to each of them.

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use core_http::rate_limit::table::{Cells, Table};
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

fn shared() -> &'static OnceLock<Table> {
    static SHARED: OnceLock<Table> = OnceLock::new();
    &SHARED
}

/// The table that all workers share; in a process of its own a table for the server alone.
pub(crate) fn table() -> Table {
    shared().get().cloned().unwrap_or_else(Table::local)
}

/// Shares limits through the file with this descriptor, which belongs to this function from here on.
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
    let table = Table::over(Arc::new(Mapped { map }))
        .ok_or_else(|| PyOSError::new_err("the shared memory is too small"))?;
    // A worker gets it once; a second one would be the same.
    let _ = shared().set(table);
    Ok(())
}
