//! Whose requests count together.

use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use crate::gate::Refused;
use crate::request::Head;

/// Gives the key of a request, when that is the application's affair.
pub trait KeyFunction {
    /// The head comes back with the key, unless the function failed.
    fn key(&self, head: Head) -> LocalBoxFuture<'static, Result<(Head, String), Box<Refused>>>;
}

/// Whose requests count together.
#[derive(Clone)]
pub enum Bucket {
    /// Those of one address; of an IPv6 network of 64 bits, since that's what one customer has.
    Peer,
    /// All of them.
    Everyone,
    /// Those that a function gives the same key.
    Function(Rc<dyn KeyFunction>),
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Peer => "Peer",
            Self::Everyone => "Everyone",
            Self::Function(_) => "Function",
        })
    }
}

/// The key of an address; connections without one (a Unix socket) share a key.
pub(super) fn peer_key(address: Option<IpAddr>) -> String {
    match address {
        None => "local".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        for (address, key) in [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(peer_key(Some(address.parse().unwrap())), key, "{address}");
        }
        assert_eq!(peer_key(None), "local");
    }
}
