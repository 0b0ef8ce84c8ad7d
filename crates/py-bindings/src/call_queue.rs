//! The way to a loop on another thread: a lock-free queue and one wake-up per batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::call::{Outcome, Progress};
use crate::callee::{Blame, Callee, Later, Question, Said, cancel, closing};

/// A call in the queue, which the asking side may abandon.
#[derive(Default)]
struct Ticket {
    state: Mutex<TicketState>,
}

#[derive(Default)]
enum TicketState {
    #[default]
    Waiting,
    Running(Py<PyAny>),
    Over,
}

enum Job {
    Ask(Question, oneshot::Sender<Said>, Arc<Ticket>),
    /// The outcome of a thread or an earlier step was a fault, to be told on the loop's thread.
    Blame(PyErr, Option<Blame>, oneshot::Sender<Said>, Arc<Ticket>),
    Cancel(Arc<Ticket>),
}

/// Calls from the server's thread to the loop's: a lock-free queue and one wake-up per batch.
pub(crate) struct CallQueue {
    jobs: SegQueue<Job>,
    woken: AtomicBool,
    pub(crate) callee: Callee,
    drain: Mutex<Option<Py<PyAny>>>,
    handle: tokio::runtime::Handle,
}

impl std::fmt::Debug for CallQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallQueue")
            .field("jobs", &self.jobs.len())
            .finish_non_exhaustive()
    }
}

struct Abandoned {
    queue: Arc<CallQueue>,
    ticket: Option<Arc<Ticket>>,
}

impl Abandoned {
    fn keep(mut self) {
        self.ticket = None;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.queue.push(Job::Cancel(ticket));
        }
    }
}

/// Calls and time in one drain before the loop's other callbacks get their turn.
const BATCH: u32 = 64;
const BATCH_TIME: Duration = Duration::from_millis(1);

impl CallQueue {
    pub(crate) fn new(
        py: Python<'_>,
        callee: Callee,
        handle: tokio::runtime::Handle,
    ) -> PyResult<Arc<Self>> {
        let queue = Arc::new(Self {
            jobs: SegQueue::new(),
            woken: AtomicBool::new(false),
            callee,
            drain: Mutex::new(None),
            handle,
        });
        let drain = Py::new(
            py,
            Drain {
                queue: Arc::downgrade(&queue),
            },
        )?
        .into_any();
        if let Ok(mut slot) = queue.drain.lock() {
            *slot = Some(drain);
        }
        Ok(queue)
    }

    /// Asks from the server's thread. Dropping the future gives the call up.
    pub(crate) fn ask(self: &Arc<Self>, question: Question) -> Later {
        let (sender, receiver) = oneshot::channel();
        let ticket = Arc::new(Ticket::default());
        self.push(Job::Ask(question, sender, Arc::clone(&ticket)));
        let abandoned = Abandoned {
            queue: Arc::clone(self),
            ticket: Some(ticket),
        };
        Box::pin(async move {
            let said = receiver.await.unwrap_or_else(|_| Some(closing()));
            abandoned.keep();
            said
        })
    }

    fn push(&self, job: Job) {
        self.jobs.push(job);
        if !self.woken.swap(true, Ordering::AcqRel) {
            Python::attach(|py| self.wake(py));
        }
    }

    fn wake(&self, py: Python<'_>) {
        let drain = self
            .drain
            .lock()
            .ok()
            .and_then(|drain| drain.as_ref().map(|drain| drain.clone_ref(py)));
        let reached =
            drain.is_some_and(|drain| self.callee.event_loop.call_from_thread(py, &drain, None));
        if !reached {
            // The loop is closed. Dropping the jobs drops their senders, which answers 503.
            while self.jobs.pop().is_some() {}
            self.woken.store(false, Ordering::Release);
        }
    }

    /// Runs on the loop's thread.
    fn run(self: &Arc<Self>, py: Python<'_>) {
        let began = Instant::now();
        let mut calls = 0;
        loop {
            while let Some(job) = self.jobs.pop() {
                self.run_job(py, job);
                calls += 1;
                if calls >= BATCH || (calls % 8 == 0 && began.elapsed() >= BATCH_TIME) {
                    // Still woken: nobody else needs to wake us.
                    self.wake(py);
                    return;
                }
            }
            self.woken.store(false, Ordering::Release);
            // Something may have been pushed between the last pop and the store.
            if self.jobs.is_empty() || self.woken.swap(true, Ordering::AcqRel) {
                return;
            }
        }
    }

    fn run_job(self: &Arc<Self>, py: Python<'_>, job: Job) {
        match job {
            Job::Ask(question, sender, ticket) => {
                if sender.is_closed() {
                    return;
                }
                let asked = catch_unwind(AssertUnwindSafe(|| self.callee.ask(py, question)));
                let (progress, blame) = asked.unwrap_or_else(|_| {
                    // The panic's message has gone to standard error by the panic hook.
                    self.callee.trouble.log(
                        py,
                        "a panic in native code while calling a handler",
                        None,
                    );
                    (Some(Progress::Done(self.callee.opaque())), None)
                });
                match progress {
                    None => drop(sender.send(None)),
                    Some(progress) => self.settle(py, progress, blame, sender, ticket),
                }
            }
            Job::Blame(error, blame, sender, ticket) => {
                let progress = match blame {
                    Some(blame) => self.callee.blame(py, error, blame),
                    None => {
                        self.callee.trouble.log_fault(py, &error);
                        Progress::Done(self.callee.opaque())
                    }
                };
                self.settle(py, progress, None, sender, ticket);
            }
            Job::Cancel(ticket) => {
                let state = ticket
                    .state
                    .lock()
                    .map(|mut state| std::mem::replace(&mut *state, TicketState::Over));
                if let Ok(TicketState::Running(task)) = state {
                    cancel(py, &task);
                }
            }
        }
    }

    /// Sends an outcome back, now or when it is there.
    fn settle(
        self: &Arc<Self>,
        py: Python<'_>,
        progress: Progress,
        blame: Option<Blame>,
        sender: oneshot::Sender<Said>,
        ticket: Arc<Ticket>,
    ) {
        let outcome = match progress {
            Progress::Done(Outcome::Fault(error)) => {
                self.run_job(py, Job::Blame(error, blame, sender, ticket));
                return;
            }
            Progress::Done(outcome) => {
                drop(sender.send(Some(outcome)));
                return;
            }
            Progress::Threaded(outcome) => outcome,
            Progress::Suspended { task, outcome } => {
                let mut waiting = true;
                if let Ok(mut state) = ticket.state.lock() {
                    waiting = matches!(*state, TicketState::Waiting | TicketState::Running(_));
                    if waiting {
                        *state = TicketState::Running(task.clone_ref(py));
                    }
                }
                if !waiting {
                    cancel(py, &task);
                }
                outcome
            }
        };
        let queue = Arc::clone(self);
        self.handle.spawn(async move {
            match outcome.await.unwrap_or_else(|_| closing()) {
                // A call that was given up ends in its cancellation, which is nobody's fault.
                Outcome::Fault(_) if sender.is_closed() => {}
                Outcome::Fault(error) => queue.push(Job::Blame(error, blame, sender, ticket)),
                Outcome::Answer(mut answer) => {
                    if let Some(blame) = &blame {
                        blame.note(&mut answer);
                    }
                    drop(sender.send(Some(Outcome::Answer(answer))));
                }
                passed @ Outcome::Passed(..) => drop(sender.send(Some(passed))),
            }
        });
    }

    /// Breaks the cycle between the queue and its Python callback.
    pub(crate) fn close(&self) {
        if let Ok(mut drain) = self.drain.lock() {
            *drain = None;
        }
        while self.jobs.pop().is_some() {}
    }
}

/// The callback that empties the queue, for `call_soon_threadsafe`.
#[pyclass(frozen)]
struct Drain {
    queue: std::sync::Weak<CallQueue>,
}

#[pymethods]
impl Drain {
    fn __call__(&self, py: Python<'_>) {
        if let Some(queue) = self.queue.upgrade() {
            queue.run(py);
        }
    }
}
