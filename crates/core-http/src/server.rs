//! Listeners, connections and their end: accepting, time limits, draining.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::Instant;

use crate::connection;
use crate::listener::{Bound, Listener};
use crate::request::Origin;
use crate::service::Service;
use crate::wire::{Activity, Ending, Transport};

/// How often the time limits of connections are looked at, at most.
const SWEEP: Duration = Duration::from_millis(250);

/// How long accepting pauses when the process has run out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bytes an in-memory connection holds in each direction.
const MEMORY_BUFFER: usize = 64 * 1024;

/// Two ends of a connection within this process: one to serve, one for the client.
pub fn memory_pair() -> (DuplexStream, DuplexStream) {
    tokio::io::duplex(MEMORY_BUFFER)
}

/// A server within a `LocalSet`; all its work happens on the thread that drives it.
#[derive(Debug)]
pub struct Server {
    service: Rc<Service>,
    connections: RefCell<Vec<Option<Rc<Activity>>>>,
    free: RefCell<Vec<usize>>,
    open: Cell<usize>,
    closed_one: Notify,
    ticks: Rc<Cell<u64>>,
    tick: Duration,
    sweeping: Cell<bool>,
    acceptors: RefCell<Vec<JoinHandle<()>>>,
}

impl Server {
    pub fn new(service: Rc<Service>) -> Rc<Self> {
        let settings = &service.settings;
        let shortest = settings
            .header_read_timeout
            .min(settings.keep_alive_timeout)
            .min(settings.body_read_timeout);
        let tick = (shortest / 4).clamp(Duration::from_millis(5), SWEEP);
        Rc::new(Self {
            service,
            connections: RefCell::default(),
            free: RefCell::default(),
            open: Cell::new(0),
            closed_one: Notify::new(),
            ticks: Rc::new(Cell::new(0)),
            tick,
            sweeping: Cell::new(false),
            acceptors: RefCell::default(),
        })
    }

    pub fn service(&self) -> &Rc<Service> {
        &self.service
    }

    /// Begins to accept on a socket. Must be called within the runtime and its `LocalSet`.
    pub fn listen(self: &Rc<Self>, bound: Bound) -> io::Result<()> {
        let listener = bound.into_listener()?;
        let server = Rc::clone(self);
        let task = spawn_local(async move { server.accept(listener).await });
        self.acceptors.borrow_mut().push(task);
        Ok(())
    }

    async fn accept(self: Rc<Self>, listener: Listener) {
        loop {
            if let Some(limit) = self.service.settings.max_connections {
                while self.open.get() >= limit {
                    self.closed_one.notified().await;
                }
            }
            match listener.accept().await {
                Ok((transport, origin)) => self.adopt(transport, origin),
                Err(error) if is_about_one_connection(&error) => {}
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    /// Serves one end of `memory_pair`.
    pub fn serve_memory(self: &Rc<Self>, stream: DuplexStream, origin: Origin) {
        self.adopt(Transport::Memory(stream), origin);
    }

    fn adopt(self: &Rc<Self>, transport: Transport, origin: Origin) {
        let activity = Rc::new(Activity::default());
        activity.since.set(self.ticks.get());
        let slot = self.enter(&activity);
        let server = Rc::clone(self);
        spawn_local(async move {
            let leaving = Leaving {
                server: Rc::clone(&server),
                slot,
            };
            connection::serve(
                transport,
                origin,
                Rc::clone(&server.service),
                activity,
                Rc::clone(&server.ticks),
            )
            .await;
            drop(leaving);
        });
        if !self.sweeping.replace(true) {
            let server = Rc::clone(self);
            spawn_local(async move { server.sweep().await });
        }
    }

    fn enter(&self, activity: &Rc<Activity>) -> usize {
        self.set_open(self.open.get() + 1);
        if let Some(metrics) = &self.service.metrics {
            metrics.connection_opened();
        }
        let mut connections = self.connections.borrow_mut();
        let slot = self.free.borrow_mut().pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        connections[slot] = Some(Rc::clone(activity));
        slot
    }

    fn set_open(&self, open: usize) {
        self.open.set(open);
        self.service.counters.set_connections(open);
    }

    fn leave(&self, slot: usize) {
        self.connections.borrow_mut()[slot] = None;
        self.free.borrow_mut().push(slot);
        self.set_open(self.open.get() - 1);
        if let Some(metrics) = &self.service.metrics {
            metrics.connection_closed();
        }
        self.closed_one.notify_waiters();
    }

    /// Looks at every connection's time limits while there are connections.
    async fn sweep(self: Rc<Self>) {
        let settings = &self.service.settings;
        let ticks_of = |limit: Duration| limit.as_nanos().div_ceil(self.tick.as_nanos()) as u64;
        let (head, idle) = (
            ticks_of(settings.header_read_timeout),
            ticks_of(settings.keep_alive_timeout),
        );
        let blocked = ticks_of(settings.body_read_timeout);
        while self.open.get() > 0 {
            tokio::time::sleep(self.tick).await;
            let now = self.ticks.get() + 1;
            self.ticks.set(now);
            self.for_each(|activity| {
                let age = now - activity.since.get();
                let busy = activity.active.get() > 0 || activity.unflushed.get();
                if activity.blocked.get() {
                    if age > blocked {
                        activity.end(Ending::Cut);
                    }
                } else if busy {
                    // A handler has time limits of its own.
                } else if activity.ending.get().is_some() {
                    // It was told goodbye and does not go.
                    if age > idle.max(head) {
                        activity.end(Ending::Cut);
                    }
                } else if activity.in_head.get() {
                    if age > head {
                        activity.end(Ending::HeadTimeout);
                    }
                } else if age > idle {
                    activity.end(Ending::Graceful);
                }
            });
        }
        self.sweeping.set(false);
    }

    fn for_each(&self, each: impl Fn(&Activity)) {
        // Ending a connection only wakes its task, so the list can't change under the loop.
        for activity in self.connections.borrow().iter().flatten() {
            each(activity);
        }
    }

    /// Stops accepting at once, without ending any connection.
    pub fn stop_accepting(&self) {
        for task in self.acceptors.borrow_mut().drain(..) {
            task.abort();
        }
    }

    /// Stops accepting and ends every connection in an orderly way.
    ///
    /// For `linger`, idle connections may still send one more request, whose answer says `Connection: close`: a
    /// client that is just sending it then isn't cut off. After `timeout`, what still runs is cut.
    pub async fn drain(self: Rc<Self>, timeout: Duration, linger: Duration) {
        self.service.draining.set(true);
        // What is in the accept queue already was promised an answer, unless another process has the socket too.
        self.stop_accepting();
        let deadline = Instant::now() + timeout;
        self.wait_closed(Instant::now() + linger.min(timeout)).await;
        self.for_each(|activity| activity.end(Ending::Graceful));
        self.wait_closed(deadline).await;
        self.abort();
        while self.open.get() > 0 {
            self.closed_one.notified().await;
        }
    }

    async fn wait_closed(&self, deadline: Instant) {
        while self.open.get() > 0 {
            if tokio::time::timeout_at(deadline, self.closed_one.notified())
                .await
                .is_err()
            {
                return;
            }
        }
    }

    /// Cuts every connection now.
    pub fn abort(&self) {
        self.stop_accepting();
        self.for_each(|activity| activity.end(Ending::Cut));
    }
}

/// Takes a connection off the list, however its task ends.
struct Leaving {
    server: Rc<Server>,
    slot: usize,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.server.leave(self.slot);
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
