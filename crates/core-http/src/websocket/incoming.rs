//! From a client's bytes to messages.

use bytes::{Bytes, BytesMut};

use super::close::{self, Closure, Violation};
use super::deflate;
use super::frame::{self, Header, Opcode};

/// A message; text is UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub is_text: bool,
    pub payload: Bytes,
}

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Message(Message),
    Ping(Bytes),
    Pong,
    Close(Option<Closure>),
}

/// A message of which some fragments have come.
#[derive(Debug)]
struct Partial {
    is_text: bool,
    is_compressed: bool,
    payload: BytesMut,
    /// How far the text is known to be UTF-8.
    checked: usize,
}

/// The bytes that have come, and what they are part of.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) buffer: BytesMut,
    partial: Option<Partial>,
    limit: usize,
    deflates: bool,
}

impl Incoming {
    pub(crate) fn new(ahead: &[u8], limit: usize, deflates: bool) -> Self {
        Self {
            buffer: BytesMut::from(ahead),
            partial: None,
            limit,
            deflates,
        }
    }

    /// The next thing that is there whole.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Violation> {
        loop {
            let Some(header) = frame::parse(&self.buffer, self.deflates)? else {
                return Ok(None);
            };
            self.check(&header)?;
            let length = header.length as usize;
            let missing = (header.size + length).saturating_sub(self.buffer.len());
            if missing > 0 {
                self.buffer.reserve(missing);
                return Ok(None);
            }
            let mut payload = self.buffer.split_to(header.size + length);
            if self.buffer.is_empty() {
                // What is left of a large buffer is not kept for a silent socket.
                self.buffer = BytesMut::new();
            }
            let mut payload = payload.split_off(header.size);
            frame::mask(&mut payload, header.mask);
            if let Some(event) = self.take(&header, payload)? {
                return Ok(Some(event));
            }
        }
    }

    /// What the header alone tells.
    fn check(&self, header: &Header) -> Result<(), Violation> {
        let so_far = match (header.opcode, &self.partial) {
            (Opcode::Continuation, None) => {
                return Err(Violation::protocol("a continuation of nothing"));
            }
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(Violation::protocol(
                    "a new message before the end of the last",
                ));
            }
            (Opcode::Continuation, Some(partial)) => partial.payload.len(),
            _ => 0,
        };
        if header.length > self.limit.saturating_sub(so_far) as u64 && !header.opcode.is_control() {
            return Err(Violation::TOO_BIG);
        }
        Ok(())
    }

    fn take(&mut self, header: &Header, payload: BytesMut) -> Result<Option<Event>, Violation> {
        match header.opcode {
            Opcode::Ping => return Ok(Some(Event::Ping(payload.freeze()))),
            Opcode::Pong => return Ok(Some(Event::Pong)),
            Opcode::Close => return Ok(Some(Event::Close(close::parse(&payload)?))),
            Opcode::Text | Opcode::Binary => {
                self.partial = Some(Partial {
                    is_text: header.opcode == Opcode::Text,
                    is_compressed: header.is_compressed,
                    payload,
                    checked: 0,
                });
            }
            Opcode::Continuation => {
                if let Some(partial) = &mut self.partial {
                    partial.payload.extend_from_slice(&payload);
                }
            }
        }
        if !header.is_final {
            return self.partial.as_mut().map_or(Ok(None), |partial| {
                partial.check_so_far()?;
                Ok(None)
            });
        }
        let Some(partial) = self.partial.take() else {
            return Ok(None);
        };
        partial
            .finish(self.limit)
            .map(|message| Some(Event::Message(message)))
    }
}

const NOT_UTF8: Violation = Violation::data("the text is not UTF-8");

impl Partial {
    /// Finds what no further fragment could mend.
    fn check_so_far(&mut self) -> Result<(), Violation> {
        if !self.is_text || self.is_compressed {
            return Ok(());
        }
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(_) => self.checked = self.payload.len(),
            Err(error) if error.error_len().is_some() => return Err(NOT_UTF8),
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }

    fn finish(self, limit: usize) -> Result<Message, Violation> {
        let payload = if self.is_compressed {
            deflate::inflate(&self.payload, limit)?
        } else {
            self.payload.freeze()
        };
        if self.is_text && std::str::from_utf8(&payload[self.checked..]).is_err() {
            return Err(NOT_UTF8);
        }
        Ok(Message {
            is_text: self.is_text,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::close::{INVALID_DATA, PROTOCOL, TOO_BIG};

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 0x80 | payload.len() as u8, 1, 2, 3, 4];
        let mut masked = payload.to_vec();
        frame::mask(&mut masked, [1, 2, 3, 4]);
        bytes.extend_from_slice(&masked);
        bytes
    }

    fn text(content: &str) -> Event {
        Event::Message(Message {
            is_text: true,
            payload: Bytes::copy_from_slice(content.as_bytes()),
        })
    }

    /// All events, the bytes coming in pieces of `step`.
    fn events(bytes: &[u8], step: usize, deflates: bool) -> Result<Vec<Event>, Violation> {
        let mut incoming = Incoming::new(b"", 20, deflates);
        let mut found = Vec::new();
        for piece in bytes.chunks(step) {
            incoming.buffer.extend_from_slice(piece);
            while let Some(event) = incoming.next()? {
                found.push(event);
            }
        }
        Ok(found)
    }

    fn all_steps(frames: &[Vec<u8>], deflates: bool) -> Result<Vec<Event>, u16> {
        let bytes = frames.concat();
        let whole = events(&bytes, bytes.len(), deflates).map_err(|fault| fault.code);
        for step in 1..bytes.len() {
            let pieces = events(&bytes, step, deflates).map_err(|fault| fault.code);
            assert_eq!(pieces, whole, "in pieces of {step}");
        }
        whole
    }

    #[test]
    fn messages_and_fragments_with_control_frames_in_between() {
        let found = all_steps(
            &[
                frame(0x81, "tea".as_bytes()),
                frame(0x01, b"a"),
                frame(0x89, b"ping"),
                frame(0x00, "\u{fc}".as_bytes()[..1].as_ref()),
                frame(0x8a, b""),
                frame(0x80, "\u{fc}".as_bytes()[1..].as_ref()),
                frame(0x82, b"\xff"),
                frame(0x88, b"\x03\xe8bye"),
            ],
            false,
        );
        let expected = vec![
            text("tea"),
            Event::Ping(Bytes::from_static(b"ping")),
            Event::Pong,
            text("aü"),
            Event::Message(Message {
                is_text: false,
                payload: Bytes::from_static(b"\xff"),
            }),
            Event::Close(Some(Closure::new(1000, "bye"))),
        ];
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn what_is_refused() {
        let cases: [(&[Vec<u8>], u16); 9] = [
            (&[frame(0x80, b"x")], PROTOCOL),
            (&[frame(0x00, b"x")], PROTOCOL),
            (&[frame(0x01, b"x"), frame(0x81, b"x")], PROTOCOL),
            (&[frame(0x02, b"x"), frame(0x02, b"x")], PROTOCOL),
            (&[frame(0x81, b"\xff")], INVALID_DATA),
            (&[frame(0x81, b"\xc3")], INVALID_DATA),
            (
                &[frame(0x01, b"ab"), frame(0x00, b"\xed\xa0\x80")],
                INVALID_DATA,
            ),
            (&[frame(0x82, &[0; 21])], TOO_BIG),
            (
                &[
                    frame(0x02, &[0; 15]),
                    frame(0x00, &[0; 5]),
                    frame(0x80, &[0]),
                ],
                TOO_BIG,
            ),
        ];
        for (frames, code) in cases {
            assert_eq!(all_steps(frames, false), Err(code), "{frames:x?}");
        }
    }

    proptest::proptest! {
        /// However the bytes come, whatever they are: the same events, or the same refusal.
        #[test]
        fn pieces_make_no_difference(
            frames in proptest::collection::vec(
                (proptest::num::u8::ANY, proptest::collection::vec(proptest::num::u8::ANY, 0..24)),
                1..6,
            ),
            step in 1_usize..40,
            deflates: bool,
        ) {
            let bytes: Vec<u8> = frames
                .iter()
                .flat_map(|(first, payload)| frame(*first, payload))
                .collect();
            let whole = events(&bytes, bytes.len(), deflates).map_err(|fault| fault.code);
            let pieces = events(&bytes, step, deflates).map_err(|fault| fault.code);
            proptest::prop_assert_eq!(whole, pieces);
        }

        /// Bytes that are no frames at all are refused or waited for, and nothing panics.
        #[test]
        fn noise(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), step in 1_usize..40) {
            let whole = events(&bytes, bytes.len().max(1), true).map_err(|fault| fault.code);
            proptest::prop_assert_eq!(whole, events(&bytes, step, true).map_err(|fault| fault.code));
        }
    }

    #[test]
    fn compressed_messages() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(
            all_steps(&[frame(0xc1, &hello)], true),
            Ok(vec![text("Hello")])
        );
        assert_eq!(
            all_steps(&[frame(0x41, &hello[..3]), frame(0x80, &hello[3..])], true),
            Ok(vec![text("Hello")])
        );
        assert_eq!(all_steps(&[frame(0xc1, &hello)], false), Err(PROTOCOL));
        let bomb = deflate::deflate(&[0; 300]).expect("zeros shrink");
        assert!(
            bomb.len() < 20,
            "smaller than the limit, unlike what it holds"
        );
        assert_eq!(all_steps(&[frame(0xc2, &bomb)], true), Err(TOO_BIG));
    }
}
