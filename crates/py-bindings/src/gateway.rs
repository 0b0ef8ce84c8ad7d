//! The Python handler as `core_http` sees it, and the two ways to reach Python: at once on the loop's own thread, or
//! through a queue to the loop of another thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use core_http::handler::{BodyPolicy, Handler, Observer, Reply};
use core_http::problem::Problem;
use core_http::request::{Head, Request as CoreRequest};
use core_http::request_id::RequestId;
use crossbeam_queue::SegQueue;
use http::StatusCode;
use pyo3::intern;
use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::arguments::{self, Unready};
use crate::call::{self, Carried, Outcome, Progress};
use crate::check;
use crate::driver::Turn;
use crate::event_loop::EventLoop;
use crate::pool::ThreadPool;
use crate::route::Route;
use crate::trouble::Trouble;

/// What calls need on the loop's thread.
#[derive(Debug)]
pub(crate) struct Callee {
    pub(crate) event_loop: EventLoop,
    pub(crate) pool: ThreadPool,
    pub(crate) trouble: Trouble,
}

/// What is asked of Python.
#[derive(Debug)]
pub(crate) enum Question {
    /// Call a handler with a request that passed its checks.
    Handle {
        route: Arc<Route>,
        request: Box<CoreRequest>,
    },
    /// See an answer with an error status.
    Status {
        route: Option<Arc<Route>>,
        request: Box<CoreRequest>,
        status: StatusCode,
        body: Vec<u8>,
    },
}

/// What comes back: an outcome, or nothing where Python had no opinion.
type Said = Option<Outcome>;

/// What comes back later.
type Later = futures_util::future::LocalBoxFuture<'static, Said>;

/// Enough of a request to report the fault of a call that is over.
struct Blame {
    carried: Carried,
    route: Option<Arc<Route>>,
}

impl Callee {
    /// Asks Python, on the loop's thread. `Done` where it answered at once.
    fn ask(&self, py: Python<'_>, question: Question) -> (Option<Progress>, Option<Blame>) {
        match question {
            Question::Handle { route, request } => self.handle(py, &route, request),
            Question::Status {
                route,
                request,
                status,
                body,
            } => {
                let carried = Carried::Core(request);
                (
                    self.trouble.status(
                        py,
                        &self.event_loop,
                        status,
                        &body,
                        carried,
                        route.as_deref(),
                    ),
                    None,
                )
            }
        }
    }

    fn handle(
        &self,
        py: Python<'_>,
        route: &Arc<Route>,
        request: Box<CoreRequest>,
    ) -> (Option<Progress>, Option<Blame>) {
        let values = match check::resolve(route, &request, |slots| {
            arguments::parameter_values(py, route, slots)
        }) {
            Ok(Ok(values)) => values,
            Ok(Err(unready)) => {
                return (
                    Some(self.unready(py, unready, Carried::Core(request), route)),
                    None,
                );
            }
            Err(problem) => {
                let id = request.head.id.clone();
                let request = Carried::Core(request);
                return (
                    Some(self.refuse(py, problem, id.as_ref(), request, route)),
                    None,
                );
            }
        };
        let (call, carried) = match arguments::build(py, route, request, values) {
            Ok(built) => built,
            Err((unready, carried)) => {
                return (Some(self.unready(py, unready, carried, route)), None);
            }
        };
        match call::start(py, &self.event_loop, &self.pool, route, call) {
            Progress::Done(Outcome::Fault(error)) if !call::ends_loop(py, &error) => (
                Some(
                    self.trouble
                        .exception(py, &self.event_loop, error, carried, Some(route)),
                ),
                None,
            ),
            progress @ Progress::Done(_) => (Some(progress), None),
            progress => (
                Some(progress),
                Some(Blame {
                    carried,
                    route: Some(Arc::clone(route)),
                }),
            ),
        }
    }

    fn unready(
        &self,
        py: Python<'_>,
        unready: Unready,
        carried: Carried,
        route: &Route,
    ) -> Progress {
        match unready {
            Unready::Invalid(errors) => {
                let id = carried.id(py);
                self.refuse(py, check::invalid(&errors), id.as_ref(), carried, route)
            }
            Unready::Fault(error) => {
                self.trouble
                    .exception(py, &self.event_loop, error, carried, Some(route))
            }
        }
    }

    /// A refusal found with the interpreter held; the application may revise it.
    fn refuse(
        &self,
        py: Python<'_>,
        problem: Problem,
        id: Option<&RequestId>,
        carried: Carried,
        route: &Route,
    ) -> Progress {
        let response = self.trouble.problem(problem, id);
        let status = response.status();
        let answer = Answer::from(response);
        if self.trouble.wants(status)
            && let Some(progress) = self.trouble.status(
                py,
                &self.event_loop,
                status,
                &answer.body,
                carried,
                Some(route),
            )
        {
            return progress;
        }
        Progress::Done(Outcome::Answer(answer))
    }

    /// The opaque 500, when there is nothing left to tell.
    fn opaque(&self) -> Outcome {
        Outcome::Answer(
            self.trouble
                .problem(Problem::internal_server_error(), None)
                .into(),
        )
    }

    /// The fault of a call that suspended: the exception handlers, then the opaque 500.
    fn blame(&self, py: Python<'_>, error: PyErr, blame: Blame) -> Progress {
        self.trouble.exception(
            py,
            &self.event_loop,
            error,
            blame.carried,
            blame.route.as_deref(),
        )
    }
}

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

fn cancel(py: Python<'_>, task: &Py<PyAny>) {
    if let Err(error) = task.bind(py).call_method0(intern!(py, "cancel")) {
        error.write_unraisable(py, Some(task.bind(py)));
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

/// What the server itself answers if Python can't any more.
fn closing() -> Outcome {
    Outcome::Answer(
        Problem::service_unavailable("The server is shutting down")
            .into_response("about:", None)
            .into(),
    )
}

impl Gateway {
    pub(crate) fn trouble(&self) -> &Trouble {
        match self {
            Self::Inline { callee, .. } => &callee.trouble,
            Self::Queue(queue) => &queue.callee.trouble,
        }
    }

    /// Calls a route's handler.
    fn handle(&self, route: &Arc<Route>, request: Box<CoreRequest>) -> Result<Said, Later> {
        match self {
            Self::Inline { callee, turn } => {
                let (progress, blame) = Python::attach(|py| callee.handle(py, route, request));
                progressed(callee, turn, progress, blame)
            }
            Self::Queue(_) => self.ask(Question::Handle {
                route: Arc::clone(route),
                request,
            }),
        }
    }

    /// Asks Python. `Err` holds the future of an answer that isn't there yet.
    fn ask(&self, question: Question) -> Result<Said, Later> {
        match self {
            Self::Inline { callee, turn } => {
                let (progress, blame) = Python::attach(|py| callee.ask(py, question));
                progressed(callee, turn, progress, blame)
            }
            Self::Queue(queue) => {
                let answer = queue.submit(question);
                let abandoned = Abandoned {
                    queue: Arc::clone(queue),
                    ticket: Some(answer.1),
                };
                Err(Box::pin(async move {
                    let said = answer.0.await.unwrap_or_else(|_| Some(closing()));
                    abandoned.keep();
                    said
                }))
            }
        }
    }
}

/// What a call on the loop's own thread came to.
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
            answer @ Outcome::Answer(_) => return Some(answer),
        }
    }
}

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

    fn submit(&self, question: Question) -> (oneshot::Receiver<Said>, Arc<Ticket>) {
        let (sender, receiver) = oneshot::channel();
        let ticket = Arc::new(Ticket::default());
        self.push(Job::Ask(question, sender, Arc::clone(&ticket)));
        (receiver, ticket)
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
                answer @ Outcome::Answer(_) => drop(sender.send(Some(answer))),
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

/// A route's handler in Python.
#[derive(Debug)]
pub(crate) struct PythonHandler {
    pub(crate) route: Arc<Route>,
    pub(crate) gateway: Gateway,
}

impl PythonHandler {
    fn refuse(&self, request: Box<CoreRequest>, problem: Problem) -> Reply {
        let response = self
            .gateway
            .trouble()
            .problem(problem, request.head.id.as_ref());
        revise(&self.gateway, Some(&self.route), request, response)
    }
}

fn reply(said: Said) -> core_http::Response {
    match said {
        Some(Outcome::Answer(answer)) => answer.into(),
        // Faults were turned into answers on the way; silence comes only from status handlers.
        Some(Outcome::Fault(_)) | None => match closing() {
            Outcome::Answer(answer) => answer.into(),
            Outcome::Fault(_) => core_http::Response::default(),
        },
    }
}

impl Handler for PythonHandler {
    fn admit(&self, head: &Head) -> Result<BodyPolicy, Box<core_http::Response>> {
        match &self.route.body {
            Some(plan) => check::media_type(plan, head)
                .map(|()| BodyPolicy::Buffer)
                .map_err(|problem| {
                    Box::new(self.gateway.trouble().problem(problem, head.id.as_ref()))
                }),
            None if self.route.needs_request => Ok(BodyPolicy::Buffer),
            None => Ok(BodyPolicy::Discard),
        }
    }

    fn call(&self, request: Box<CoreRequest>) -> Reply {
        // On the loop's own thread the parameters are checked and delivered in one go; through the queue the
        // check is here, without the interpreter, and the values are made there.
        let checked = match &self.gateway {
            Gateway::Inline { .. } => check::body(&self.route, &request).map(drop),
            Gateway::Queue(_) => check::whole(&self.route, &request),
        };
        if let Err(problem) = checked {
            return self.refuse(request, problem);
        }
        match self.gateway.handle(&self.route, request) {
            Ok(said) => Reply::Ready(reply(said)),
            Err(later) => Reply::Later(Box::pin(async move { reply(later.await) })),
        }
    }
}

/// Lets Python revise an answer with an error status, if it asked to.
fn revise(
    gateway: &Gateway,
    route: Option<&Arc<Route>>,
    request: Box<CoreRequest>,
    response: core_http::Response,
) -> Reply {
    if !gateway.trouble().wants(response.status()) {
        return Reply::Ready(response);
    }
    let body = match response.body() {
        core_http::body::Body::Full(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    };
    let question = Question::Status {
        route: route.cloned(),
        request,
        status: response.status(),
        body,
    };
    match gateway.ask(question) {
        Ok(Some(Outcome::Answer(answer))) => Reply::Ready(answer.into()),
        Ok(_) => Reply::Ready(response),
        Err(later) => Reply::Later(Box::pin(async move {
            match later.await {
                Some(Outcome::Answer(answer)) => answer.into(),
                _ => response,
            }
        })),
    }
}

/// Python's view of what the service answers by itself.
#[derive(Debug)]
pub(crate) struct PythonObserver(pub(crate) Gateway);

impl Observer for PythonObserver {
    fn revise(&self, request: Box<CoreRequest>, response: core_http::Response) -> Reply {
        revise(&self.0, None, request, response)
    }

    fn wants(&self, status: StatusCode) -> bool {
        self.0.trouble().wants(status)
    }

    fn panicked(&self, request_id: Option<&str>, message: &str) {
        let message = format!("a panic in native code: {message}");
        Python::attach(|py| self.0.trouble().log(py, &message, request_id));
    }
}
