//! Sockets that accept connections.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use crate::error::ListenError;
use crate::request::Origin;
use crate::wire::Transport;

/// A socket that was bound but is not yet part of a runtime.
#[derive(Debug)]
pub enum Bound {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

/// A listening socket within a runtime.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// Binds every address that `host` resolves to. With port 0 all share the port that the first was given.
pub fn bind_tcp(
    host: &str,
    port: u16,
    reuse_port: bool,
    backlog: i32,
) -> Result<Vec<Bound>, ListenError> {
    let addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|source| ListenError::Resolve {
            host: host.to_owned(),
            source,
        })?
        .collect();
    let mut bound = Vec::with_capacity(addresses.len());
    let mut port = port;
    for mut address in addresses {
        address.set_port(port);
        let listener =
            bind_address(address, reuse_port, backlog).map_err(|source| ListenError::Bind {
                address: address.to_string(),
                source,
            })?;
        if port == 0 {
            port = listener.local_addr().map_or(0, |local| local.port());
        }
        bound.push(Bound::Tcp(listener));
    }
    Ok(bound)
}

fn bind_address(
    address: SocketAddr,
    reuse_port: bool,
    backlog: i32,
) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // On Windows the option would let another program steal the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(unix))]
    let _ = reuse_port;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Binds a Unix socket; a file left behind by a server that is gone is replaced.
#[cfg(unix)]
pub fn bind_unix(path: &str) -> Result<Bound, ListenError> {
    use std::os::unix::net::{UnixListener, UnixStream};
    let failed = |source| ListenError::Bind {
        address: format!("unix:{path}"),
        source,
    };
    let listener = match UnixListener::bind(path) {
        Err(error)
            if error.kind() == io::ErrorKind::AddrInUse && UnixStream::connect(path).is_err() =>
        {
            std::fs::remove_file(path).map_err(failed)?;
            UnixListener::bind(path)
        }
        other => other,
    }
    .map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(Bound::Unix(listener))
}

/// Takes over a listening socket that somebody else has bound (a supervisor, systemd).
#[cfg(unix)]
pub fn adopt(fd: std::os::fd::OwnedFd) -> Result<Bound, ListenError> {
    let socket = Socket::from(fd);
    let failed = |source| ListenError::Bind {
        address: "an inherited socket".to_owned(),
        source,
    };
    socket.set_nonblocking(true).map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    if address.is_unix() {
        Ok(Bound::Unix(std::os::fd::OwnedFd::from(socket).into()))
    } else {
        Ok(Bound::Tcp(socket.into()))
    }
}

impl Bound {
    /// The address as a URL, `http://127.0.0.1:8000` or `unix:/run/app.sock`.
    pub fn url(&self) -> String {
        match self {
            Self::Tcp(listener) => listener.local_addr().map_or_else(
                |_| "http://?".to_owned(),
                |address| format!("http://{address}"),
            ),
            #[cfg(unix)]
            Self::Unix(listener) => {
                let path = listener
                    .local_addr()
                    .ok()
                    .and_then(|a| a.as_pathname().map(|p| p.display().to_string()));
                format!("unix:{}", path.unwrap_or_default())
            }
        }
    }

    /// The TCP address, if it has one.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    /// Registers the socket with the runtime it is called in.
    pub(crate) fn into_listener(self) -> io::Result<Listener> {
        match self {
            Self::Tcp(listener) => TcpListener::from_std(listener).map(Listener::Tcp),
            #[cfg(unix)]
            Self::Unix(listener) => UnixListener::from_std(listener).map(Listener::Unix),
        }
    }
}

impl Listener {
    pub(crate) async fn accept(&self) -> io::Result<(Transport, Origin)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, remote) = listener.accept().await?;
                // Answers are small and written whole; waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                let local = stream.local_addr().ok();
                Ok((
                    Transport::Tcp(stream),
                    Origin {
                        remote: Some(remote),
                        local,
                        ..Origin::default()
                    },
                ))
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Transport::Unix(stream), Origin::default()))
            }
        }
    }
}
