//! `Driver`: tokio in the place of the selector's wait.
//!
//! asyncio calls `select(timeout)` when it has nothing ready. Instead of sleeping in epoll we run a current-thread
//! tokio runtime there, until asyncio has something to do: a ready callback, a timer, or one of its own descriptors.

use std::cell::{Cell, RefCell};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyOSError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local, yield_now};

use crate::thread_bound::ThreadBound;

/// Handler calls in one turn before asyncio gets its chance.
const CALLS_PER_TURN: u32 = 64;

/// Time in one turn before asyncio gets its chance, if it has something to do.
const TURN: Duration = Duration::from_millis(1);

/// A descriptor of our own for the selector's epoll or kqueue, so that Python may close its when it likes.
fn duplicate(selector_fd: RawFd) -> std::io::Result<OwnedFd> {
    if selector_fd < 0 {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the caller's descriptor is open while this runs, and -1, the one forbidden number, was refused.
    unsafe { BorrowedFd::borrow_raw(selector_fd) }.try_clone_to_owned()
}

/// What the hooks around tokio's sleep need; they must be `Send`, though they run on the driver's thread only.
struct Parking {
    thread_state: AtomicPtr<ffi::PyThreadState>,
    /// What a signal's Python handler raised.
    raised: Mutex<Option<PyErr>>,
    wake: Arc<Notify>,
}

/// What handlers tell the driver.
pub(crate) struct Turn {
    pub(crate) wake: Arc<Notify>,
    calls: Cell<u32>,
    used_up: Cell<bool>,
    began_anew: Notify,
    /// Calls that wait for a turn with room.
    waiting: Cell<u32>,
    began: Cell<Instant>,
    timers: Cell<isize>,
    lists: RefCell<Option<Lists>>,
    /// Whether one of asyncio's own descriptors may be ready.
    inner_ready: Cell<bool>,
    error: RefCell<Option<PyErr>>,
}

/// The loop's own queues. asyncio keeps both attributes since 3.4; their lengths say if it has work.
struct Lists {
    ready: Py<PyAny>,
    scheduled: Py<PyAny>,
}

fn length(object: &Py<PyAny>) -> isize {
    // SAFETY: the object is alive and the caller is attached; an error (-1) only makes us return to the loop.
    unsafe { ffi::PyObject_Size(object.as_ptr()) }
}

impl Turn {
    /// Called after Python code ran: returns to asyncio if that left it something to do, or if it's asyncio's turn.
    ///
    /// Calls are put off only while asyncio has something to do: waiting costs more than many a handler.
    pub(crate) fn after_call(&self) {
        let calls = self.calls.get() + 1;
        self.calls.set(calls);
        let has_work = self.inner_ready.get()
            || self.lists.borrow().as_ref().is_some_and(|lists| {
                length(&lists.ready) != 0 || length(&lists.scheduled) > self.timers.get()
            });
        let is_full = calls >= CALLS_PER_TURN;
        if has_work && (is_full || self.began.get().elapsed() >= TURN) {
            self.used_up.set(true);
        }
        if has_work || is_full || self.waiting.get() != 0 {
            self.wake.notify_one();
        }
    }

    /// Whether asyncio has waited long enough: calls that are about to start then wait for the next turn.
    pub(crate) fn is_used_up(&self) -> bool {
        self.used_up.get()
    }

    /// Waits for a turn with room.
    pub(crate) async fn next(&self) {
        let _waiting = Waiting::counted(&self.waiting);
        while self.used_up.get() {
            self.began_anew.notified().await;
        }
    }

    /// Lets `select` raise: for `KeyboardInterrupt` and `SystemExit` out of a handler, as asyncio does.
    pub(crate) fn raise(&self, error: PyErr) {
        *self.error.borrow_mut() = Some(error);
        self.wake.notify_one();
    }

    fn begin(&self) {
        self.calls.set(0);
        self.used_up.set(false);
        // No more than there is room for: each that is woken in vain looks at its connection and waits again.
        for _ in 0..self.waiting.get().min(CALLS_PER_TURN) {
            self.began_anew.notify_one();
        }
        self.began.set(Instant::now());
        self.timers.set(
            self.lists
                .borrow()
                .as_ref()
                .map_or(0, |lists| length(&lists.scheduled)),
        );
    }
}

/// Counts one that waits, as long as it does.
struct Waiting<'a>(&'a Cell<u32>);

impl<'a> Waiting<'a> {
    fn counted(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[pyclass(name = "Driver", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct Driver {
    machinery: ThreadBound<Machinery>,
}

/// Dropped in this order: the tasks hold sockets and timers registered with the runtime, so they go first.
struct Machinery {
    local: LocalSet,
    runtime: Runtime,
    turn: Rc<Turn>,
    parking: Arc<Parking>,
}

impl Driver {
    pub(crate) fn turn(&self) -> PyResult<Rc<Turn>> {
        self.machinery.with(|machinery| Rc::clone(&machinery.turn))
    }

    /// Runs something within the runtime, so that it can spawn tasks and register sockets.
    pub(crate) fn within<R>(&self, work: impl FnOnce() -> R) -> PyResult<R> {
        self.machinery.with(|machinery| {
            let _runtime = machinery.runtime.enter();
            let _local = machinery.local.enter();
            let result = work();
            machinery.turn.wake.notify_one();
            result
        })
    }
}

impl Machinery {
    fn drive(&self, timeout: Option<f64>) -> PyResult<bool> {
        let (runtime, local, turn) = (&self.runtime, &self.local, &self.turn);
        turn.begin();
        match timeout {
            _ if turn.inner_ready.get() => local.block_on(runtime, yield_now()),
            Some(seconds) if seconds <= 0.0 => local.block_on(runtime, yield_now()),
            Some(seconds) => local.block_on(runtime, async {
                // More than a day is asyncio's own ceiling too.
                let limit = Duration::from_secs_f64(seconds.min(86_400.0));
                let _ = tokio::time::timeout(limit, turn.wake.notified()).await;
            }),
            None => local.block_on(runtime, turn.wake.notified()),
        }
        let raised = self
            .parking
            .raised
            .lock()
            .ok()
            .and_then(|mut raised| raised.take());
        match raised.or_else(|| turn.error.borrow_mut().take()) {
            Some(error) => Err(error),
            None => Ok(turn.inner_ready.get()),
        }
    }
}

fn build_runtime(parking: &Arc<Parking>) -> std::io::Result<Runtime> {
    let (park, unpark) = (Arc::clone(parking), Arc::clone(parking));
    core_http::runtime::builder()
        .on_thread_park(move || {
            // SAFETY: tokio parks only within `drive`, which Python called on this thread, so this thread is attached.
            // Nothing touches Python until `on_thread_unpark`.
            park.thread_state
                .store(unsafe { ffi::PyEval_SaveThread() }, Ordering::Relaxed);
        })
        .on_thread_unpark(move || {
            // SAFETY: the state is the one that the park hook of this thread saved.
            unsafe { ffi::PyEval_RestoreThread(unpark.thread_state.load(Ordering::Relaxed)) };
            // A signal interrupts the sleep; its Python handler may raise. Seen here, raised from `drive`.
            // SAFETY: attached since the line above.
            if unsafe { ffi::PyErr_CheckSignals() } != 0
                && let Ok(mut raised) = unpark.raised.lock()
            {
                *raised = Python::attach(PyErr::take);
                unpark.wake.notify_one();
            }
        })
        .build()
}

#[pymethods]
impl Driver {
    #[new]
    fn new(selector_fd: RawFd) -> PyResult<Self> {
        let wake = Arc::new(Notify::new());
        let parking = Arc::new(Parking {
            thread_state: AtomicPtr::default(),
            raised: Mutex::new(None),
            wake: Arc::clone(&wake),
        });
        let runtime = build_runtime(&parking).map_err(PyOSError::new_err)?;
        let local = LocalSet::new();
        let turn = Rc::new(Turn {
            wake,
            calls: Cell::new(0),
            used_up: Cell::new(false),
            began_anew: Notify::new(),
            waiting: Cell::new(0),
            began: Cell::new(Instant::now()),
            timers: Cell::new(0),
            lists: RefCell::new(None),
            inner_ready: Cell::new(false),
            error: RefCell::new(None),
        });
        {
            let _runtime = runtime.enter();
            let _local = local.enter();
            let descriptor = duplicate(selector_fd).map_err(PyOSError::new_err)?;
            // SAFETY: the descriptor is owned by the AsyncFd, stays open as long as it, and never changes.
            let selector =
                unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }
                    .map_err(|error| PyOSError::new_err(error.to_string()))?;
            let turn = Rc::clone(&turn);
            spawn_local(async move {
                while let Ok(mut guard) = selector.readable().await {
                    turn.inner_ready.set(true);
                    turn.wake.notify_one();
                    guard.clear_ready();
                }
            });
        }
        let machinery = Machinery {
            local,
            runtime,
            turn,
            parking,
        };
        Ok(Self {
            machinery: ThreadBound::new("loop's driver", machinery),
        })
    }

    /// Learns the loop's queues.
    fn attach(&self, r#loop: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = r#loop.py();
        let lists = Lists {
            ready: r#loop.getattr(intern!(py, "_ready"))?.unbind(),
            scheduled: r#loop.getattr(intern!(py, "_scheduled"))?.unbind(),
        };
        self.machinery
            .with(|machinery| *machinery.turn.lists.borrow_mut() = Some(lists))
    }

    /// Runs the server until asyncio has something to do or `timeout` seconds are over (`None`: no limit).
    ///
    /// True if one of asyncio's own descriptors may be ready.
    fn drive(&self, timeout: Option<f64>) -> PyResult<bool> {
        self.machinery.with(|machinery| machinery.drive(timeout))?
    }

    /// asyncio's descriptors were asked and had nothing more: sleep until they report again.
    fn rearm(&self) -> PyResult<()> {
        self.machinery
            .with(|machinery| machinery.turn.inner_ready.set(false))
    }

    /// Drops every task and the runtime.
    fn close(&self) {
        if let Some(machinery) = self.machinery.take() {
            *machinery.turn.lists.borrow_mut() = None;
        }
    }
}
