//! `MemoryStream`: the client's end of a connection within the process.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split};
use tokio::sync::Mutex;
use tokio::task::spawn_local;

use crate::server::{Command, Engine};
use crate::thread_bound::ThreadBound;

#[pyclass(name = "MemoryStream", module = "spikard._spikard", frozen)]
pub(crate) struct MemoryStream {
    reader: Arc<Mutex<ReadHalf<DuplexStream>>>,
    writer: Arc<Mutex<WriteHalf<DuplexStream>>>,
    engine: ThreadBound<Engine>,
}

impl std::fmt::Debug for MemoryStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStream").finish_non_exhaustive()
    }
}

impl MemoryStream {
    pub(crate) fn new(stream: DuplexStream, engine: Engine) -> Self {
        let (reader, writer) = split(stream);
        Self {
            reader: Arc::new(Mutex::new(reader)),
            writer: Arc::new(Mutex::new(writer)),
            engine: ThreadBound::new("memory stream", engine),
        }
    }
}

impl MemoryStream {
    fn run(&self, command: Command) -> PyResult<()> {
        self.engine.with(|engine| engine.run(command))?
    }
}

#[pymethods]
impl MemoryStream {
    /// Reads up to `max_bytes`; `done` gets them, empty at the end of the stream, or None if it broke.
    fn read(&self, max_bytes: usize, done: Py<PyAny>) -> PyResult<()> {
        let (reader, notifier) = (
            Arc::clone(&self.reader),
            self.engine.with(Engine::notifier)?,
        );
        self.run(Box::new(move |_| {
            spawn_local(async move {
                let mut buffer = vec![0; max_bytes.clamp(1, 1 << 20)];
                let read = reader.lock().await.read(&mut buffer).await;
                notifier.call(&done, |py| {
                    Some(match read {
                        Ok(n) => PyBytes::new(py, &buffer[..n]).into_any().unbind(),
                        Err(_) => py.None(),
                    })
                });
            });
        }))
    }

    /// Writes all of `data`; `done` gets whether it went through.
    fn write(&self, data: Vec<u8>, done: Py<PyAny>) -> PyResult<()> {
        let (writer, notifier) = (
            Arc::clone(&self.writer),
            self.engine.with(Engine::notifier)?,
        );
        self.run(Box::new(move |_| {
            spawn_local(async move {
                let written = writer.lock().await.write_all(&data).await.is_ok();
                notifier.call(&done, |py| {
                    Some(PyBool::new(py, written).to_owned().into_any().unbind())
                });
            });
        }))
    }

    fn close(&self) -> PyResult<()> {
        let writer = Arc::clone(&self.writer);
        self.run(Box::new(move |_| {
            spawn_local(async move {
                // The other end may be gone already, which is what was wanted.
                let _ = writer.lock().await.shutdown().await;
            });
        }))
    }
}
