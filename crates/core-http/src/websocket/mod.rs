//! WebSockets (RFC 6455) on a connection that HTTP/1.1 has handed over.
//!
//! - [`handshake`]: which requests may become a socket, and the answer that makes them one
//! - [`frame`]: frames to and from bytes; [`close`]: codes and reasons
//! - [`incoming`]: bytes to messages, under limits; [`deflate`]: permessage-deflate (RFC 7692)
//! - [`socket`]: an open socket: reading, writing, silence, the end
//! - [`peer`]: what the application implements
//!
//! The protocol is ours and no crate's: those that know permessage-deflate bound no inflated message or keep compressor
//! and window per socket; here an idle socket holds one small buffer, and all sockets of a thread share one codec.

mod close;
mod deflate;
mod frame;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handshake;
mod incoming;
mod peer;
mod socket;

use std::time::Duration;

pub use close::{Closure, is_sendable};
pub use handshake::{Handshake, advise, is_upgrade};
pub use incoming::Message;
pub use peer::{Outgoing, Peer};
pub use socket::upgrade;

/// Limits and switches of a route's sockets.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of a whole message, inflated. Above: 1009.
    pub max_message_size: usize,
    /// So long without a byte from the client, and it is asked for a sign of life.
    pub ping_interval: Option<Duration>,
    /// How long it may take to give it.
    pub ping_timeout: Option<Duration>,
    /// So long without a message in either direction, and the socket is closed.
    pub idle_timeout: Option<Duration>,
    pub compression: bool,
    /// Those we speak, the preferred one first.
    pub subprotocols: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_message_size: 1024 * 1024,
            ping_interval: Some(Duration::from_secs(20)),
            ping_timeout: Some(Duration::from_secs(20)),
            idle_timeout: None,
            compression: true,
            subprotocols: Vec::new(),
        }
    }
}
