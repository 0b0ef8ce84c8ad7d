//! Bodies made by Python iterators: pulled by the connection, produced on the loop's thread, one chunk at a time.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use core_http::error::BodyError;
use http_body::{Body, Frame};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::event::EventFormat;
use crate::response::bytes_of;
use crate::{answer, encode};

/// An iterator that has not been started; HEAD requests never start theirs.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) iterator: Py<PyAny>,
    pub(crate) event_loop: Py<PyAny>,
    pub(crate) after: Option<After>,
    pub(crate) format: Format,
}

/// What an item becomes.
#[derive(Debug)]
pub(crate) enum Format {
    /// Text and bytes as they are, all else a line of JSON.
    Plain,
    /// A server-sent event.
    Events(EventFormat),
    /// A WebSocket message: JSON; None is none.
    Messages,
}

/// Work that follows a stream: the pump's to start at the end; started here when the stream never is.
#[derive(Debug)]
pub(crate) struct After {
    work: Option<Py<PyAny>>,
    event_loop: Py<PyAny>,
}

impl After {
    pub(crate) fn new(work: Py<PyAny>, event_loop: Py<PyAny>) -> Self {
        Self {
            work: Some(work),
            event_loop,
        }
    }

    fn hand_over(mut self) -> Option<Py<PyAny>> {
        self.work.take()
    }
}

impl Drop for After {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            Python::attach(|py| {
                // A loop that is closed does nothing any more.
                let _ = answer::run_after(&self.event_loop, work.bind(py));
            });
        }
    }
}

/// What the two sides share. At most one chunk waits; the producer waits until it is taken.
#[derive(Debug, Default)]
struct Shared {
    chunk: Option<Bytes>,
    end: Option<Result<(), String>>,
    consumer: Option<Waker>,
    /// The future that the producer awaits, to be told when there is room.
    producer: Option<Py<PyAny>>,
    task: Option<Py<PyAny>>,
    is_abandoned: bool,
}

#[derive(Clone, Debug, Default)]
struct Channel(Arc<Mutex<Shared>>);

impl Channel {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing under the lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, end: Result<(), String>) {
        let mut shared = self.lock();
        shared.end.get_or_insert(end);
        shared.task = None;
        if let Some(waker) = shared.consumer.take() {
            waker.wake();
        }
    }
}

/// The producer's end, used by `spikard.responses.pump`.
#[pyclass(name = "StreamSink", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct StreamSink {
    channel: Channel,
    format: Format,
}

#[pymethods]
impl StreamSink {
    /// Remembers the task to cancel when the client goes; false if it has gone already.
    fn started(&self, task: Py<PyAny>) -> bool {
        let mut shared = self.channel.lock();
        shared.task = Some(task);
        !shared.is_abandoned
    }

    /// Offers a chunk. True if it was taken in; false if `room`, a future, must be awaited and the chunk offered again;
    /// None if it was the last that is wanted.
    fn offer(&self, chunk: &Bound<'_, PyAny>, room: Py<PyAny>) -> PyResult<Option<bool>> {
        {
            // Before the work of writing it down.
            let mut shared = self.channel.lock();
            if shared.chunk.is_some() {
                shared.producer = Some(room);
                return Ok(Some(false));
            }
        }
        let (bytes, is_last) = match &self.format {
            Format::Plain => (chunk_bytes(chunk)?, false),
            Format::Events(format) => format.write(chunk)?,
            Format::Messages if chunk.is_none() => (Bytes::new(), false),
            Format::Messages => (encode::to_json(chunk)?.into(), false),
        };
        if !bytes.is_empty() {
            let mut shared = self.channel.lock();
            shared.chunk = Some(bytes);
            if let Some(waker) = shared.consumer.take() {
                waker.wake();
            }
        }
        Ok((!is_last).then_some(true))
    }

    /// Ends the body, whole.
    fn finish(&self) {
        self.channel.end(Ok(()));
    }

    /// Ends the body as broken: the connection is cut, so that nobody takes it for whole.
    fn fail(&self, reason: String) {
        self.channel.end(Err(reason));
    }
}

/// Text is UTF-8, bytes are themselves, all else is a line of JSON.
fn chunk_bytes(chunk: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    if let Ok(text) = chunk.cast::<PyString>() {
        return Ok(Bytes::copy_from_slice(text.to_str()?.as_bytes()));
    }
    if let Some(bytes) = bytes_of(chunk) {
        return Ok(bytes);
    }
    let mut line = encode::to_json(chunk)?;
    line.push(b'\n');
    Ok(line.into())
}

/// The consumer's end: the body of an answer.
#[derive(Debug)]
pub(crate) struct StreamBody {
    channel: Channel,
    source: Option<Source>,
    event_loop: Option<Py<PyAny>>,
}

impl From<Source> for StreamBody {
    fn from(source: Source) -> Self {
        Self {
            channel: Channel::default(),
            source: Some(source),
            event_loop: None,
        }
    }
}

impl StreamBody {
    fn start(&mut self, source: Source) -> PyResult<()> {
        Python::attach(|py| {
            let sink = StreamSink {
                channel: self.channel.clone(),
                format: source.format,
            };
            let pump = py
                .import(intern!(py, "spikard.responses.pump"))?
                .getattr(intern!(py, "start"))?;
            let after = source.after.and_then(After::hand_over);
            call_soon(py, &source.event_loop, (pump, source.iterator, sink, after))?;
            self.event_loop = Some(source.event_loop);
            Ok(())
        })
    }
}

fn call_soon<'py>(
    py: Python<'py>,
    event_loop: &Py<PyAny>,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyResult<()> {
    event_loop
        .bind(py)
        .call_method1(intern!(py, "call_soon_threadsafe"), arguments)
        .map(drop)
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(source) = this.source.take()
            && let Err(error) = this.start(source)
        {
            return Poll::Ready(Some(Err(BodyError::Producer(error.to_string()))));
        }
        let (chunk, producer) = {
            let mut shared = this.channel.lock();
            let Some(chunk) = shared.chunk.take() else {
                return match shared.end.take() {
                    Some(Ok(())) => Poll::Ready(None),
                    Some(Err(reason)) => Poll::Ready(Some(Err(BodyError::Producer(reason)))),
                    None => {
                        shared.consumer = Some(cx.waker().clone());
                        Poll::Pending
                    }
                };
            };
            (chunk, shared.producer.take())
        };
        if let (Some(room), Some(event_loop)) = (producer, &this.event_loop) {
            Python::attach(|py| {
                // A loop that is closed has no producer any more.
                let _ = py
                    .import(intern!(py, "spikard.responses.pump"))
                    .and_then(|pump| pump.getattr(intern!(py, "make_room")))
                    .and_then(|make_room| call_soon(py, event_loop, (make_room, room)));
            });
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        let task = {
            let mut shared = self.channel.lock();
            shared.is_abandoned = true;
            shared.task.take()
        };
        if let (Some(task), Some(event_loop)) = (task, &self.event_loop) {
            Python::attach(|py| {
                let cancel = task.bind(py).getattr(intern!(py, "cancel"));
                let _ = cancel.and_then(|cancel| call_soon(py, event_loop, (cancel,)));
            });
        }
    }
}
