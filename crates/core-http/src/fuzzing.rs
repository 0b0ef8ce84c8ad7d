//! Doors to what is private, for the fuzz targets alone: built with `--cfg fuzzing`, as `cargo fuzz` does.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use http::HeaderMap;

pub use crate::auth::fuzzing::{check_token, keys};
use crate::proxies::TrustedProxies;
use crate::proxy_protocol::{self, Fault};
use crate::request::Origin;
pub use crate::websocket::fuzzing::{deflate, frame, inflate, masked, messages};

/// Where a request comes from, by what trusted proxies say of it.
pub fn seen_through(
    proxies: &TrustedProxies,
    headers: &HeaderMap,
    origin: Arc<Origin>,
) -> Arc<Origin> {
    proxies.seen_through(headers, origin)
}

/// What a header of the PROXY protocol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    pub source: Option<SocketAddr>,
    pub destination: Option<SocketAddr>,
    pub secure: bool,
}

/// Reads a header of the PROXY protocol; gives the bytes behind it too.
pub fn announced(mut bytes: &[u8]) -> io::Result<(Announced, &[u8])> {
    let told = proxy_protocol::read(&mut bytes)
        .now_or_never()
        .ok_or(io::ErrorKind::WouldBlock)?
        .map_err(|fault| match fault {
            Fault::Io(error) => error,
            Fault::Malformed => io::ErrorKind::InvalidData.into(),
        })?;
    let told = Announced {
        source: told.source,
        destination: told.destination,
        secure: told.secure,
    };
    Ok((told, bytes))
}
