//! Frames of any bytes in any pieces, compressed or not: the pieces make no difference, another implementation reads
//! the same messages, and nothing larger than the limit comes out.
#![no_main]

use std::io::Cursor;

use core_http::fuzzing::{deflate, frame, inflate, masked, messages};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

const LIMIT: usize = 4096;
const KEY: [u8; 4] = [7, 0, 255, 1];

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    step: u8,
    deflates: bool,
    bytes: &'a [u8],
}

/// Both ends of a connection whose other side has said all it has to say.
struct Wire<'a>(Cursor<&'a [u8]>);

impl std::io::Read for Wire<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out)
    }
}

impl std::io::Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn of_tungstenite(bytes: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let mut socket = WebSocket::from_raw_socket(Wire(Cursor::new(bytes)), Role::Server, Some(config));
    let mut found = Vec::new();
    while let Ok(message) = socket.read() {
        match message {
            Message::Text(text) => found.push((true, text.as_bytes().to_vec())),
            Message::Binary(bytes) => found.push((false, bytes.to_vec())),
            Message::Close(_) => break,
            _ => {}
        }
    }
    found
}

fuzz_target!(|input: Input<'_>| {
    let Input { step, deflates, bytes } = input;
    let whole = messages(bytes, bytes.len(), LIMIT, deflates);
    assert_eq!(messages(bytes, usize::from(step), LIMIT, deflates), whole);
    for message in &whole.0 {
        assert!(message.payload.len() <= LIMIT);
        assert!(!message.is_text || std::str::from_utf8(&message.payload).is_ok());
    }
    if !deflates {
        // We are stricter about lengths and codes, so it may read on where we end.
        let ours: Vec<_> = whole.0.into_iter().map(|message| (message.is_text, message.payload.to_vec())).collect();
        assert!(of_tungstenite(bytes).starts_with(&ours));
    }

    if let Some(inflated) = inflate(bytes, LIMIT) {
        assert!(inflated.len() <= LIMIT);
        // A final block ends the other's stream, and ours goes on behind it; a block that is cut off goes on for the
        // other in what we have added.
        let ended = [bytes, &[0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]].concat();
        if let Ok(other) = decompress_to_vec_with_limit(&ended, LIMIT) {
            let shared = inflated.len().min(other.len());
            assert_eq!(inflated[..shared], other[..shared]);
        }
    }
    let repeated = bytes.repeat(8);
    if let Some(small) = deflate(&repeated) {
        assert!(small.len() < repeated.len());
        assert_eq!(inflate(&small, repeated.len()).as_deref(), Some(repeated.as_slice()));
    }

    let written = frame(bytes, false);
    let head = written.len() - bytes.len();
    let mut sent = written[..head].to_vec();
    sent[1] |= 0x80;
    sent.extend_from_slice(&KEY);
    sent.extend_from_slice(&masked(bytes, KEY));
    let (back, fault) = messages(&sent, usize::from(step), bytes.len(), deflates);
    assert_eq!(fault, None);
    assert_eq!(back[0].payload, bytes);
});
