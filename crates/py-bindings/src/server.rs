//! `Server`: a running server of one application in one event loop.

use std::cell::RefCell;
use std::os::fd::{FromRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use core_http::counters::Counters;
use core_http::error::ListenError;
use core_http::inbound::Door;
use core_http::listener::{self, Bound as Socket};
use core_http::server::{self, Server as CoreServer};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use tokio::sync::{Notify, mpsc};
use tokio::task::{LocalSet, spawn_local};

use crate::application::Application;
use crate::blueprint::Blueprint;
use crate::call_queue::CallQueue;
use crate::callee::Callee;
use crate::driver::{Driver, Turn};
use crate::event_loop::EventLoop;
use crate::gateway::Gateway;
use crate::inner_exchange::{self, Exchange};
use crate::memory::MemoryStream;
use crate::pool::ThreadPool;
use crate::request::Request;
use crate::thread_bound::ThreadBound;
use crate::trouble::Trouble;

/// Something to do within the server's runtime, on its thread.
pub(crate) type Command = Box<dyn FnOnce(&Rc<CoreServer>) + Send>;

/// Where the server's work happens.
pub(crate) enum Engine {
    Inline {
        server: Rc<CoreServer>,
        driver: Py<Driver>,
        turn: Rc<Turn>,
    },
    Thread {
        /// `None` ends the thread: memory streams keep senders of their own.
        commands: mpsc::UnboundedSender<Option<Command>>,
        queue: Arc<CallQueue>,
    },
}

impl Engine {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Inline {
                server,
                driver,
                turn,
            } => Self::Inline {
                server: Rc::clone(server),
                driver: driver.clone_ref(py),
                turn: Rc::clone(turn),
            },
            Self::Thread { commands, queue } => Self::Thread {
                commands: commands.clone(),
                queue: Arc::clone(queue),
            },
        }
    }

    pub(crate) fn run(&self, command: Command) -> PyResult<()> {
        match self {
            Self::Inline { server, driver, .. } => driver.get().within(|| command(server)),
            Self::Thread { commands, .. } => commands
                .send(Some(command))
                .map_err(|_| PyRuntimeError::new_err("the server is closed")),
        }
    }

    /// A way to call back into the loop from within the server's runtime.
    pub(crate) fn notifier(&self) -> Notifier {
        match self {
            Self::Inline { turn, .. } => Notifier::Here(Arc::clone(&turn.wake)),
            Self::Thread { queue, .. } => Notifier::There(Arc::clone(queue)),
        }
    }
}

/// Calls Python callbacks on the loop's thread.
#[derive(Clone)]
pub(crate) enum Notifier {
    /// This is the loop's thread; asyncio gets its turn after the call.
    Here(Arc<Notify>),
    There(Arc<CallQueue>),
}

impl Notifier {
    /// `argument` is made only once the interpreter is held.
    pub(crate) fn call(
        &self,
        callback: &Py<PyAny>,
        argument: impl for<'py> FnOnce(Python<'py>) -> Option<Py<PyAny>>,
    ) {
        Python::attach(|py| {
            let argument = argument(py);
            match self {
                Self::There(queue) => {
                    // A loop that is closed has nobody left to tell.
                    let _ = queue
                        .callee
                        .event_loop
                        .call_from_thread(py, callback, argument);
                }
                Self::Here(wake) => {
                    let result = match argument {
                        Some(argument) => callback.bind(py).call1((argument,)),
                        None => callback.bind(py).call0(),
                    };
                    if let Err(error) = result {
                        error.write_unraisable(py, Some(callback.bind(py)));
                    }
                    wake.notify_one();
                }
            }
        });
    }
}

#[pyclass(name = "Server", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct Server {
    running: ThreadBound<Running>,
    counters: Arc<Counters>,
}

/// What belongs to the loop's thread.
struct Running {
    engine: Engine,
    pool: ThreadPool,
    sockets: RefCell<Vec<Socket>>,
    backlog: i32,
    thread: Option<JoinHandle<()>>,
}

fn listen_error(error: &ListenError) -> PyErr {
    // An OSError with the errno, so that Python code can tell the reasons apart.
    let message = error.to_string();
    match error.io().raw_os_error() {
        Some(code) => PyOSError::new_err((code, message)),
        None => PyOSError::new_err(message),
    }
}

fn sync_threads(config: &Bound<'_, PyAny>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let default = (cores + 4).min(32);
    config
        .getattr("sync_threads")
        .ok()
        .and_then(|threads| threads.extract().ok())
        .unwrap_or(default)
}

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (application, config, r#loop, driver=None))]
    fn new(
        application: &Bound<'_, Application>,
        config: &Bound<'_, PyAny>,
        r#loop: &Bound<'_, PyAny>,
        driver: Option<&Bound<'_, Driver>>,
    ) -> PyResult<Self> {
        let py = config.py();
        let application = application.borrow();
        let blueprint = Blueprint::read(&application, config)?;
        let pool = ThreadPool::new(sync_threads(config));
        let callee = Callee {
            event_loop: EventLoop::new(r#loop)?,
            pool: pool.clone(),
            trouble: Trouble::new(
                application.owner(py),
                blueprint.settings.problem_base_url.clone(),
            )?,
        };
        let counters = Arc::clone(&blueprint.counters);
        let (engine, thread) = match driver {
            Some(driver) => {
                let turn = driver.get().turn()?;
                let gateway = Gateway::Inline {
                    callee: Rc::new(callee),
                    turn: Rc::clone(&turn),
                };
                let server = CoreServer::new(blueprint.build(&gateway));
                (
                    Engine::Inline {
                        server,
                        driver: driver.clone().unbind(),
                        turn,
                    },
                    None,
                )
            }
            None => {
                let (engine, thread) = spawn(py, callee, blueprint)?;
                (engine, Some(thread))
            }
        };
        let running = Running {
            engine,
            pool,
            sockets: RefCell::default(),
            backlog: config.getattr("backlog")?.extract()?,
            thread,
        };
        Ok(Self {
            running: ThreadBound::new("server", running),
            counters,
        })
    }

    /// Binds every address `host` resolves to; gives the bound addresses.
    #[pyo3(signature = (host, port, *, reuse_port=false))]
    fn listen_tcp(
        &self,
        py: Python<'_>,
        host: &str,
        port: u16,
        reuse_port: bool,
    ) -> PyResult<Vec<(String, u16)>> {
        let backlog = self.running.with(|running| running.backlog)?;
        let bound = py
            .detach(|| listener::bind_tcp(host, port, reuse_port, backlog))
            .map_err(|error| listen_error(&error))?;
        let addresses = bound
            .iter()
            .filter_map(Socket::tcp_address)
            .map(|address| (address.ip().to_string(), address.port()))
            .collect();
        self.running
            .with(|running| running.sockets.borrow_mut().extend(bound))?;
        Ok(addresses)
    }

    fn listen_unix(&self, path: &str) -> PyResult<()> {
        let socket = listener::bind_unix(path).map_err(|error| listen_error(&error))?;
        self.running
            .with(|running| running.sockets.borrow_mut().push(socket))
    }

    /// Takes over an inherited listening socket; gives its URL. The descriptor belongs to the server from here on.
    fn listen_fd(&self, fd: i32) -> PyResult<String> {
        if fd < 0 {
            return Err(PyOSError::new_err(format!("{fd} is not a file descriptor")));
        }
        // SAFETY: the caller hands the descriptor over, as the stub's docstring says; a number that is no open
        // descriptor fails in the first system call on it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let socket = listener::adopt(fd).map_err(|error| listen_error(&error))?;
        let url = socket.url();
        self.running
            .with(|running| running.sockets.borrow_mut().push(socket))?;
        Ok(url)
    }

    /// Begins to accept on all listeners.
    fn start(&self) -> PyResult<()> {
        self.running.with(|running| {
            let sockets = running.sockets.take();
            running.engine.run(Box::new(move |server| {
                for socket in sockets {
                    if let Err(error) = server.listen(socket) {
                        let message = format!("a listener failed: {error}");
                        server.service().observer.panicked(None, &message);
                    }
                }
            }))
        })?
    }

    /// A connection within the process, from nowhere or as another server tells it.
    #[pyo3(signature = (*, secure=false, client=None, server=None))]
    fn connect_memory(
        &self,
        py: Python<'_>,
        secure: bool,
        client: Option<(String, u16)>,
        server: Option<(String, u16)>,
    ) -> PyResult<MemoryStream> {
        let origin = inner_exchange::origin(secure, client, server);
        self.running.with(|running| {
            let (ours, theirs) = server::memory_pair();
            running
                .engine
                .run(Box::new(move |server| server.serve_memory(ours, origin)))?;
            Ok(MemoryStream::new(theirs, running.engine.clone_ref(py)))
        })?
    }

    /// Hands a request to the server as if it had come over a connection; `body` is an async iterator of bytes, None
    /// for no body. `done` gets the `Response`, or an exception. Middleware leads requests on with `is_led_on`.
    #[pyo3(signature = (request, body, r#loop, done, is_led_on))]
    fn exchange(
        &self,
        request: &Bound<'_, Request>,
        body: Option<Py<PyAny>>,
        r#loop: Py<PyAny>,
        done: Py<PyAny>,
        is_led_on: bool,
    ) -> PyResult<Exchange> {
        let door = if is_led_on {
            Door::BehindFront
        } else {
            Door::Outer
        };
        self.running.with(|running| {
            let notifier = running.engine.notifier();
            let (exchange, command) =
                inner_exchange::start(request, body, r#loop, notifier, done, door)?;
            running.engine.run(command)?;
            Ok(exchange)
        })?
    }

    /// Stops accepting and drains; `done` runs on the loop's thread when every connection has ended.
    fn stop(&self, timeout: f64, linger: f64, done: Py<PyAny>) -> PyResult<()> {
        let duration =
            |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        let (timeout, linger) = (duration(timeout), duration(linger));
        self.running.with(|running| {
            let notifier = running.engine.notifier();
            running.engine.run(Box::new(move |server| {
                let server = Rc::clone(server);
                spawn_local(async move {
                    server.drain(timeout, linger).await;
                    notifier.call(&done, |_| None);
                });
            }))
        })?
    }

    /// Cuts every connection now.
    fn abort(&self) -> PyResult<()> {
        self.running
            .with(|running| running.engine.run(Box::new(|server| server.abort())))?
    }

    fn close(&self, py: Python<'_>) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.pool.close();
        match running.engine {
            Engine::Thread { commands, queue } => {
                // A thread that has ended already takes nothing more.
                let _ = commands.send(None);
                if let Some(thread) = running.thread {
                    // The thread may need the interpreter to finish what it holds.
                    py.detach(|| drop(thread.join()));
                }
                queue.close();
            }
            Engine::Inline { server, driver, .. } => {
                // The driver may be closed already; then its tasks are gone too.
                let _ = driver.get().within(|| server.abort());
            }
        }
    }

    #[getter]
    fn connections(&self) -> usize {
        self.counters.connections()
    }

    #[getter]
    fn requests(&self) -> u64 {
        self.counters.requests()
    }
}

/// A server on a thread of its own.
fn spawn(
    py: Python<'_>,
    callee: Callee,
    blueprint: Blueprint,
) -> PyResult<(Engine, JoinHandle<()>)> {
    let runtime = core_http::runtime::builder()
        .build()
        .map_err(PyOSError::new_err)?;
    let queue = CallQueue::new(py, callee, runtime.handle().clone())?;
    let (commands, mut received) = mpsc::unbounded_channel::<Option<Command>>();
    let gateway = Arc::clone(&queue);
    let thread = std::thread::Builder::new()
        .name("spikard-server".to_owned())
        .spawn(move || {
            let local = LocalSet::new();
            local.block_on(&runtime, async move {
                let gateway = Gateway::Queue(gateway);
                let server = CoreServer::new(blueprint.build(&gateway));
                while let Some(Some(command)) = received.recv().await {
                    command(&server);
                }
            });
            // Connections and their timers must go before the runtime does.
            drop(local);
        })
        .map_err(PyOSError::new_err)?;
    Ok((Engine::Thread { commands, queue }, thread))
}
