//! `SocketLink`: what a WebSocket's two sides share, the connection's task and the handler's `WebSocket`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use core_http::websocket::{Closure, Handshake, Message, Outgoing, is_sendable};
use http::HeaderMap;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::application::error_class;
use crate::encode;
use crate::headers::Headers;
use crate::response::bytes_of;
use crate::server::Notifier;

/// Sent to a client that does not keep up, if the route says so.
const TRY_LATER: u16 = 1013;

/// What the application said to the handshake.
#[derive(Debug)]
pub(crate) struct Acceptance {
    pub(crate) subprotocol: Option<String>,
    pub(crate) headers: HeaderMap,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Connecting,
    Refused,
    Open,
    Closed(Closure),
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// Until the handshake is answered.
    acceptance: Option<Acceptance>,
    subprotocol: Option<String>,
    incoming: VecDeque<Message>,
    outgoing: VecDeque<Outgoing>,
    /// A close is among the outgoing, so nothing may follow.
    is_closing: bool,
    /// Futures of those who wait for a message, and for room.
    receivers: VecDeque<Py<PyAny>>,
    senders: VecDeque<Py<PyAny>>,
    /// The connection's task.
    task: Option<Waker>,
    /// The `WebSocket` of this link, made when somebody asks for it.
    websocket: Option<Py<PyAny>>,
}

impl State {
    fn wake_task(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    fn watch(&mut self, cx: &Context<'_>) {
        self.task = Some(cx.waker().clone());
    }

    /// Closes in place of all that waits: what the client has not read so far it would not read in time either.
    fn give_up(&mut self) -> Closure {
        let closure = Closure::new(TRY_LATER, "messages are not read fast enough");
        self.outgoing.clear();
        self.outgoing.push_back(Outgoing::Close(closure.clone()));
        self.is_closing = true;
        self.wake_task();
        closure
    }
}

/// How many messages may wait, and what happens to those who do not keep up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queueing {
    pub(crate) limit: usize,
    pub(crate) closes: bool,
}

pub(crate) struct Link {
    state: Mutex<State>,
    queueing: Queueing,
    handshake: Handshake,
    notifier: Notifier,
    /// Sets the result of a future that is not done.
    wake: Py<PyAny>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    pub(crate) fn new(
        queueing: Queueing,
        handshake: Handshake,
        notifier: Notifier,
        wake: Py<PyAny>,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            queueing,
            handshake,
            notifier,
            wake,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rouse(&self, futures: impl IntoIterator<Item = Py<PyAny>>) {
        for future in futures {
            self.notifier.call(&self.wake, |_| Some(future));
        }
    }

    pub(crate) fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Opens without being asked, for sockets that the handler sees message by message.
    pub(crate) fn open(&self, subprotocol: Option<&str>) {
        let mut state = self.lock();
        state.phase = Phase::Open;
        state.subprotocol = subprotocol.map(str::to_owned);
    }

    /// What the application said to the handshake, once it has.
    pub(crate) fn poll_accepted(&self, cx: &Context<'_>) -> Poll<Acceptance> {
        let mut state = self.lock();
        match state.acceptance.take() {
            Some(acceptance) => Poll::Ready(acceptance),
            None => {
                state.watch(cx);
                Poll::Pending
            }
        }
    }

    pub(crate) fn acceptance(&self) -> Option<Acceptance> {
        self.lock().acceptance.take()
    }

    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.incoming.len() < self.queueing.limit {
            return Poll::Ready(());
        }
        state.watch(cx);
        Poll::Pending
    }

    pub(crate) fn receive(&self, message: Message) {
        let receiver = {
            let mut state = self.lock();
            state.incoming.push_back(message);
            state.receivers.pop_front()
        };
        self.rouse(receiver);
    }

    /// What is to be sent next. The task is woken when there is more.
    pub(crate) fn poll_outgoing(&self, cx: &Context<'_>) -> Poll<Outgoing> {
        let (outgoing, sender) = {
            let mut state = self.lock();
            let Some(outgoing) = state.outgoing.pop_front() else {
                state.watch(cx);
                return Poll::Pending;
            };
            (outgoing, state.senders.pop_front())
        };
        self.rouse(sender);
        Poll::Ready(outgoing)
    }

    /// Sends without waiting for room: what the server says itself.
    pub(crate) fn push(&self, outgoing: Outgoing) {
        let mut state = self.lock();
        if state.is_closing || matches!(state.phase, Phase::Closed(_)) {
            return;
        }
        state.is_closing = matches!(outgoing, Outgoing::Close(_));
        state.outgoing.push_back(outgoing);
        state.wake_task();
    }

    /// The socket is over: everybody who waits learns it.
    pub(crate) fn closed(&self, closure: &Closure) {
        let (waiting, websocket): (Vec<_>, _) = {
            let mut state = self.lock();
            if matches!(state.phase, Phase::Closed(_)) {
                return;
            }
            state.phase = Phase::Closed(closure.clone());
            state.outgoing.clear();
            state.task = None;
            let mut waiting = std::mem::take(&mut state.receivers);
            waiting.append(&mut state.senders);
            (waiting.into(), state.websocket.take())
        };
        // It refers to this link; let go outside the lock, since that may run Python code.
        drop(websocket);
        self.rouse(waiting);
    }

    /// The link's one `WebSocket`.
    pub(crate) fn websocket<'py>(
        self: &Arc<Self>,
        request: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = request.py();
        if let Some(websocket) = &self.lock().websocket {
            return Ok(websocket.bind(py).clone());
        }
        let link = Py::new(py, SocketLink(Arc::clone(self)))?;
        let websocket = py
            .import(intern!(py, "spikard.routing.websocket"))?
            .getattr(intern!(py, "WebSocket"))?
            .call1((link, request))?;
        self.lock().websocket = Some(websocket.clone().unbind());
        Ok(websocket)
    }
}

fn disconnect(py: Python<'_>, closure: &Closure) -> PyErr {
    match error_class(py, "WebSocketDisconnect")
        .and_then(|class| class.call1((closure.code, closure.reason.as_str())))
    {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

fn not_accepted() -> PyErr {
    PyRuntimeError::new_err(
        "the WebSocket is not open yet: `await ws.accept()` comes before the first message",
    )
}

/// A link as a request carries it to the handler's arguments.
#[derive(Clone, Debug)]
pub(crate) struct Carried(pub(crate) Arc<Link>);

/// The handler's end, used by `spikard.routing.websocket.WebSocket`.
#[pyclass(name = "SocketLink", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct SocketLink(Arc<Link>);

impl SocketLink {
    fn offer(&self, py: Python<'_>, message: Message) -> PyResult<bool> {
        let link = &self.0;
        let mut state = link.lock();
        match &state.phase {
            Phase::Connecting => return Err(not_accepted()),
            Phase::Refused => return Err(disconnect(py, &Closure::abnormal())),
            Phase::Closed(closure) => {
                let closure = closure.clone();
                drop(state);
                return Err(disconnect(py, &closure));
            }
            Phase::Open => {}
        }
        if state.is_closing {
            let closure = closing(&state.outgoing);
            drop(state);
            return Err(disconnect(py, &closure));
        }
        if state.outgoing.len() < link.queueing.limit {
            state.outgoing.push_back(Outgoing::Message(message));
            state.wake_task();
            return Ok(true);
        }
        if !link.queueing.closes {
            return Ok(false);
        }
        let closure = state.give_up();
        drop(state);
        Err(disconnect(py, &closure))
    }
}

/// The close that is on its way.
fn closing(outgoing: &VecDeque<Outgoing>) -> Closure {
    match outgoing.back() {
        Some(Outgoing::Close(closure)) => closure.clone(),
        _ => Closure::new(1000, ""),
    }
}

#[pymethods]
impl SocketLink {
    /// Agrees to the handshake.
    #[pyo3(signature = (subprotocol=None, headers=None))]
    fn accept(
        &self,
        subprotocol: Option<String>,
        headers: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let handshake = &self.0.handshake;
        if let Some(name) = &subprotocol
            && !handshake.offers(name)
        {
            return Err(PyValueError::new_err(format!(
                "the client does not speak the subprotocol {name:?}"
            )));
        }
        let subprotocol = subprotocol.or_else(|| handshake.preferred().map(str::to_owned));
        let headers = Headers::from_items(headers)?.map;
        let mut state = self.0.lock();
        if !matches!(state.phase, Phase::Connecting) {
            return Err(PyRuntimeError::new_err(
                "the WebSocket was accepted or refused before",
            ));
        }
        state.phase = Phase::Open;
        state.subprotocol.clone_from(&subprotocol);
        state.acceptance = Some(Acceptance {
            subprotocol,
            headers,
        });
        state.wake_task();
        Ok(())
    }

    /// The next message, None if none has come. Raises `WebSocketDisconnect` after the last.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let message = {
            let mut state = self.0.lock();
            let Some(message) = state.incoming.pop_front() else {
                let fault = match &state.phase {
                    Phase::Connecting => not_accepted(),
                    Phase::Refused => {
                        drop(state);
                        disconnect(py, &Closure::abnormal())
                    }
                    Phase::Open => return Ok(None),
                    Phase::Closed(closure) => {
                        let closure = closure.clone();
                        drop(state);
                        disconnect(py, &closure)
                    }
                };
                return Err(fault);
            };
            // There is room for one more now.
            state.wake_task();
            message
        };
        Ok(Some(if message.is_text {
            let text = std::str::from_utf8(&message.payload)
                .map_err(|error| PyValueError::new_err(error.to_string()))?;
            PyString::new(py, text).into_any()
        } else {
            PyBytes::new(py, &message.payload).into_any()
        }))
    }

    /// Has a future told when there is a message, or none will come. False if that is so already.
    fn wait(&self, future: Py<PyAny>) -> bool {
        let mut state = self.0.lock();
        if !state.incoming.is_empty() || !matches!(state.phase, Phase::Open) {
            return false;
        }
        state.receivers.push_back(future);
        true
    }

    /// Queues text or bytes. False if there is no room; raises `WebSocketDisconnect` if nobody listens any more.
    fn send(&self, data: &Bound<'_, PyAny>) -> PyResult<bool> {
        let message = if let Ok(text) = data.cast::<PyString>() {
            Message {
                is_text: true,
                payload: Bytes::copy_from_slice(text.to_str()?.as_bytes()),
            }
        } else if let Some(payload) = bytes_of(data) {
            Message {
                is_text: false,
                payload,
            }
        } else {
            return Err(PyTypeError::new_err(format!(
                "a message is text or bytes, not {}; send_json() takes other values",
                data.get_type().name()?
            )));
        };
        self.offer(data.py(), message)
    }

    /// As `send`, of a value as JSON text.
    fn send_json(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        let payload = encode::to_json(value)?.into();
        let is_text = true;
        self.offer(value.py(), Message { is_text, payload })
    }

    /// Has a future told when there is room. False if there is already.
    fn wait_for_room(&self, future: Py<PyAny>) -> bool {
        let mut state = self.0.lock();
        if state.outgoing.len() < self.0.queueing.limit || !matches!(state.phase, Phase::Open) {
            return false;
        }
        state.senders.push_back(future);
        true
    }

    /// Closes after what is queued; refuses where nothing was accepted. What is closed stays as it is.
    fn close(&self, code: u16, reason: &str) -> PyResult<()> {
        if !is_sendable(code) {
            return Err(PyValueError::new_err(format!(
                "{code} is no code to close with: use 1000, 1001, 1007 to 1014 or 3000 to 4999"
            )));
        }
        let mut state = self.0.lock();
        if matches!(state.phase, Phase::Connecting) {
            state.phase = Phase::Refused;
            return Ok(());
        }
        drop(state);
        self.0.push(Outgoing::Close(Closure::new(code, reason)));
        Ok(())
    }

    /// Closes a socket whose client does not read fast enough, at once.
    fn give_up(&self) {
        let mut state = self.0.lock();
        if matches!(state.phase, Phase::Open) && !state.is_closing {
            state.give_up();
        }
    }

    #[getter]
    fn subprotocol(&self) -> Option<String> {
        self.0.lock().subprotocol.clone()
    }

    /// Code and reason, once it is closed.
    #[getter]
    fn closure(&self) -> Option<(u16, String)> {
        match &self.0.lock().phase {
            Phase::Closed(closure) => Some((closure.code, closure.reason.clone())),
            _ => None,
        }
    }

    #[getter]
    fn is_open(&self) -> bool {
        let state = self.0.lock();
        matches!(state.phase, Phase::Open) && !state.is_closing
    }
}
