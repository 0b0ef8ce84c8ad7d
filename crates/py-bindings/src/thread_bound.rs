//! A value that belongs to the thread that made it, inside an object that Python may drop anywhere.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::thread::{self, ThreadId};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Holds a value that is not `Send`. Use from another thread is an error; being dropped there is none, since the
/// garbage collector chooses the thread: a value that is still there is then leaked rather than torn down unsafely.
pub(crate) struct ThreadBound<T> {
    owner: ThreadId,
    what: &'static str,
    value: ManuallyDrop<RefCell<Option<T>>>,
}

// SAFETY: the value is only reached through `with`, `take` and `drop`, and each compares the current thread with the
// owner before it touches the cell.
unsafe impl<T> Send for ThreadBound<T> {}
// SAFETY: as above; the cell is never touched by two threads.
unsafe impl<T> Sync for ThreadBound<T> {}

impl<T> ThreadBound<T> {
    pub(crate) fn new(what: &'static str, value: T) -> Self {
        Self {
            owner: thread::current().id(),
            what,
            value: ManuallyDrop::new(RefCell::new(Some(value))),
        }
    }

    fn is_here(&self) -> bool {
        thread::current().id() == self.owner
    }

    /// Uses the value. An error on another thread, or after `take`.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&T) -> R) -> PyResult<R> {
        if !self.is_here() {
            return Err(PyRuntimeError::new_err(format!(
                "the {} belongs to another thread; use it where its loop runs",
                self.what
            )));
        }
        match self.value.try_borrow() {
            Ok(value) => match value.as_ref() {
                Some(value) => Ok(work(value)),
                None => Err(PyRuntimeError::new_err(format!(
                    "the {} is closed",
                    self.what
                ))),
            },
            Err(_) => Err(PyRuntimeError::new_err(format!(
                "the {} is being closed",
                self.what
            ))),
        }
    }

    /// Takes the value out: on its own thread, and if nobody is using it.
    pub(crate) fn take(&self) -> Option<T> {
        if !self.is_here() {
            return None;
        }
        self.value
            .try_borrow_mut()
            .ok()
            .and_then(|mut value| value.take())
    }
}

impl<T> Drop for ThreadBound<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: dropped once, here, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

impl<T> std::fmt::Debug for ThreadBound<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThreadBound")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}
