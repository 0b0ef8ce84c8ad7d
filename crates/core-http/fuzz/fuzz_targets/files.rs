//! Any conditions and ranges for a file, and any wishes for its coding: what is sent is what the head says of it.
#![no_main]

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::LazyLock;

use core_http::accept_encoding::AcceptEncoding;
use core_http::body::Body;
use core_http::coding::Coding;
use core_http::file::{FileAnswer, FileFault, Terms};
use core_http::multipart::{Event, Parser};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

const SIZE: usize = 1000;
const TAG: &str = "\"tea\"";

static FILE: LazyLock<(PathBuf, Vec<u8>)> = LazyLock::new(|| {
    let content: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    let path = std::env::temp_dir().join(format!("spikard-fuzz-{}", std::process::id()));
    std::fs::write(&path, &content).expect("a place for files");
    (path, content)
});

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
    );
}

const HEADERS: [HeaderName; 6] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

async fn bytes(body: Body) -> Vec<u8> {
    match body {
        Body::Empty => Vec::new(),
        Body::Full(bytes) => bytes.to_vec(),
        Body::Stream(stream) => stream.collect().await.expect("the file to stay").to_bytes().to_vec(),
        Body::Upgrade(_) => panic!("files are sent as bytes"),
    }
}

/// `bytes 3-5/1000` as the part of the content it names.
fn named(range: &str) -> &'static [u8] {
    let (span, size) = range.strip_prefix("bytes ").and_then(|rest| rest.split_once('/')).expect("a range");
    assert_eq!(size.parse(), Ok(SIZE));
    let (first, last) = span.split_once('-').expect("two ends");
    let (first, last): (usize, usize) = (first.parse().expect("a number"), last.parse().expect("a number"));
    assert!(first <= last && last < SIZE);
    &FILE.1[first..=last]
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers[name].to_str().expect("text").to_owned()
}

async fn check(terms: Terms) {
    let demanded = terms.headers.clone();
    let is_get = terms.method == Method::GET;
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, HeaderValue::from_static(TAG));
    let answer = FileAnswer { path: FILE.0.clone(), status: StatusCode::OK, headers, terms };
    let response = match answer.answer().await {
        Ok(response) => response,
        Err(FileFault::PreconditionFailed) => {
            assert!(HEADERS[2..].iter().any(|name| demanded.contains_key(name)));
            return;
        }
        Err(FileFault::RangeNotSatisfiable(size)) => {
            assert!(is_get && demanded.contains_key(header::RANGE) && size == SIZE as u64);
            return;
        }
        Err(fault) => panic!("{fault:?}"),
    };
    let (head, body) = response.into_parts();
    let sent = bytes(body).await;
    match head.status {
        StatusCode::OK if is_get => assert_eq!(sent, FILE.1),
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED => assert!(sent.is_empty()),
        StatusCode::PARTIAL_CONTENT => {
            assert!(is_get && demanded.contains_key(header::RANGE));
            if head.headers.contains_key(header::CONTENT_RANGE) {
                assert_eq!(sent, named(&text(&head.headers, &header::CONTENT_RANGE)));
            } else {
                check_parts(&text(&head.headers, &header::CONTENT_TYPE), &sent);
            }
        }
        other => panic!("{other}"),
    }
}

/// Several ranges: the parts say themselves which they are. Our reader of forms reads them when told they are fields.
fn check_parts(media_type: &str, sent: &[u8]) {
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").expect("parts");
    let as_form = replaced(sent, b"content-type:", b"content-disposition: form-data; name=a\r\ncontent-type:");
    let mut parser = Parser::new(boundary, 512);
    parser.feed(&as_form);
    let (mut parts, mut total) = (Vec::new(), 0);
    while let Some(event) = parser.next().expect("parts") {
        match event {
            Event::Begin(head) => {
                let range = head.headers.iter().find(|(name, _)| name == "content-range").expect("a range");
                parts.push((named(&range.1), Vec::new()));
            }
            Event::Data(bytes) => {
                total += bytes.len();
                parts.last_mut().expect("a part").1.extend_from_slice(&bytes);
            }
            Event::End => {}
        }
    }
    parser.finish().expect("the last boundary");
    assert!((2..=8).contains(&parts.len()) && total <= SIZE);
    for (named, sent) in parts {
        assert_eq!(named, sent);
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// The choice of a coding, found in another way: by floats, and the whole list for each coding.
fn chosen(text: &str) -> Option<Coding> {
    let members: Vec<(String, f64)> = text.split(',').filter_map(weighted).collect();
    let weight = |names: &[&str]| {
        let fits = |name: &str| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
        members.iter().filter(|(name, _)| fits(name)).map(|(_, weight)| *weight).reduce(f64::max)
    };
    let any = weight(&["*"]);
    let plain = weight(&["identity"]).unwrap_or(0.0);
    let mut best: Option<(f64, Coding)> = None;
    for (coding, names) in [
        (Coding::Zstd, &["zstd"][..]),
        (Coding::Brotli, &["br"]),
        (Coding::Gzip, &["gzip", "x-gzip"]),
    ] {
        let weight = weight(names).or(any).unwrap_or(0.0);
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, coding));
        }
    }
    best.filter(|(weight, _)| *weight >= plain).map(|(_, coding)| coding)
}

fn weighted(member: &str) -> Option<(String, f64)> {
    let blanks = [' ', '\t'];
    let mut parts = member.split(';');
    let name = parts.next()?.trim_matches(blanks);
    let mut weight = 1.0;
    for part in parts {
        let (key, value) = part.trim_matches(blanks).split_once('=')?;
        let is_number = matches!(value.as_bytes(), [b'0' | b'1'] | [b'0' | b'1', b'.', ..])
            && value.len() <= 5
            && value.bytes().skip(2).all(|byte| byte.is_ascii_digit());
        if !key.eq_ignore_ascii_case("q") || !is_number {
            return None;
        }
        weight = value.parse().ok().filter(|weight| *weight <= 1.0)?;
    }
    (!name.is_empty()).then(|| (name.to_owned(), weight))
}

fuzz_target!(|text: &str| {
    let (kind, rest) = text.split_at_checked(1).unwrap_or(("g", ""));
    if kind == "a" {
        assert_eq!(AcceptEncoding::parse(rest).choose(&Coding::ALL), chosen(rest), "{rest:?}");
        return;
    }
    let method = if kind == "h" { Method::HEAD } else { Method::GET };
    let mut headers = HeaderMap::new();
    for (name, line) in HEADERS.into_iter().zip(rest.split('\n')) {
        if let Ok(value) = HeaderValue::from_str(line)
            && !line.is_empty()
        {
            headers.insert(name, value);
        }
    }
    RUNTIME.with_borrow(|runtime| runtime.block_on(check(Terms::of(&method, &headers))));
});
