//! How messages and descriptors travel: a socket pair, our end here, the other one as the worker's standard input.
//!
//! The worker reads the end of the stream when this process is gone, however it went.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tokio::net::UnixStream;

use super::message::{Command, Event};

/// A longer line is not one of ours.
const LONGEST_LINE: usize = 1 << 20;
const MOST_DESCRIPTORS: usize = 4;

/// Our end.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
}

impl Channel {
    /// Our end and the worker's.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        Ok((
            Self {
                stream: UnixStream::from_std(ours)?,
            },
            theirs.into(),
        ))
    }

    /// Send a message, with copies of descriptors that the worker receives along with it.
    ///
    /// Messages are few and small, so the socket's buffer always has room for them; a worker that lets it fill up is
    /// broken and gets an error here.
    pub(crate) fn send(
        &self,
        command: &Command<'_>,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors))
        {
            return Err(io::Error::other("too many descriptors for one message"));
        }
        let sent = sendmsg(
            self.stream.as_fd(),
            &[IoSlice::new(&line)],
            &mut ancillary,
            SendFlags::empty(),
        )?;
        if sent == line.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    /// Wait until bytes can be read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Read what is there; `Ok(0)` is the end.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buffer)
    }
}

/// Cuts a stream of bytes into messages.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pending: Vec<u8>,
}

impl Lines {
    /// The messages completed by `bytes`; an error is text that is none.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Event>, String> {
        self.pending.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            let event = serde_json::from_slice(&line).map_err(|error| {
                format!("{error} in {:?}", String::from_utf8_lossy(&line).trim_end())
            })?;
            events.push(event);
        }
        if self.pending.len() > LONGEST_LINE {
            return Err("a line without end".to_owned());
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_may_arrive_in_pieces() {
        let text =
            b"{\"event\":\"ready\",\"addresses\":[]}\n{\"event\":\"recycle\",\"reason\":\"age\"}\n";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut events = lines.feed(&text[..cut]).unwrap();
            events.extend(lines.feed(&text[cut..]).unwrap());
            assert_eq!(
                events,
                [
                    Event::Ready {
                        addresses: Vec::new()
                    },
                    Event::Recycle {
                        reason: "age".into()
                    }
                ],
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(
            Lines::default()
                .feed(b"hello\n")
                .unwrap_err()
                .contains("hello")
        );
        assert!(Lines::default().feed(b"{\"event\":\"party\"}\n").is_err());
        assert!(
            Lines::default()
                .feed(&vec![b'x'; LONGEST_LINE + 1])
                .is_err()
        );
    }
}
