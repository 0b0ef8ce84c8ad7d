//! Doors for the fuzz targets.

use bytes::{Bytes, BytesMut};

use super::deflate as codec;
use super::frame::{self as frames, Opcode};
use super::incoming::{Event, Incoming, Message};

/// The messages in a client's bytes, which come in pieces of `step`, up to its close or the first fault; and the code
/// of that fault.
pub fn messages(
    bytes: &[u8],
    step: usize,
    limit: usize,
    deflates: bool,
) -> (Vec<Message>, Option<u16>) {
    let mut incoming = Incoming::new(b"", limit, deflates);
    let mut found = Vec::new();
    for piece in bytes.chunks(step.max(1)) {
        incoming.buffer.extend_from_slice(piece);
        loop {
            match incoming.next() {
                Ok(Some(Event::Message(message))) => found.push(message),
                Ok(Some(Event::Close(_))) => return (found, None),
                Ok(Some(Event::Ping(_) | Event::Pong)) => {}
                Ok(None) => break,
                Err(fault) => return (found, Some(fault.code)),
            }
        }
    }
    (found, None)
}

/// Inflates a message; none if it cannot be, or is larger than `limit`.
pub fn inflate(payload: &[u8], limit: usize) -> Option<Bytes> {
    codec::inflate(payload, limit).ok()
}

/// Deflates a message; none where that gains nothing.
pub fn deflate(payload: &[u8]) -> Option<Vec<u8>> {
    codec::deflate(payload)
}

/// A binary frame as the server writes it.
pub fn frame(payload: &[u8], is_compressed: bool) -> Bytes {
    let mut out = BytesMut::new();
    frames::write(&mut out, Opcode::Binary, is_compressed, payload);
    out.freeze()
}

/// A payload with the mask put on or taken off.
pub fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut payload = payload.to_vec();
    frames::mask(&mut payload, key);
    payload
}
