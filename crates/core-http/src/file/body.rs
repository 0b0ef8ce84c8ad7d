//! A file on its way to the client: read in other threads, one chunk ahead of the connection.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::range::Span;
use crate::error::BodyError;

/// How much is read at a time. Two of these are all the memory that a download takes.
const CHUNK: u64 = 128 * 1024;

/// A piece of the body.
#[derive(Debug)]
pub(super) enum Segment {
    Text(Bytes),
    Span(Span),
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Span(span) => span.length,
        }
    }
}

/// Parts of a file, with text between them where there are several.
#[derive(Debug)]
pub(super) struct FileBody {
    state: State,
    segments: VecDeque<Segment>,
    left: u64,
}

#[derive(Debug)]
enum State {
    Idle(File),
    Reading(JoinHandle<(File, io::Result<Bytes>)>),
    /// All read, or failed.
    Over,
}

impl FileBody {
    pub(super) fn new(file: File, segments: impl IntoIterator<Item = Segment>) -> Self {
        let segments: VecDeque<_> = segments.into_iter().collect();
        Self {
            state: State::Idle(file),
            left: segments.iter().map(Segment::length).sum(),
            segments,
        }
    }

    /// Begins to read what comes next, if that is of the file.
    fn read_on(&mut self, mut file: File) {
        let Some(Segment::Span(span)) = self.segments.front_mut() else {
            self.state = State::Idle(file);
            return;
        };
        let chunk = Span {
            start: span.start,
            length: span.length.min(CHUNK),
        };
        span.start += chunk.length;
        span.length -= chunk.length;
        if span.length == 0 {
            self.segments.pop_front();
        }
        self.state = State::Reading(tokio::task::spawn_blocking(move || {
            let bytes = read(&mut file, chunk);
            (file, bytes)
        }));
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Reading(mut reading) => {
                    let Poll::Ready(outcome) = Pin::new(&mut reading).poll(cx) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let (file, bytes) = outcome.map_err(io::Error::other)?;
                    let bytes = bytes?;
                    self.read_on(file);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                State::Idle(file) => match self.segments.pop_front() {
                    Some(Segment::Text(text)) => {
                        self.read_on(file);
                        return Poll::Ready(Some(Ok(text)));
                    }
                    Some(span) => {
                        self.segments.push_front(span);
                        self.read_on(file);
                    }
                    None => return Poll::Ready(None),
                },
                State::Over => return Poll::Ready(None),
            }
        }
    }
}

/// Reads a part, whole.
pub(super) fn read(file: &mut File, span: Span) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(span.start))?;
    let length = usize::try_from(span.length).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(length);
    file.take(span.length).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the file has become shorter while it was sent",
        ));
    }
    Ok(bytes.into())
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let piece = std::task::ready!(self.poll_piece(cx));
        Poll::Ready(piece.map(|piece| match piece {
            Ok(bytes) => {
                self.left -= bytes.len() as u64;
                Ok(Frame::data(bytes))
            }
            Err(error) => Err(BodyError::Producer(error.to_string())),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
