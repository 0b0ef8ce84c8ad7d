//! What one proxy says of the request that it passes on.

use std::net::{IpAddr, SocketAddr};

use crate::quoted::unquote;

/// No name of a host is longer, with its port.
const LONGEST_HOST: usize = 261;

/// Who sent the request to a proxy, and how. What is absent was not said or could not be understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) client: Option<SocketAddr>,
    pub(super) secure: Option<bool>,
    pub(super) host: Option<Box<str>>,
}

impl Hop {
    /// One element of a `Forwarded` header; nothing if it says nothing at all.
    pub(super) fn parse(element: &str) -> Option<Self> {
        let mut hop = None::<Self>;
        for (name, value) in element.split(';').filter_map(|pair| pair.split_once('=')) {
            let hop = hop.get_or_insert_default();
            let (name, value) = (name.trim(), unquote(value.trim()));
            if name.eq_ignore_ascii_case("for") {
                hop.client = address(&value);
            } else if name.eq_ignore_ascii_case("proto") {
                hop.secure = is_secure(&value);
            } else if name.eq_ignore_ascii_case("host") {
                hop.host = host(&value);
            }
        }
        hop
    }
}

/// An address, in brackets or not, with a port or not; port 0 stands for none. Names and `unknown` are no addresses.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    let bare = |text: &str| {
        let inner = text
            .strip_prefix('[')
            .map_or(Some(text), |rest| rest.strip_suffix(']'));
        inner?.parse::<IpAddr>().ok()
    };
    let (ip, port) = match text.parse::<SocketAddr>() {
        Ok(address) => (address.ip(), address.port()),
        Err(_) => match bare(text) {
            Some(ip) => (ip, 0),
            // A port that its proxy keeps to itself (RFC 7239, 6.3).
            None => (bare(text.rsplit_once(":_")?.0)?, 0),
        },
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

/// Whether a scheme is one of encrypted connections.
pub(super) fn is_secure(scheme: &str) -> Option<bool> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// A host, with a port or not; nothing that could be anything else.
pub(super) fn host(text: &str) -> Option<Box<str>> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (!text.is_empty() && text.len() <= LONGEST_HOST && text.bytes().all(is_plain))
        .then(|| text.into())
}
