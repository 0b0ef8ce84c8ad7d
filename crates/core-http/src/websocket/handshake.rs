//! Which requests may become a socket, and the answer that makes them one (RFC 6455, 4.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Version};
use sha1::{Digest, Sha1};

use super::{Options, deflate};
use crate::problem::Problem;
use crate::request::Head;
use crate::response::Response;

/// What the key is hashed with.
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request that may become a socket.
#[derive(Clone, Debug)]
pub struct Handshake {
    accept: HeaderValue,
    /// What the client speaks, in its order.
    offered: Vec<String>,
    /// The one of ours that the client speaks too.
    preferred: Option<String>,
    pub deflates: bool,
}

/// Whether a request asks to become a socket.
pub fn is_upgrade(head: &Head) -> bool {
    head.parts.version == Version::HTTP_11
        && head.parts.method == Method::GET
        && has_token(&head.parts.headers, header::CONNECTION, "upgrade")
        && has_token(&head.parts.headers, header::UPGRADE, "websocket")
}

impl Handshake {
    /// Reads a request; the problem says what it lacks.
    pub fn read(head: &Head, options: &Options) -> Result<Self, Problem> {
        if !is_upgrade(head) {
            return Err(Problem::upgrade_required(
                "This path speaks WebSocket: a GET request with Upgrade: websocket is needed",
            ));
        }
        let headers = &head.parts.headers;
        if only(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
            return Err(Problem::upgrade_required(
                "Only version 13 of the WebSocket protocol is spoken here",
            ));
        }
        let key = only(headers, header::SEC_WEBSOCKET_KEY)
            .filter(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16))
            .ok_or_else(|| {
                Problem::bad_request("Sec-WebSocket-Key must be 16 bytes in base64, once")
            })?;
        let hash = Sha1::new()
            .chain_update(key.as_bytes())
            .chain_update(MAGIC)
            .finalize();
        let accept = HeaderValue::from_str(&STANDARD.encode(hash))
            .map_err(|_| Problem::internal_server_error())?;
        let offered: Vec<String> = texts(headers, header::SEC_WEBSOCKET_PROTOCOL)
            .flat_map(|text| text.split(','))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let preferred = options
            .subprotocols
            .iter()
            .find(|name| offered.contains(name))
            .cloned();
        let deflates = options.compression
            && texts(headers, header::SEC_WEBSOCKET_EXTENSIONS).any(deflate::agrees);
        Ok(Self {
            accept,
            offered,
            preferred,
            deflates,
        })
    }

    /// The subprotocol to use when the application names none.
    pub fn preferred(&self) -> Option<&str> {
        self.preferred.as_deref()
    }

    /// Whether the client speaks it.
    pub fn offers(&self, subprotocol: &str) -> bool {
        self.offered.iter().any(|offered| offered == subprotocol)
    }

    /// The answer that makes the connection a socket, but for its body.
    pub fn response(&self, subprotocol: Option<&str>, more: HeaderMap) -> Response {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        let mut last: Option<HeaderName> = None;
        for (name, value) in more {
            last = name.or(last);
            if let Some(name) = &last {
                headers.append(name, value);
            }
        }
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept.clone());
        if self.deflates {
            headers.insert(
                header::SEC_WEBSOCKET_EXTENSIONS,
                HeaderValue::from_static(deflate::AGREED),
            );
        }
        if let Some(Ok(subprotocol)) = subprotocol.map(HeaderValue::from_str) {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        response
    }
}

/// Adds to a refusal what a client needs to do better.
pub fn advise(mut refusal: Response) -> Response {
    if refusal.status() == StatusCode::UPGRADE_REQUIRED {
        let headers = refusal.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
    }
    refusal
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
}

/// The text of a header that is there once.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut all = texts(headers, name);
    let first = all.next()?;
    all.next().is_none().then_some(first.trim())
}

fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    texts(headers, name)
        .flat_map(|text| text.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}
