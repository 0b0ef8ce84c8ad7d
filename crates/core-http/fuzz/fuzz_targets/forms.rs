//! Multipart bodies of any bytes in any pieces: the pieces make no difference, and a form that is written is read back.
#![no_main]

use core_http::multipart::{Event, MultipartError, Parser};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

const MAX_HEAD: usize = 512;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    boundary: u8,
    /// Sizes of the pieces, over and over.
    steps: [u8; 4],
    body: &'a [u8],
}

/// Each part's head and content.
type Parts = Vec<(String, Option<String>, Vec<u8>)>;

fn parse<'b>(boundary: &str, pieces: impl Iterator<Item = &'b [u8]>) -> Result<Parts, String> {
    let mut parser = Parser::new(boundary, MAX_HEAD);
    let mut parts = Parts::new();
    let (mut taken, mut given) = (0, 0);
    let text = |fault: MultipartError| fault.to_string();
    for piece in pieces {
        parser.feed(piece);
        taken += piece.len();
        while let Some(event) = parser.next().map_err(text)? {
            match event {
                Event::Begin(head) => parts.push((head.name, head.filename, Vec::new())),
                Event::Data(bytes) => {
                    assert!(!bytes.is_empty());
                    given += bytes.len();
                    parts.last_mut().expect("a part that began").2.extend_from_slice(&bytes);
                }
                Event::End => {}
            }
        }
        assert!(given <= taken, "more came out than went in");
    }
    parser.finish().map_err(text)?;
    Ok(parts)
}

fn boundary(choice: u8) -> &'static str {
    ["b", "--", "-b-", "----WebKitFormBoundary7MA4YWxkTrZu0gW"][usize::from(choice) % 4]
}

fn pieces<'b>(mut body: &'b [u8], steps: [u8; 4]) -> impl Iterator<Item = &'b [u8]> {
    let mut steps = steps.into_iter().cycle();
    std::iter::from_fn(move || {
        let size = usize::from(steps.next()?).max(1).min(body.len());
        let (piece, rest) = body.split_at(size);
        body = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

fuzz_target!(|input: Input<'_>| {
    let boundary = boundary(input.boundary);
    let whole = parse(boundary, std::iter::once(input.body));
    let split = parse(boundary, pieces(input.body, input.steps));
    assert_eq!(whole.as_ref().ok(), split.as_ref().ok(), "{whole:?} {split:?}");

    // As the content of a part, unless a boundary stands in it.
    let delimiter = format!("\r\n--{boundary}");
    let framed = [b"\r\n", input.body, delimiter.as_bytes()].concat();
    let ends = framed.windows(delimiter.len()).position(|window| window == delimiter.as_bytes());
    if ends == Some(framed.len() - delimiter.len()) {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\n");
        let written = [head.as_bytes(), input.body, delimiter.as_bytes(), b"--\r\n"].concat();
        let expected = vec![("a".to_owned(), Some("f".to_owned()), input.body.to_vec())];
        assert_eq!(parse(boundary, pieces(&written, input.steps)), Ok(expected));
    }
});
