//! The sockets, open in this process for its whole life.
//!
//! Connections wait in the kernel's queue of a socket, so a socket that outlives its worker loses none of them.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

use super::fault::Fault;
use super::message::Settings;

/// Only here does the kernel spread connections over sockets that share a port.
const SPREADS: bool = cfg!(any(target_os = "linux", target_os = "android"));
const FIRST_SYSTEMD_FD: i32 = 3;

/// Where workers accept.
#[derive(Debug)]
pub(crate) enum Listeners {
    /// One per worker, or one for all.
    Bound {
        sockets: Vec<Socket>,
        address: String,
    },
    Unix {
        socket: Socket,
        file: SocketFile,
    },
    /// A descriptor this process was started with; workers inherit it under the same number.
    Inherited(i32),
}

impl Listeners {
    /// Bind what the configuration asks for.
    pub(crate) fn bind(settings: &Settings) -> Result<Self, Fault> {
        match &settings.uds {
            Some(path) => unix(path, settings.backlog),
            None => tcp(settings),
        }
    }

    /// How many workers have a queue of their own.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Bound { sockets, .. } => sockets.len(),
            Self::Unix { .. } | Self::Inherited(_) => 1,
        }
    }

    /// The socket of a worker, to be sent along; nothing when it is inherited.
    pub(crate) fn descriptor(&self, slot: usize) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Bound { sockets, .. } => Some(sockets[slot % sockets.len()].as_fd()),
            Self::Unix { socket, .. } => Some(socket.as_fd()),
            Self::Inherited(_) => None,
        }
    }

    /// The number of the inherited descriptor.
    pub(crate) fn inherited(&self) -> Option<i32> {
        match self {
            Self::Inherited(number) => Some(*number),
            _ => None,
        }
    }

    /// For people, in case a worker doesn't say it better.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Bound { address, .. } => address.clone(),
            Self::Unix { file, .. } => format!("unix:{}", file.path.display()),
            Self::Inherited(number) => format!("descriptor {number}"),
        }
    }
}

/// Refuse a number that is no socket, before the number is given to something that this process opens itself.
pub(crate) fn check_inherited(number: i32) -> Result<(), Fault> {
    let wrong = |problem: &str| Fault::Listen(format!("descriptor {number} {problem}; see --fd"));
    let data = std::fs::metadata(format!("/dev/fd/{number}")).map_err(|_| wrong("is not open"))?;
    if data.file_type().is_socket() {
        Ok(())
    } else {
        Err(wrong("is not a socket"))
    }
}

/// The socket handed over by a service manager, if this process is meant.
pub(crate) fn handed_over() -> Option<i32> {
    let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    let ours = number("LISTEN_PID")? == std::process::id() && number("LISTEN_FDS")? > 0;
    ours.then_some(FIRST_SYSTEMD_FD)
}

fn tcp(settings: &Settings) -> Result<Listeners, Fault> {
    let address = resolve(&settings.host, settings.port)?;
    let refuse = |error: &io::Error| Fault::Listen(tcp_problem(address, error));
    let spread = SPREADS && settings.workers > 1;
    if spread && address.port() != 0 {
        // Sockets that share a port are also shared with a second server started by mistake; this one is not.
        open(address, false).map_err(|error| refuse(&error))?;
    }
    let mut sockets = Vec::new();
    let mut bound = address;
    for _ in 0..if spread { settings.workers } else { 1 } {
        let socket = open(bound, spread).and_then(|socket| {
            socket.listen(settings.backlog)?;
            Ok(socket)
        });
        let socket = socket.map_err(|error| refuse(&error))?;
        let actual = socket.local_addr().map_err(|error| refuse(&error))?;
        bound.set_port(actual.as_socket().map_or(0, |actual| actual.port()));
        sockets.push(socket);
    }
    Ok(Listeners::Bound {
        sockets,
        address: format!("http://{bound}"),
    })
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr, Fault> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let unknown = |reason: &str| {
        Fault::Listen(format!(
            "cannot listen on host {host:?}: {reason}; choose another --host"
        ))
    };
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| unknown(&error.to_string()))?
        .collect();
    // `localhost` should be where most clients look first.
    let first = found
        .iter()
        .find(|address| address.is_ipv4())
        .or(found.first());
    first.copied().ok_or_else(|| unknown("it has no address"))
}

fn open(address: SocketAddr, share_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for connections of the last run to time out.
    socket.set_reuse_address(true)?;
    if share_port {
        socket.set_reuse_port(true)?;
    }
    if let IpAddr::V6(ip) = address.ip() {
        socket.set_only_v6(ip != Ipv6Addr::UNSPECIFIED)?;
    }
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn tcp_problem(address: SocketAddr, error: &io::Error) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "port {port} on {} is in use; stop the other program, or choose another --port",
                address.ip()
            )
        }
        io::ErrorKind::PermissionDenied => format!(
            "port {port} on {} needs privileges; choose a --port from 1024 up, or grant CAP_NET_BIND_SERVICE",
            address.ip()
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "{} is not an address of this machine; choose another --host",
                address.ip()
            )
        }
        _ => format!("cannot listen on {address}: {error}; choose another --host or --port"),
    }
}

/// The file of a Unix socket, removed when dropped unless somebody has put another one there.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            identity: identity(path),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path)
        .ok()
        .map(|data| (data.dev(), data.ino()))
}

fn unix(path: &Path, backlog: i32) -> Result<Listeners, Fault> {
    let shown = path.display();
    let refuse = |reason: &str| Fault::Listen(format!("cannot listen on {shown}: {reason}"));
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(refuse(&format!(
            "the directory {} does not exist; create it, or choose another --uds",
            folder.display()
        )));
    }
    remove_stale(path).map_err(|reason| refuse(&reason))?;
    let bound = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|socket| {
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        socket.listen(backlog)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    });
    let socket = bound.map_err(|error| refuse(&format!("{error}; choose another --uds")))?;
    Ok(Listeners::Unix {
        socket,
        file: SocketFile::new(path),
    })
}

/// Remove the socket of a server that is gone; leave everything else alone.
fn remove_stale(path: &Path) -> Result<(), String> {
    let Ok(data) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !data.file_type().is_socket() {
        return Err("the file exists and is not a socket; choose another --uds".to_owned());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| format!("{error}; remove the stale socket"))
        }
        _ => Err("another server answers there; stop it, or choose another --uds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(port: u16, workers: usize) -> Settings {
        Settings {
            port,
            workers,
            ..Settings::default()
        }
    }

    fn port(listeners: &Listeners) -> u16 {
        listeners
            .address()
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }

    fn socket_path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!(
            "spikard-listener-{name}-{}.sock",
            std::process::id()
        ));
        let _ = std::fs::remove_file(&path);
        path
    }

    #[test]
    fn workers_share_one_ephemeral_port() {
        let listeners = Listeners::bind(&settings(0, 3)).unwrap();
        assert_ne!(port(&listeners), 0);
        assert_eq!(listeners.count(), if SPREADS { 3 } else { 1 });
    }

    #[test]
    fn a_port_in_use_is_noticed_even_when_ports_are_shared() {
        let first = Listeners::bind(&settings(0, 2)).unwrap();
        for workers in [1, 2] {
            let fault = Listeners::bind(&settings(port(&first), workers)).unwrap_err();
            assert!(
                fault.to_string().contains("in use") && fault.exit_code() == 2,
                "{fault}"
            );
        }
    }

    #[test]
    fn hosts_in_brackets_and_unknown_hosts() {
        assert_eq!(resolve("[::1]", 80).unwrap(), "[::1]:80".parse().unwrap());
        assert!(resolve("localhost", 80).unwrap().ip().is_loopback());
        assert!(
            resolve("no such host", 80)
                .unwrap_err()
                .to_string()
                .contains("--host")
        );
    }

    #[test]
    fn an_address_of_another_machine() {
        let elsewhere = Settings {
            host: "192.0.2.1".into(),
            port: 0,
            ..Settings::default()
        };
        assert!(
            Listeners::bind(&elsewhere)
                .unwrap_err()
                .to_string()
                .contains("not an address of this machine")
        );
    }

    #[test]
    fn a_socket_file_lives_as_long_as_its_listener() {
        let path = socket_path("life");
        let settings = Settings {
            uds: Some(path.clone()),
            ..Settings::default()
        };
        let first = Listeners::bind(&settings).unwrap();
        assert!(
            Listeners::bind(&settings)
                .unwrap_err()
                .to_string()
                .contains("another server answers")
        );
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_file_is_not() {
        let path = socket_path("stale");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let settings = Settings {
            uds: Some(path.clone()),
            ..Settings::default()
        };
        drop(Listeners::bind(&settings).unwrap());
        std::fs::write(&path, "mine").unwrap();
        assert!(
            Listeners::bind(&settings)
                .unwrap_err()
                .to_string()
                .contains("not a socket")
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_successor_s_socket_file_is_left_alone() {
        let path = socket_path("successor");
        let listeners = Listeners::bind(&Settings {
            uds: Some(path.clone()),
            ..Settings::default()
        })
        .unwrap();
        std::fs::remove_file(&path).unwrap();
        // Keeps the old inode in use, so that the new file cannot get the same number.
        let _other = std::fs::File::create(path.with_extension("other")).unwrap();
        let successor = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(listeners);
        assert!(path.exists());
        drop(successor);
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(path.with_extension("other")).unwrap();
    }

    #[test]
    fn a_missing_directory_is_named() {
        let settings = Settings {
            uds: Some("/no/such/place/s.sock".into()),
            ..Settings::default()
        };
        let message = Listeners::bind(&settings).unwrap_err().to_string();
        assert!(
            message.contains("/no/such/place does not exist"),
            "{message}"
        );
    }
}
