//! An open socket, driven by its connection's task.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::Options;
use super::close::{self, Closure, Violation};
use super::deflate;
use super::frame::{self, Opcode};
use super::incoming::{Event, Incoming, Message};
use super::peer::{Outgoing, Peer};
use crate::body::Body;
use crate::upgrade::{Upgrade, Upgraded};
use crate::wire::{Activity, Ending, Wire};

/// Bytes that may wait to be written before nothing more is taken in.
const HIGH_WATER: usize = 64 * 1024;
/// Read at once.
const READ_SIZE: usize = 4096;
/// Messages of one socket before the others get their turn.
const BATCH: u32 = 32;
/// How long the client may take to answer our close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long we listen to a client that broke the rules, so that our close reaches it before the connection ends.
const LINGER: Duration = Duration::from_secs(1);
/// How long the application may take once its socket is gone.
const END_TIMEOUT: Duration = Duration::from_secs(20);

/// The body of a 101 that hands the connection to a socket.
pub fn upgrade(options: Options, deflates: bool, peer: Box<dyn Peer>) -> Body {
    Body::Upgrade(Upgrade::new(move |upgraded| {
        Box::pin(run(upgraded, options, deflates, peer))
    }))
}

async fn run(upgraded: Upgraded, options: Options, deflates: bool, peer: Box<dyn Peer>) {
    let activity = Rc::clone(&upgraded.activity);
    let mut socket = Socket {
        wire: upgraded.wire,
        incoming: Incoming::new(&upgraded.ahead, options.max_message_size, deflates),
        out: BytesMut::new(),
        peer,
        deflates,
        state: State::Open,
        closing: None,
        silence: Silence::new(&options),
        idle: options
            .idle_timeout
            .map(|limit| (limit, Box::pin(sleep(limit)))),
        is_idle: true,
        told: false,
    };
    let closure = poll_fn(|cx| {
        activity.remember(cx);
        socket.poll(&activity, cx)
    })
    .await;
    let Socket { mut peer, wire, .. } = socket;
    drop(wire);
    peer.closed(&closure);
    let ended = poll_fn(|cx| {
        activity.remember(cx);
        if activity.ending.get() == Some(Ending::Cut) {
            return Poll::Ready(());
        }
        peer.poll_end(cx)
    });
    // Whoever takes longer is cancelled, by being dropped.
    let _ = timeout(END_TIMEOUT, ended).await;
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Our close is sent, or about to be; the client's is awaited.
    Closing(Closure),
    /// Both are exchanged: write what is left, then end.
    Closed(Closure),
    /// The client broke the rules: write what is left, then listen for a moment.
    Failed(Closure),
}

/// Watches for a client that gives no sign of life.
struct Silence {
    interval: Duration,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// A byte has come since the timer was set.
    heard: bool,
    asked: bool,
}

impl Silence {
    fn new(options: &Options) -> Self {
        let interval = options.ping_interval.unwrap_or_default();
        Self {
            interval,
            patience: options.ping_timeout.unwrap_or(Duration::MAX),
            timer: options.ping_interval.map(|limit| Box::pin(sleep(limit))),
            heard: false,
            asked: false,
        }
    }

    /// Whether to ask for a sign of life (`Ok`), or the client is given up (`Err`). Until then pending.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let Some(timer) = &mut self.timer else {
            return Poll::Pending;
        };
        loop {
            std::task::ready!(timer.as_mut().poll(cx));
            if self.heard {
                (self.heard, self.asked) = (false, false);
                timer.as_mut().reset(Instant::now() + self.interval);
                continue;
            }
            if self.asked {
                return Poll::Ready(Err(()));
            }
            self.asked = true;
            if self.patience == Duration::MAX {
                // Asked for the sake of those in between, who close silent connections.
                self.asked = false;
                timer.as_mut().reset(Instant::now() + self.interval);
            } else {
                timer.as_mut().reset(Instant::now() + self.patience);
            }
            return Poll::Ready(Ok(()));
        }
    }
}

struct Socket {
    wire: Wire,
    incoming: Incoming,
    out: BytesMut,
    peer: Box<dyn Peer>,
    deflates: bool,
    state: State,
    closing: Option<Pin<Box<Sleep>>>,
    silence: Silence,
    idle: Option<(Duration, Pin<Box<Sleep>>)>,
    /// No message has passed since the timer was set.
    is_idle: bool,
    /// The client knows that the server stops.
    told: bool,
}

/// How a step ended.
enum Step {
    /// Something moved: look again.
    Moved,
    /// Nothing more can be done now.
    Waiting,
    Over(Closure),
}

impl Socket {
    fn poll(&mut self, activity: &Activity, cx: &mut Context<'_>) -> Poll<Closure> {
        match activity.ending.get() {
            Some(Ending::Cut) => return Poll::Ready(Closure::abnormal()),
            Some(_) if !self.told => {
                self.told = true;
                self.close(Closure::new(close::RESTART, "the server is restarting"));
            }
            _ => {}
        }
        let mut handled = 0;
        loop {
            let gathered = self.gather(cx);
            let written = self.write(cx);
            let read = self.read(&mut handled, cx);
            let mut moved = gathered;
            for step in [written, read] {
                match step {
                    Step::Over(closure) => return Poll::Ready(closure),
                    Step::Moved => moved = true,
                    Step::Waiting => {}
                }
            }
            if moved {
                continue;
            }
            if handled >= BATCH {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(closure) = self.time(cx) {
                return Poll::Ready(closure);
            }
            if self.out.is_empty() {
                return Poll::Pending;
            }
            // A timer has put something in.
            if matches!(self.write(cx), Step::Waiting) {
                return Poll::Pending;
            }
        }
    }

    /// Takes what the application wants sent.
    fn gather(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while self.state == State::Open && self.out.len() < HIGH_WATER {
            match self.peer.poll_next(cx) {
                Poll::Ready(Outgoing::Message(message)) => self.send(&message),
                Poll::Ready(Outgoing::Close(closure)) => self.close(closure),
                Poll::Pending => break,
            }
            moved = true;
        }
        moved
    }

    fn send(&mut self, message: &Message) {
        let opcode = if message.is_text {
            Opcode::Text
        } else {
            Opcode::Binary
        };
        self.is_idle = false;
        match self.deflates.then(|| deflate::deflate(&message.payload)) {
            Some(Some(small)) => frame::write(&mut self.out, opcode, true, &small),
            _ => frame::write(&mut self.out, opcode, false, &message.payload),
        }
    }

    /// Begins to close from our side.
    fn close(&mut self, closure: Closure) {
        if self.state != State::Open {
            return;
        }
        let payload = close::payload(closure.code, &closure.reason);
        frame::write(&mut self.out, Opcode::Close, false, &payload);
        self.state = State::Closing(closure);
        self.closing = Some(Box::pin(sleep(CLOSE_TIMEOUT)));
    }

    fn fail(&mut self, violation: Violation) {
        let closure = Closure::new(violation.code, violation.reason);
        if self.state == State::Open {
            let payload = close::payload(closure.code, &closure.reason);
            frame::write(&mut self.out, Opcode::Close, false, &payload);
        }
        self.state = State::Failed(closure);
        self.closing = Some(Box::pin(sleep(LINGER)));
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Step {
        let mut moved = false;
        while !self.out.is_empty() {
            match Pin::new(&mut self.wire).poll_write(cx, &self.out) {
                Poll::Ready(Ok(n)) if n > 0 => {
                    self.out.advance(n);
                    moved = true;
                }
                Poll::Ready(_) => return Step::Over(self.broken()),
                Poll::Pending => return if moved { Step::Moved } else { Step::Waiting },
            }
        }
        if moved {
            // What a large message needed is not kept for a silent socket.
            self.out = BytesMut::new();
        }
        match Pin::new(&mut self.wire).poll_flush(cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(_)) => return Step::Over(self.broken()),
            Poll::Pending => return if moved { Step::Moved } else { Step::Waiting },
        }
        let (closure, ends) = match &self.state {
            State::Open | State::Closing(_) => {
                return if moved { Step::Moved } else { Step::Waiting };
            }
            State::Closed(closure) => (closure, true),
            State::Failed(closure) => (closure, false),
        };
        match Pin::new(&mut self.wire).poll_shutdown(cx) {
            Poll::Ready(_) if ends => Step::Over(closure.clone()),
            _ if moved => Step::Moved,
            _ => Step::Waiting,
        }
    }

    fn read(&mut self, handled: &mut u32, cx: &mut Context<'_>) -> Step {
        let mut moved = false;
        loop {
            match &self.state {
                State::Closed(_) => break,
                State::Failed(_) => {
                    return match self.swallow(cx) {
                        Poll::Ready(()) => Step::Over(self.broken()),
                        Poll::Pending if moved => Step::Moved,
                        Poll::Pending => Step::Waiting,
                    };
                }
                State::Open => {
                    if *handled >= BATCH || self.out.len() >= HIGH_WATER {
                        break;
                    }
                    if self.peer.poll_ready(cx).is_pending() {
                        // Nothing is read, so nothing can be heard.
                        self.silence.heard = true;
                        break;
                    }
                }
                State::Closing(_) => {}
            }
            match self.incoming.next() {
                Ok(Some(event)) => {
                    *handled += 1;
                    self.take(event);
                }
                Ok(None) => match self.fill(cx) {
                    Poll::Ready(true) => self.silence.heard = true,
                    Poll::Ready(false) => return Step::Over(self.broken()),
                    Poll::Pending => break,
                },
                Err(violation) => self.fail(violation),
            }
            moved = true;
        }
        if moved { Step::Moved } else { Step::Waiting }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Message(message) => {
                self.is_idle = false;
                if self.state == State::Open {
                    self.peer.receive(message);
                }
            }
            Event::Ping(payload) if self.state == State::Open => {
                frame::write(&mut self.out, Opcode::Pong, false, &payload);
            }
            Event::Ping(_) | Event::Pong => {}
            Event::Close(closure) => {
                if self.state == State::Open {
                    let payload = closure
                        .as_ref()
                        .map_or_else(Vec::new, |closure| close::payload(closure.code, ""));
                    frame::write(&mut self.out, Opcode::Close, false, &payload);
                }
                self.state =
                    State::Closed(closure.unwrap_or_else(|| Closure::new(close::NO_CODE, "")));
            }
        }
    }

    /// Reads once; false at the end of the stream.
    fn fill(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let buffer = &mut self.incoming.buffer;
        if buffer.capacity() - buffer.len() < READ_SIZE / 4 {
            buffer.reserve(READ_SIZE);
        }
        let read = {
            let mut reading =
                std::pin::pin!(tokio::io::AsyncReadExt::read_buf(&mut self.wire, buffer));
            std::task::ready!(reading.as_mut().poll(cx))
        };
        Poll::Ready(matches!(read, Ok(n) if n > 0))
    }

    /// Reads and forgets; ready at the end of the stream.
    fn swallow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 1024];
        for _ in 0..BATCH {
            let mut buffer = ReadBuf::new(&mut space);
            match std::task::ready!(Pin::new(&mut self.wire).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The connection is gone: what was agreed on before that, or nothing.
    fn broken(&self) -> Closure {
        match &self.state {
            State::Open => Closure::abnormal(),
            State::Closing(closure) | State::Closed(closure) | State::Failed(closure) => {
                closure.clone()
            }
        }
    }

    /// What has taken too long.
    fn time(&mut self, cx: &mut Context<'_>) -> Option<Closure> {
        if let Some(timer) = &mut self.closing {
            return timer.as_mut().poll(cx).is_ready().then(|| self.broken());
        }
        match self.silence.poll(cx) {
            Poll::Ready(Ok(())) => frame::write(&mut self.out, Opcode::Ping, false, b""),
            Poll::Ready(Err(())) => return Some(Closure::abnormal()),
            Poll::Pending => {}
        }
        if let Some((limit, timer)) = &mut self.idle {
            while timer.as_mut().poll(cx).is_ready() {
                if self.is_idle {
                    self.close(Closure::new(
                        close::GOING_AWAY,
                        "nothing was said for too long",
                    ));
                    break;
                }
                self.is_idle = true;
                timer.as_mut().reset(Instant::now() + *limit);
            }
        }
        None
    }
}
