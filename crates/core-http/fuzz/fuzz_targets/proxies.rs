//! Whatever a client puts before a trusted proxy's word, it is the proxy that is believed; headers of the PROXY
//! protocol are read to their end and no further.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use core_http::fuzzing::{announced, seen_through};
use core_http::proxies::TrustedProxies;
use core_http::request::Origin;
use http::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

static TRUSTED: LazyLock<TrustedProxies> =
    LazyLock::new(|| TrustedProxies::new(["127.0.0.0/8", "10.0.0.0/8", "::1"]).expect("networks"));

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

fn origin(remote: [u8; 4]) -> Arc<Origin> {
    let remote = Some(SocketAddr::new(IpAddr::from(remote), 1));
    Arc::new(Origin { remote, ..Origin::default() })
}

fn check_headers(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in [FORWARDED, FOR, PROTO, HOST] {
        if let Some(Ok(value)) = lines.next().filter(|line| !line.is_empty()).map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    // A stranger is not listened to.
    let stranger = origin([192, 0, 2, 1]);
    assert!(Arc::ptr_eq(&seen_through(&TRUSTED, &headers, Arc::clone(&stranger)), &stranger));

    let seen = seen_through(&TRUSTED, &headers, origin([127, 0, 0, 1]));
    if let Some(host) = &seen.host {
        assert!(host.len() <= 261 && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)));
    }
    // Nothing of the client's makes the proxy's word another one.
    for (name, entry) in [(FORWARDED, "for=203.0.113.9"), (FOR, "203.0.113.9")] {
        let mut headers = headers.clone();
        headers.remove(if name == FOR { FORWARDED } else { FOR });
        if name == FORWARDED {
            headers.remove(PROTO);
            headers.remove(HOST);
        }
        let before = headers.get(&name).map_or(&b""[..], HeaderValue::as_bytes);
        let line = [before, b", ", entry.as_bytes()].concat();
        headers.insert(&name, HeaderValue::from_bytes(&line).expect("a value with an ending"));
        let seen = seen_through(&TRUSTED, &headers, origin([10, 1, 2, 3]));
        assert_eq!(seen.remote.map(|remote| remote.ip()), Some(CLIENT), "{headers:?}");
    }
}

/// The header a balancer would write for these addresses.
fn binary(source: SocketAddr, destination: SocketAddr, secure: bool) -> Option<Vec<u8>> {
    let mut rest = Vec::new();
    let family = match (source.ip(), destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            rest.extend_from_slice(&[from.octets(), to.octets()].concat());
            0x11
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            rest.extend_from_slice(&[from.octets(), to.octets()].concat());
            0x21
        }
        _ => return None,
    };
    rest.extend_from_slice(&source.port().to_be_bytes());
    rest.extend_from_slice(&destination.port().to_be_bytes());
    if secure {
        rest.extend_from_slice(&[0x20, 0, 5, 1, 0, 0, 0, 0]);
    }
    let length = u16::try_from(rest.len()).ok()?.to_be_bytes();
    Some([b"\r\n\r\n\0\r\nQUIT\n", &[0x21, family][..], &length, &rest].concat())
}

fn check_announcement(data: &[u8]) {
    let Ok((told, behind)) = announced(data) else {
        return;
    };
    let read = data.len() - behind.len();
    assert!(read <= 16 + 2048 && data.ends_with(behind));
    // Nothing behind the header matters, and nothing of the header is missing.
    assert_eq!(announced(&data[..read]).map(|(told, behind)| (told, behind.len())).ok(), Some((told, 0)));
    assert!(announced(&data[..read - 1]).is_err());
    let (Some(source), Some(destination)) = (told.source, told.destination) else {
        return;
    };
    if let Some(written) = binary(source, destination, told.secure) {
        assert_eq!(announced(&written).map(|(told, _)| told).ok(), Some(told));
    }
    if !told.secure && source.is_ipv4() == destination.is_ipv4() {
        let family = if source.is_ipv4() { 4 } else { 6 };
        let (from, to) = (source.ip(), destination.ip());
        let line = format!("PROXY TCP{family} {from} {to} {} {}\r\n", source.port(), destination.port());
        assert_eq!(announced(line.as_bytes()).map(|(told, _)| told).ok(), Some(told));
    }
}

fuzz_target!(|data: &[u8]| {
    check_headers(data);
    check_announcement(data);
});
