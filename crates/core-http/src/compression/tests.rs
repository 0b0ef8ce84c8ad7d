use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::*;
use crate::body::FrameStream;
use crate::decoding::decode;
use crate::error::BodyError;

fn compression() -> Compression {
    Compression {
        codings: Coding::ALL.to_vec(),
        min_size: 100,
        quality: 6,
        exclude_types: vec!["text/csv".to_owned(), "application/*".to_owned()],
        decode_requests: false,
    }
}

fn answer(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

fn text(length: usize) -> Body {
    Body::from(Bytes::from(
        "so it goes on ".repeat(length / 14 + 1)[..length].to_owned(),
    ))
}

fn apply(response: Response, accept: &'static str) -> Response {
    let accept = HeaderValue::from_static(accept);
    match compression().apply(response, Some(&accept), false) {
        Reply::Ready(response) => response,
        Reply::Later(_) => panic!("small bodies are done at once"),
    }
}

fn coding_of(response: &Response) -> Option<&str> {
    response
        .headers()
        .get(header::CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
}

fn full(response: Response) -> Bytes {
    match response.into_body() {
        Body::Full(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_comes_in_the_chosen_coding_under_true_headers() {
    for coding in Coding::ALL {
        let mut plain = answer("text/plain; charset=utf-8", text(500));
        let headers = plain.headers_mut();
        headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("500"));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let response = apply(plain, coding.token());
        assert_eq!(coding_of(&response), Some(coding.token()));
        assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
        assert_eq!(response.headers()[header::ETAG], "W/\"1\"");
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
        assert!(!response.headers().contains_key(header::ACCEPT_RANGES));
        let decoded = decode(coding, &full(response), 1000).expect("a body");
        assert_eq!(decoded, full(answer("text/plain", text(500))));
    }
}

#[test]
fn a_client_that_takes_no_coding_learns_that_there_are_some() {
    for accept in ["", "deflate", "identity", "gzip;q=0"] {
        let response = apply(answer("text/plain", text(500)), accept);
        assert_eq!(coding_of(&response), None, "{accept}");
        assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
        assert_eq!(full(response).len(), 500);
    }
}

#[test]
fn what_is_not_eligible_stays_as_it_is() {
    let with = |name: http::HeaderName, value: &'static str| {
        let mut response = answer("text/plain", text(500));
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        response
    };
    let of_status = |status: u16| {
        let mut response = answer("text/plain", text(500));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        response
    };
    let mut untyped = answer("text/plain", text(500));
    untyped.headers_mut().remove(header::CONTENT_TYPE);
    for response in [
        with(header::CONTENT_ENCODING, "br"),
        with(header::CONTENT_RANGE, "bytes 0-499/1000"),
        with(header::CACHE_CONTROL, "public, No-Transform"),
        of_status(206),
        of_status(204),
        of_status(304),
        untyped,
        answer("image/png", text(500)),
        answer("video/mp4", text(500)),
        answer("text/csv", text(500)),
        answer("application/json", text(500)),
        answer("text/event-stream", text(500)),
    ] {
        let before = response.headers().clone();
        let response = apply(response, "gzip");
        assert_eq!(response.headers(), &before);
        assert_eq!(full(response).len(), 500);
    }
}

#[test]
fn only_some_types_get_smaller() {
    for (essence, expected) in [
        ("text/plain", true),
        ("application/json", true),
        ("application/problem+json", true),
        ("application/atom+xml", true),
        ("application/javascript", true),
        ("application/wasm", true),
        ("application/x-www-form-urlencoded", true),
        ("application/x-ndjson", true),
        ("image/svg+xml", true),
        ("image/png", false),
        ("application/octet-stream", false),
        ("application/zip", false),
        ("application/pdf", false),
        ("font/woff2", false),
        ("multipart/byteranges", false),
        ("text", false),
        ("", false),
    ] {
        assert_eq!(is_compressible(essence, false), expected, "{essence}");
    }
    assert!(is_compressible("text/event-stream", true));
}

#[test]
fn size_is_all_that_is_looked_at_first() {
    let compression = compression();
    assert!(!compression.is_worth_a_look(&Body::Empty));
    assert!(!compression.is_worth_a_look(&text(99)));
    assert!(compression.is_worth_a_look(&text(100)));
    assert!(compression.is_worth_a_look(&Body::Stream(pieces(&["a"]))));
}

#[test]
fn a_wish_for_everything_takes_any_body_but_none() {
    let compression = Compression {
        min_size: 0,
        ..compression()
    };
    assert!(compression.is_worth_a_look(&text(1)));
    assert!(!compression.is_worth_a_look(&Body::Empty));
}

/// A body in pieces, each there at once.
struct Pieces(VecDeque<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn pieces(texts: &[&str]) -> FrameStream {
    let texts = texts.iter().map(|text| Bytes::from((*text).to_owned()));
    Box::pin(Pieces(texts.collect()).map_err(BodyError::from))
}

#[tokio::test]
async fn each_piece_of_a_stream_comes_out_at_once_and_decodes_to_the_whole() {
    let large = "large ".repeat(20_000);
    for coding in Coding::ALL {
        let stream = pieces(&["one", "", "two", &large, "end"]);
        let mut response = apply(answer("text/plain", Body::Stream(stream)), coding.token());
        assert_eq!(coding_of(&response), Some(coding.token()));
        let mut frames = Vec::new();
        while let Some(frame) = response.body_mut().frame().await {
            frames.push(frame.expect("a frame").into_data().expect("data"));
        }
        // Four pieces, and what ends the coding.
        assert!(
            (4..=5).contains(&frames.len()),
            "{coding:?}: {} frames",
            frames.len()
        );
        assert!(frames.iter().all(|frame| !frame.is_empty()));
        let decoded = decode(coding, &frames.concat(), 1_000_000).expect("a body");
        assert_eq!(decoded, format!("onetwo{large}end"));
    }
}

#[tokio::test]
async fn a_large_body_is_compressed_elsewhere() {
    let accept = HeaderValue::from_static("gzip");
    let reply = compression().apply(answer("text/plain", text(100_000)), Some(&accept), false);
    assert!(matches!(reply, Reply::Later(_)));
    let response = reply.settled().await;
    assert_eq!(coding_of(&response), Some("gzip"));
    let decoded = decode(Coding::Gzip, &full(response), 100_000).expect("a body");
    assert_eq!(decoded.len(), 100_000);
}
