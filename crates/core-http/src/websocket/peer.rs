//! The application's side of a socket.

use std::task::{Context, Poll};

use super::close::Closure;
use super::incoming::Message;

/// What the application wants sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    Message(Message),
    Close(Closure),
}

/// What a socket talks with; called on the connection's thread.
pub trait Peer {
    /// Whether another message may come. Until then nothing more is read, which slows the client down.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// A message has come. Only called when ready.
    fn receive(&mut self, message: Message);

    /// What is to be sent next.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Outgoing>;

    /// The socket is over; nothing comes and nothing is sent any more.
    fn closed(&mut self, closure: &Closure);

    /// What the application has left to do then.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}
