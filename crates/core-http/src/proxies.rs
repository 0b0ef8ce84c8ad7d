//! Proxies in front of the server: whose word about the client is taken, and what they say.

mod hop;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use thiserror::Error;

use self::hop::{Hop, address, host, is_secure};
use crate::request::Origin;

/// Hops looked at, from the nearest: no chain of proxies is longer, and a forged one costs no more.
const MOST_HOPS: usize = 32;

/// Stands for the proxies that come by a Unix socket.
const UNIX: &str = "unix";

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// A trusted proxy that is neither an address nor a network.
#[derive(Debug, Error)]
#[error("trusted_proxies has neither an address nor a network in {0:?}")]
pub struct NetworkFault(String);

/// The proxies that are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    trusts_unix: bool,
}

impl TrustedProxies {
    /// Addresses, networks such as `10.0.0.0/8`, and `unix` for whoever reaches a Unix socket.
    pub fn new<T: AsRef<str>>(listed: impl IntoIterator<Item = T>) -> Result<Self, NetworkFault> {
        let mut proxies = Self::default();
        for text in listed {
            let text = text.as_ref();
            if text == UNIX {
                proxies.trusts_unix = true;
                continue;
            }
            let network = text
                .parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| NetworkFault(text.to_owned()))?;
            proxies.networks.push(network);
        }
        Ok(proxies)
    }

    /// Whether the other end of a connection is a proxy that is believed.
    pub fn trust(&self, peer: Option<SocketAddr>) -> bool {
        peer.map_or(self.trusts_unix, |peer| self.trust_address(peer.ip()))
    }

    fn trust_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    /// Where a request comes from, by what trusted proxies say of it.
    pub(crate) fn seen_through(&self, headers: &HeaderMap, origin: Arc<Origin>) -> Arc<Origin> {
        if !self.trust(origin.remote) {
            return origin;
        }
        let told = match (self.standard(headers), self.customary(headers)) {
            (Some(hop), None) | (None, Some(hop)) => hop,
            // A proxy that writes the one passes the other on as the client sent it. Which one, nobody can tell from
            // here, so both have to say the same.
            (Some(standard), Some(customary)) if standard.client == customary.client => customary,
            (Some(_), Some(_)) | (None, None) => return origin,
        };
        Arc::new(Origin {
            remote: told.client.or(origin.remote),
            local: origin.local,
            secure: told.secure.unwrap_or(origin.secure),
            host: told.host,
            root_path: origin.root_path.clone(),
        })
    }

    /// `Forwarded` (RFC 7239).
    fn standard(&self, headers: &HeaderMap) -> Option<Hop> {
        let mut told = Hop::default();
        for element in nearest(headers, &header::FORWARDED)? {
            let Some(hop) = Hop::parse(element) else {
                continue;
            };
            told.client = hop.client.or(told.client);
            told.secure = hop.secure.or(told.secure);
            told.host = hop.host.or(told.host);
            if !hop.client.is_some_and(|hop| self.trust_address(hop.ip())) {
                break;
            }
        }
        Some(told)
    }

    /// The `X-Forwarded-` family.
    fn customary(&self, headers: &HeaderMap) -> Option<Hop> {
        let hops = nearest(headers, &FORWARDED_FOR);
        let schemes = nearest(headers, &FORWARDED_PROTO);
        let hosts = nearest(headers, &FORWARDED_HOST);
        if hops.is_none() && schemes.is_none() && hosts.is_none() {
            return None;
        }
        let hops = hops.unwrap_or_default();
        let mut client = None;
        let mut place = 0;
        for (index, text) in hops.iter().enumerate() {
            let Some(hop) = address(text) else { break };
            (client, place) = (Some(hop), index);
            if !self.trust_address(hop.ip()) {
                break;
            }
        }
        // Where every hop has added to the list, the entry beside the client's is meant; else the nearest one.
        let beside = |list: Option<Vec<&str>>| {
            list.and_then(|list| {
                let index = if list.len() == hops.len() { place } else { 0 };
                list.get(index).map(|&text| text.to_owned())
            })
        };
        Some(Hop {
            client,
            secure: beside(schemes).and_then(|text| is_secure(&text)),
            host: beside(hosts).and_then(|text| host(&text)),
        })
    }
}

/// The entries of a list header, the last first; nothing if there is no such header.
///
/// Every comma separates, quotes or not: none of the values that matter has one, and a quote that a client leaves open
/// must not swallow what the proxy has added behind it.
fn nearest<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<Vec<&'h str>> {
    let lines: Vec<&[u8]> = headers
        .get_all(name)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if lines.is_empty() {
        return None;
    }
    let entries = lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(|byte| *byte == b','))
        // What cannot be read is no address, and ends the chain; what the proxy has added behind it still counts.
        .map(|entry| std::str::from_utf8(entry).unwrap_or("?").trim())
        .filter(|entry| !entry.is_empty());
    Some(entries.take(MOST_HOPS).collect())
}
