//! The two ways to reach Python: at once on the loop's own thread, or through a queue to the loop of another.

use std::rc::Rc;
use std::sync::Arc;

use core_http::request::Request as CoreRequest;
use pyo3::prelude::*;

use crate::call::{self, Outcome, Progress};
use crate::call_queue::CallQueue;
use crate::callee::{Blame, Callee, Later, Question, Said, cancel, closing};
use crate::driver::Turn;
use crate::route::Route;
use crate::server::Notifier;
use crate::trouble::Trouble;

/// Cancels a task when the future that waits for it is dropped: the client has gone or time is up.
struct CancelOnDrop {
    task: Option<Py<PyAny>>,
    turn: Rc<Turn>,
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            Python::attach(|py| cancel(py, &task));
            self.turn.after_call();
        }
    }
}

/// The way to Python from the thread that runs the server.
#[derive(Clone)]
pub(crate) enum Gateway {
    /// The loop runs on this very thread.
    Inline { callee: Rc<Callee>, turn: Rc<Turn> },
    /// The loop runs on another.
    Queue(Arc<CallQueue>),
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Inline { .. } => "Inline",
            Self::Queue(_) => "Queue",
        })
    }
}

impl Gateway {
    pub(crate) fn trouble(&self) -> &Trouble {
        match self {
            Self::Inline { callee, .. } => &callee.trouble,
            Self::Queue(queue) => &queue.callee.trouble,
        }
    }

    /// A way to call back into the loop, for what the server's thread finds out later.
    pub(crate) fn notifier(&self) -> Notifier {
        match self {
            Self::Inline { turn, .. } => Notifier::Here(Arc::clone(&turn.wake)),
            Self::Queue(queue) => Notifier::There(Arc::clone(queue)),
        }
    }

    /// Calls a route's handler.
    pub(crate) fn handle(
        &self,
        route: &Arc<Route>,
        request: Box<CoreRequest>,
    ) -> Result<Said, Later> {
        match self {
            Self::Inline { callee, turn } if turn.is_used_up() => {
                let (callee, turn, route) = (Rc::clone(callee), Rc::clone(turn), Arc::clone(route));
                Err(Box::pin(async move {
                    turn.next().await;
                    match handle_inline(&callee, &turn, &route, request) {
                        Ok(said) => said,
                        Err(later) => later.await,
                    }
                }))
            }
            Self::Inline { callee, turn } => handle_inline(callee, turn, route, request),
            Self::Queue(_) => self.ask(Question::Handle {
                route: Arc::clone(route),
                request,
            }),
        }
    }

    /// Asks Python. `Err` holds the future of an answer that isn't there yet.
    pub(crate) fn ask(&self, question: Question) -> Result<Said, Later> {
        match self {
            Self::Inline { callee, turn } => {
                let (progress, blame) = Python::attach(|py| callee.ask(py, question));
                progressed(callee, turn, progress, blame)
            }
            Self::Queue(queue) => Err(queue.ask(question)),
        }
    }
}

#[inline]
fn handle_inline(
    callee: &Rc<Callee>,
    turn: &Rc<Turn>,
    route: &Arc<Route>,
    request: Box<CoreRequest>,
) -> Result<Said, Later> {
    let (progress, blame) = Python::attach(|py| callee.handle(py, route, request));
    progressed(callee, turn, progress, blame)
}

/// What a call on the loop's own thread came to.
#[inline]
fn progressed(
    callee: &Rc<Callee>,
    turn: &Rc<Turn>,
    progress: Option<Progress>,
    blame: Option<Blame>,
) -> Result<Said, Later> {
    turn.after_call();
    match progress {
        None => Ok(None),
        Some(Progress::Done(Outcome::Fault(error))) => {
            turn.raise(error);
            Ok(Some(closing()))
        }
        Some(Progress::Done(outcome)) => Ok(Some(outcome)),
        Some(progress) => Err(Box::pin(wait_inline(
            Rc::clone(callee),
            Rc::clone(turn),
            progress,
            blame,
        ))),
    }
}

/// Waits for a suspended call on the loop's own thread.
async fn wait_inline(
    callee: Rc<Callee>,
    turn: Rc<Turn>,
    progress: Progress,
    blame: Option<Blame>,
) -> Said {
    let (mut progress, mut blame) = (progress, blame);
    loop {
        let outcome = match progress {
            Progress::Done(outcome) => outcome,
            Progress::Threaded(outcome) => outcome.await.unwrap_or_else(|_| closing()),
            Progress::Suspended { task, outcome } => {
                let mut guard = CancelOnDrop {
                    task: Some(task),
                    turn: Rc::clone(&turn),
                };
                let outcome = outcome.await.unwrap_or_else(|_| closing());
                guard.task = None;
                outcome
            }
        };
        match outcome {
            Outcome::Fault(error) => {
                if Python::attach(|py| call::ends_loop(py, &error)) {
                    turn.raise(error);
                    return Some(closing());
                }
                progress = match blame.take() {
                    Some(blame) => Python::attach(|py| callee.blame(py, error, blame)),
                    None => {
                        Python::attach(|py| callee.trouble.log_fault(py, &error));
                        Progress::Done(callee.opaque())
                    }
                };
                turn.after_call();
            }
            Outcome::Answer(mut answer) => {
                if let Some(blame) = &blame {
                    blame.note(&mut answer);
                }
                return Some(Outcome::Answer(answer));
            }
            passed @ Outcome::Passed(..) => return Some(passed),
        }
    }
}
