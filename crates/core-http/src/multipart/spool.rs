//! A file of a form: kept in memory while it is small, on disk when it is not.

use std::fs::File;
use std::io::{self, Seek, Write};

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::PartHead;

/// Bytes written to disk at once.
const WRITE_SIZE: usize = 256 * 1024;

/// Bytes kept of a file's beginning, enough for every signature.
const START: usize = 16;

/// A file that came.
#[derive(Debug)]
pub struct Upload {
    pub head: PartHead,
    pub size: u64,
    /// The first bytes, for signatures.
    pub start: Vec<u8>,
    pub content: Content,
}

/// Where a file's bytes are.
#[derive(Debug)]
pub enum Content {
    Memory(Bytes),
    /// An open file without a name, at its beginning.
    Disk(File),
}

/// A file that is still coming.
#[derive(Debug)]
pub(super) struct Spool {
    head: PartHead,
    size: u64,
    start: Vec<u8>,
    memory: Vec<u8>,
    threshold: usize,
    disk: Option<JoinHandle<io::Result<File>>>,
}

impl Spool {
    pub(super) fn new(head: PartHead, threshold: usize) -> Self {
        Self {
            head,
            size: 0,
            start: Vec::new(),
            memory: Vec::new(),
            threshold,
            disk: None,
        }
    }

    /// The size with this much more.
    pub(super) fn grown(&self, by: usize) -> u64 {
        self.size + by as u64
    }

    /// The field it fills.
    pub(super) fn name(&self) -> &str {
        &self.head.name
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        let missing = START.saturating_sub(self.start.len()).min(data.len());
        self.start.extend_from_slice(&data[..missing]);
        self.size += data.len() as u64;
        self.memory.extend_from_slice(data);
    }

    /// Moves what is in memory to disk, on a thread that may wait, once it is too much. The next bytes may come while
    /// these are written; not more than one such piece is ever on its way.
    pub(super) async fn relieve(&mut self) -> io::Result<()> {
        let limit = if self.disk.is_some() {
            WRITE_SIZE
        } else {
            self.threshold
        };
        if self.memory.len() > limit {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> io::Result<()> {
        let earlier = match self.disk.take() {
            Some(writing) => Some(joined(writing).await?),
            None => None,
        };
        let bytes = std::mem::replace(&mut self.memory, Vec::with_capacity(WRITE_SIZE));
        self.disk = Some(tokio::task::spawn_blocking(move || {
            let mut file = match earlier {
                Some(file) => file,
                None => tempfile::tempfile()?,
            };
            file.write_all(&bytes)?;
            Ok(file)
        }));
        Ok(())
    }

    /// The whole file.
    pub(super) async fn finish(mut self) -> io::Result<Upload> {
        if self.disk.is_some() && !self.memory.is_empty() {
            self.write().await?;
        }
        let Some(writing) = self.disk.take() else {
            return Ok(self.finish_in_memory());
        };
        let mut file = joined(writing).await?;
        file.rewind()?;
        Ok(Upload {
            head: self.head,
            size: self.size,
            start: self.start,
            content: Content::Disk(file),
        })
    }

    /// The whole file, of which nothing has gone to disk.
    pub(super) fn finish_in_memory(self) -> Upload {
        Upload {
            head: self.head,
            size: self.size,
            start: self.start,
            content: Content::Memory(self.memory.into()),
        }
    }
}

async fn joined(writing: JoinHandle<io::Result<File>>) -> io::Result<File> {
    writing.await.map_err(io::Error::other)?
}
