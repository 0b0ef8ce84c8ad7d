//! The byte stream under a connection, with what the time limits need to know about it.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::head_watch::HeadWatch;
use crate::service::Running;
use crate::upgrade::Upgrade;
use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::server::TlsStream;

/// The transports a connection can run over.
#[derive(Debug)]
pub enum Transport {
    Tcp(TcpStream),
    /// Boxed: its state is large, and most connections are not encrypted.
    Tls(Box<TlsStream<TcpStream>>),
    #[cfg(unix)]
    Unix(UnixStream),
    Memory(DuplexStream),
}

macro_rules! on_transport {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self {
            Transport::Tcp($stream) => $call,
            Transport::Tls($stream) => $call,
            #[cfg(unix)]
            Transport::Unix($stream) => $call,
            Transport::Memory($stream) => $call,
        }
    };
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_transport!(self.get_mut(), s => Pin::new(s).poll_read(cx, buf))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_transport!(self.get_mut(), s => Pin::new(s).poll_write(cx, buf))
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_transport!(self.get_mut(), s => Pin::new(s).poll_write_vectored(cx, bufs))
    }
    fn is_write_vectored(&self) -> bool {
        on_transport!(self, s => s.is_write_vectored())
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(self.get_mut(), s => Pin::new(s).poll_flush(cx))
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(self.get_mut(), s => Pin::new(s).poll_shutdown(cx))
    }
}

/// Why a connection is being ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Answer what is under way, then close.
    Graceful,
    /// The head of a request did not arrive in time: 408 and close.
    HeadTimeout,
    /// Close now.
    Cut,
}

/// What a connection is doing, shared by its stream, its service and the sweep over all connections.
///
/// Times are ticks of the sweep, so that noting one costs a store and no clock.
#[derive(Debug, Default)]
pub struct Activity {
    /// Requests whose handler or body stream isn't done.
    pub(crate) active: Cell<u32>,
    /// An answer was given that has not been flushed to the peer.
    pub(crate) unflushed: Cell<bool>,
    /// Bytes of a head have come, but not all of it. Says nothing on HTTP/2, whose bytes may be anything.
    pub(crate) in_head: Cell<bool>,
    pub(crate) is_http2: Cell<bool>,
    /// The head says both how long its body is and that it is chunked.
    pub(crate) ambiguous: Cell<bool>,
    /// A write is waiting for the peer to take bytes.
    pub(crate) blocked: Cell<bool>,
    /// When bytes last passed, or the head began.
    pub(crate) since: Cell<u64>,
    pub(crate) ending: Cell<Option<Ending>>,
    waker: RefCell<Option<Waker>>,
    /// Tasks beside the connection's own that want to know when it is being ended: streams of HTTP/2.
    watchers: RefCell<Vec<Waker>>,
    /// What takes over the connection when hyper is done with it.
    pub(crate) successor: RefCell<Option<(Upgrade, Running)>>,
}

impl Activity {
    pub(crate) fn end(&self, ending: Ending) {
        self.ending.set(Some(ending));
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
        for waker in self.watchers.take() {
            waker.wake();
        }
    }

    /// Wakes this task too when the connection is being ended.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        let mut watchers = self.watchers.borrow_mut();
        if !watchers.iter().any(|waker| waker.will_wake(cx.waker())) {
            watchers.push(cx.waker().clone());
        }
    }

    pub(crate) fn remember(&self, cx: &Context<'_>) {
        let mut slot = self.waker.borrow_mut();
        match slot.as_ref() {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            _ => *slot = Some(cx.waker().clone()),
        }
    }
}

/// A transport that notes when bytes pass, puts back what was read ahead of the protocol choice, and gives the
/// HTTP/1 parser's own refusals a body.
#[derive(Debug)]
pub(crate) struct Wire {
    transport: Transport,
    ahead: Bytes,
    activity: Rc<Activity>,
    ticks: Rc<Cell<u64>>,
    heads: HeadWatch,
    refusals: Option<Rc<dyn Refusals>>,
    /// What is left of a refusal that replaces the parser's.
    pending: Bytes,
}

/// Gives the whole answer for a status that the HTTP parser refuses with.
pub(crate) trait Refusals: std::fmt::Debug {
    fn refusal(&self, status: u16) -> Option<Bytes>;
}

impl Wire {
    pub(crate) fn new(
        transport: Transport,
        ahead: Bytes,
        activity: Rc<Activity>,
        ticks: Rc<Cell<u64>>,
    ) -> Self {
        Self {
            transport,
            ahead,
            activity,
            ticks,
            heads: HeadWatch::default(),
            refusals: None,
            pending: Bytes::new(),
        }
    }

    pub(crate) fn with_refusals(mut self, refusals: Rc<dyn Refusals>) -> Self {
        self.refusals = Some(refusals);
        self
    }

    fn touch(&self) {
        self.activity.since.set(self.ticks.get());
    }

    /// The parser answers by itself only while no request is under way, with a status line as the first bytes.
    fn replacement(&self, buf: &[u8]) -> Option<Bytes> {
        let refusals = self.refusals.as_ref()?;
        if self.activity.active.get() != 0
            || self.activity.unflushed.get()
            || !buf.starts_with(b"HTTP/1.1 4")
        {
            return None;
        }
        let status = std::str::from_utf8(buf.get(9..12)?).ok()?.parse().ok()?;
        refusals.refusal(status)
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            match Pin::new(&mut self.transport).poll_write(cx, &self.pending) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => self.pending.advance(n),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn note_write<T>(&self, result: &Poll<io::Result<T>>) {
        let blocked = result.is_pending();
        if !blocked || !self.activity.blocked.get() {
            self.touch();
        }
        self.activity.blocked.set(blocked);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let result = if this.ahead.is_empty() {
            Pin::new(&mut this.transport).poll_read(cx, buf)
        } else {
            let n = this.ahead.len().min(buf.remaining());
            buf.put_slice(&this.ahead.split_to(n));
            if this.ahead.is_empty() {
                // An empty rest would keep the buffer alive for as long as the connection.
                this.ahead = Bytes::new();
            }
            Poll::Ready(Ok(()))
        };
        let fresh = &buf.filled()[before..];
        if this.activity.is_http2.get() {
            return result;
        }
        if this.activity.active.get() == 0 && !fresh.is_empty() {
            if !this.activity.in_head.replace(true) {
                this.heads.begin();
                this.touch();
            }
            if this.heads.is_ambiguous(fresh) {
                this.activity.ambiguous.set(true);
            }
        }
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(refusal) = this.replacement(buf) {
            this.pending = refusal;
            return Poll::Ready(Ok(buf.len()));
        }
        let result = Pin::new(&mut this.transport).poll_write(cx, buf);
        this.note_write(&result);
        result
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(refusal) = bufs.first().and_then(|buf| this.replacement(buf)) {
            this.pending = refusal;
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let result = Pin::new(&mut this.transport).poll_write_vectored(cx, bufs);
        this.note_write(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.poll_pending(cx)?.is_pending() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut this.transport).poll_flush(cx);
        if result.is_ready() {
            this.activity.unflushed.set(false);
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.poll_pending(cx)?.is_pending() {
            return Poll::Pending;
        }
        Pin::new(&mut this.transport).poll_shutdown(cx)
    }
}
