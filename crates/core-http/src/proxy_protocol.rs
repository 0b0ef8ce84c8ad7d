//! The PROXY protocol, versions 1 and 2: what a balancer says of a connection before anything else is sent on it.
//!
//! Exactly the bytes of the header are read, so that whatever speaks next, TLS or HTTP, finds the stream untouched.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The twelve bytes every header of version 2 begins with; no other protocol's first line does.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The shortest header of version 1, `PROXY UNKNOWN\r\n`, is one byte shorter than the shortest of version 2.
const SHORTEST: usize = 15;

/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;

/// Addresses and extensions of version 2, in bytes. Balancers send less than 300.
const LONGEST_REST: usize = 2048;

/// The extension that tells about TLS, and its bit for a client that came with it.
const TLS_EXTENSION: u8 = 0x20;
const TLS_CLIENT: u8 = 0x01;

/// What a header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced {
    /// The client's address; none if the balancer speaks for itself, or of a connection without addresses.
    pub(crate) source: Option<SocketAddr>,
    pub(crate) destination: Option<SocketAddr>,
    /// Whether the client's connection to the balancer is encrypted.
    pub(crate) secure: bool,
}

#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the connection does not begin with a PROXY protocol header")]
    Malformed,
}

/// Reads the header from the start of a connection.
pub(crate) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Announced, Fault> {
    let mut start = [0; SHORTEST + 1];
    stream.read_exact(&mut start[..SHORTEST]).await?;
    if !start.starts_with(SIGNATURE) {
        return read_line(stream, &start[..SHORTEST]).await;
    }
    stream.read_exact(&mut start[SHORTEST..]).await?;
    let [version, family, high, low] = [start[12], start[13], start[14], start[15]];
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_REST {
        return Err(Fault::Malformed);
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match version {
        // LOCAL: the balancer's own, a health check most likely.
        0x20 => Ok(Announced::default()),
        0x21 => parse_binary(family, &rest).ok_or(Fault::Malformed),
        _ => Err(Fault::Malformed),
    }
}

/// Version 1: the rest of the line, a byte at a time, since what follows it is not ours to take.
async fn read_line<S: AsyncRead + Unpin>(stream: &mut S, start: &[u8]) -> Result<Announced, Fault> {
    if !start.starts_with(b"PROXY ") {
        return Err(Fault::Malformed);
    }
    let mut line = Vec::with_capacity(LONGEST_LINE);
    line.extend_from_slice(start);
    while !line.ends_with(b"\r\n") {
        if line.len() == LONGEST_LINE {
            return Err(Fault::Malformed);
        }
        line.push(stream.read_u8().await?);
    }
    let text = std::str::from_utf8(&line[..line.len() - 2]).map_err(|_| Fault::Malformed)?;
    parse_text(text).ok_or(Fault::Malformed)
}

fn parse_text(line: &str) -> Option<Announced> {
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Announced::default());
    }
    let mut address = || -> Option<IpAddr> {
        let ip: IpAddr = words.next()?.parse().ok()?;
        (ip.is_ipv4() == (family == "TCP4")).then_some(ip)
    };
    let (source, destination) = (address()?, address()?);
    let mut port = || words.next()?.parse::<u16>().ok();
    let (source_port, destination_port) = (port()?, port()?);
    let is_known = matches!(family, "TCP4" | "TCP6") && words.next().is_none();
    is_known.then(|| Announced {
        source: Some(SocketAddr::new(source.to_canonical(), source_port)),
        destination: Some(SocketAddr::new(
            destination.to_canonical(),
            destination_port,
        )),
        secure: false,
    })
}

fn parse_binary(family: u8, rest: &[u8]) -> Option<Announced> {
    let (addresses, extensions) = match family {
        0x00 => (None, rest),
        // Over TCP or UDP.
        0x11 | 0x12 => {
            let (block, extensions) = rest.split_first_chunk::<12>()?;
            let (source, block) = block.split_first_chunk::<4>()?;
            let (destination, ports) = block.split_first_chunk::<4>()?;
            let pair = (
                Ipv4Addr::from(*source).into(),
                Ipv4Addr::from(*destination).into(),
            );
            (Some((pair, ports)), extensions)
        }
        0x21 | 0x22 => {
            let (block, extensions) = rest.split_first_chunk::<36>()?;
            let (source, block) = block.split_first_chunk::<16>()?;
            let (destination, ports) = block.split_first_chunk::<16>()?;
            let pair = (
                Ipv6Addr::from(*source).into(),
                Ipv6Addr::from(*destination).into(),
            );
            (Some((pair, ports)), extensions)
        }
        // Unix sockets: two paths of 108 bytes, which are nobody's address.
        0x31 | 0x32 => (None, rest.get(216..)?),
        _ => return None,
    };
    let mut announced = Announced {
        secure: is_over_tls(extensions)?,
        ..Announced::default()
    };
    if let Some(((source, destination), ports)) = addresses {
        let port = |at: usize| Some(u16::from_be_bytes([*ports.get(at)?, *ports.get(at + 1)?]));
        let whole = |ip: IpAddr, port| SocketAddr::new(ip.to_canonical(), port);
        announced.source = Some(whole(source, port(0)?));
        announced.destination = Some(whole(destination, port(2)?));
    }
    Some(announced)
}

/// Looks for the extension about TLS; nothing if the extensions are malformed.
fn is_over_tls(mut extensions: &[u8]) -> Option<bool> {
    let mut is_secure = false;
    while !extensions.is_empty() {
        let ([kind, high, low], rest) = extensions.split_first_chunk::<3>()?;
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, rest) = rest.split_at_checked(length)?;
        if *kind == TLS_EXTENSION {
            is_secure = value.first()? & TLS_CLIENT != 0;
        }
        extensions = rest;
    }
    Some(is_secure)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    /// Reads a header that is there as a whole; gives what is left behind it too.
    fn parse(mut bytes: &[u8]) -> (Result<Announced, Fault>, &[u8]) {
        let announced = read(&mut bytes)
            .now_or_never()
            .expect("bytes in memory to be there at once");
        (announced, bytes)
    }

    fn source(bytes: &[u8]) -> Option<SocketAddr> {
        parse(bytes).0.expect("a header").source
    }

    fn binary(version: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("a short rest");
        [
            SIGNATURE.as_slice(),
            &[version, family],
            &length.to_be_bytes(),
            rest,
        ]
        .concat()
    }

    const IPV4: [u8; 12] = [1, 2, 3, 4, 10, 0, 0, 1, 0x1f, 0x90, 0, 80];

    #[test]
    fn lines_are_read_to_their_end_and_no_further() {
        let bytes = b"PROXY TCP4 1.2.3.4 10.0.0.1 56324 443\r\nGET / HTTP/1.1\r\n";
        let (announced, left) = parse(bytes);
        let announced = announced.expect("a header");
        assert_eq!(announced.source, "1.2.3.4:56324".parse().ok());
        assert_eq!(announced.destination, "10.0.0.1:443".parse().ok());
        assert_eq!(left, b"GET / HTTP/1.1\r\n");
        let wide = b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n";
        assert_eq!(source(wide), "[2001:db8::1]:1".parse().ok());
        for unknown in [
            "PROXY UNKNOWN\r\n".to_owned(),
            format!("PROXY UNKNOWN {}\r\n", "f".repeat(91)),
        ] {
            assert_eq!(source(unknown.as_bytes()), None);
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "PROXY TCP4 1.2.3.4 10.0.0.1 56324\r\n",
            "PROXY TCP4 1.2.3.4 10.0.0.1 56324 443 1\r\n",
            "PROXY TCP4 ::1 ::1 56324 443\r\n",
            "PROXY TCP6 1.2.3.4 10.0.0.1 56324 443\r\n",
            "PROXY TCP4 1.2.3.4 10.0.0.1 65536 443\r\n",
            "PROXY TCP4  1.2.3.4 10.0.0.1 1 443\r\n",
            "PROXY UDP4 1.2.3.4 10.0.0.1 1 443\r\n",
            "PROXY TCP4 1.2.3.4 10.0.0.1 1 443\n\n\n\n\n\n\n",
            &format!("PROXY UNKNOWN {}\r\n", "f".repeat(92)),
        ] {
            assert!(parse(line.as_bytes()).0.is_err(), "{line:?}");
        }
    }

    #[test]
    fn binary_headers_are_read_to_their_end_and_no_further() {
        let bytes = [binary(0x21, 0x11, &IPV4), b"PRI".to_vec()].concat();
        let (announced, left) = parse(&bytes);
        let announced = announced.expect("a header");
        assert_eq!(announced.source, "1.2.3.4:8080".parse().ok());
        assert_eq!(announced.destination, "10.0.0.1:80".parse().ok());
        assert!(!announced.secure);
        assert_eq!(left, b"PRI");
        let wide = [&Ipv6Addr::LOCALHOST.octets()[..], &[0; 16], &[0, 7, 0, 8]].concat();
        assert_eq!(source(&binary(0x21, 0x21, &wide)), "[::1]:7".parse().ok());
        assert_eq!(source(&binary(0x21, 0x31, &[b'/'; 216])), None);
        assert_eq!(source(&binary(0x21, 0x00, &[])), None);
        assert_eq!(source(&binary(0x20, 0x11, &IPV4)), None);
    }

    #[test]
    fn the_extension_about_tls_is_understood() {
        for (client, secure) in [(TLS_CLIENT, true), (0, false)] {
            let extensions = [4, 0, 1, 0, TLS_EXTENSION, 0, 5, client, 0, 0, 0, 0];
            let bytes = binary(0x21, 0x11, &[&IPV4[..], &extensions].concat());
            assert_eq!(parse(&bytes).0.expect("a header").secure, secure);
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let long = vec![0; LONGEST_REST + 1];
        for bytes in [
            binary(0x11, 0x11, &IPV4),
            binary(0x22, 0x11, &IPV4),
            binary(0x21, 0x41, &IPV4),
            binary(0x21, 0x11, &IPV4[..11]),
            binary(0x21, 0x21, &IPV4),
            binary(0x21, 0x31, &IPV4),
            binary(0x21, 0x11, &[&IPV4[..], &[4, 0]].concat()),
            binary(0x21, 0x11, &[&IPV4[..], &[4, 0, 9, 1]].concat()),
            binary(0x21, 0x11, &[&IPV4[..], &[TLS_EXTENSION, 0, 0]].concat()),
            binary(0x20, 0x00, &long),
            SIGNATURE.to_vec(),
        ] {
            assert!(parse(&bytes).0.is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
            let _ = parse(&[SIGNATURE.as_slice(), &bytes].concat());
            let _ = parse(&[b"PROXY ".as_slice(), &bytes].concat());
            for family in [0x11, 0x21, 0x31] {
                let _ = parse(&binary(0x21, family, &bytes));
            }
        }

        #[test]
        fn both_versions_say_the_same(one in any::<SocketAddr>(), other in any::<Ipv4Addr>(), port: u16) {
            let IpAddr::V4(ip) = one.ip() else { return Ok(()) };
            let line = format!("PROXY TCP4 {ip} {other} {} {port}\r\n", one.port());
            let rest = [&ip.octets()[..], &other.octets(), &one.port().to_be_bytes(), &port.to_be_bytes()].concat();
            let (text, binary) = (parse(line.as_bytes()).0, binary(0x21, 0x11, &rest));
            prop_assert_eq!(text.expect("a line"), parse(&binary).0.expect("a header"));
        }
    }
}
