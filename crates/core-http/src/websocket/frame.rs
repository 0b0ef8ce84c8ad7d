//! Frames (RFC 6455, 5.2).

use bytes::{BufMut, BytesMut};

use super::close::Violation;

/// Payload of a control frame in bytes.
const CONTROL_LIMIT: u64 = 125;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(crate) fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// What stands before a client's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) is_final: bool,
    /// The first bit that extensions may use: a message that permessage-deflate has compressed.
    pub(crate) is_compressed: bool,
    pub(crate) opcode: Opcode,
    pub(crate) mask: [u8; 4],
    /// Bytes of the payload.
    pub(crate) length: u64,
    /// Bytes of the header itself.
    pub(crate) size: usize,
}

/// Reads a client's header; none if it isn't there whole. What is wrong is told as soon as it can be seen.
pub(crate) fn parse(bytes: &[u8], deflates: bool) -> Result<Option<Header>, Violation> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    let (is_final, is_compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    let Some(opcode) = Opcode::from_bits(first & 0x0f) else {
        return Err(Violation::protocol("a reserved opcode"));
    };
    let compressible = matches!(opcode, Opcode::Text | Opcode::Binary);
    if first & 0x30 != 0 || (is_compressed && !(deflates && compressible)) {
        return Err(Violation::protocol("a reserved bit is set"));
    }
    if opcode.is_control() && !is_final {
        return Err(Violation::protocol("a control frame in fragments"));
    }
    if second & 0x80 == 0 {
        return Err(Violation::protocol("a frame without a mask"));
    }
    let short = second & 0x7f;
    if opcode.is_control() && u64::from(short) > CONTROL_LIMIT {
        return Err(Violation::protocol("a control frame that is too long"));
    }
    let (length, rest) = match short {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Ok(None),
        },
        short => (u64::from(short), rest),
    };
    let least = match short {
        126 => 126,
        127 => 65_536,
        _ => 0,
    };
    if length < least || length > i64::MAX as u64 {
        return Err(Violation::protocol("a length not written in its one form"));
    }
    let Some((mask, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    Ok(Some(Header {
        is_final,
        is_compressed,
        opcode,
        mask: *mask,
        length,
        size: bytes.len() - rest.len(),
    }))
}

/// Takes the mask off, or puts it on.
pub(crate) fn mask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(bytes) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Writes a whole frame of ours, which has no mask.
pub(crate) fn write(out: &mut BytesMut, opcode: Opcode, is_compressed: bool, payload: &[u8]) {
    let first = 0x80 | if is_compressed { 0x40 } else { 0 } | opcode as u8;
    out.reserve(payload.len() + 10);
    out.put_u8(first);
    match payload.len() {
        length @ 0..=125 => out.put_u8(length as u8),
        length @ 126..=65_535 => {
            out.put_u8(126);
            out.put_u16(length as u16);
        }
        length => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let header = parse(&[0x81, 0x85, 1, 2, 3, 4, 9], false);
        let expected = Header {
            is_final: true,
            is_compressed: false,
            opcode: Opcode::Text,
            mask: [1, 2, 3, 4],
            length: 5,
            size: 6,
        };
        assert_eq!(header, Ok(Some(expected)));
        for end in 0..6 {
            assert_eq!(parse(&[0x81, 0x85, 1, 2, 3, 4][..end], false), Ok(None));
        }
    }

    #[test]
    fn lengths_have_one_form() {
        let parsed =
            |bytes: &[u8]| parse(bytes, false).map(|header| header.map(|h| (h.length, h.size)));
        assert_eq!(
            parsed(&[0x82, 0xfe, 0, 126, 0, 0, 0, 0]),
            Ok(Some((126, 8)))
        );
        assert!(parsed(&[0x82, 0xfe, 0, 125, 0, 0, 0, 0]).is_err());
        let mut long = vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(parsed(&long), Ok(Some((65_536, 14))));
        long[7] = 0;
        assert!(parsed(&long).is_err());
        long[2] = 0x80;
        assert!(parsed(&long).is_err());
    }

    #[test]
    fn what_two_bytes_tell() {
        for wrong in [
            [0x83, 0x80], // reserved opcodes
            [0x8b, 0x80],
            [0xc1, 0x80], // reserved bits
            [0xa1, 0x80],
            [0x91, 0x80],
            [0x09, 0x80], // a fragment of a ping
            [0x89, 0xfe], // a long ping
            [0x81, 0x00], // no mask
        ] {
            assert!(parse(&wrong, false).is_err(), "{wrong:x?}");
        }
        assert_eq!(parse(&[0xc1, 0x80], true), Ok(None));
        assert!(parse(&[0xc0, 0x80], true).is_err());
        assert!(parse(&[0xc9, 0x80], true).is_err());
    }

    #[test]
    fn masks_of_every_length() {
        for length in 0..40 {
            let plain: Vec<u8> = (0..length).collect();
            let mut masked = plain.clone();
            mask(&mut masked, [7, 0, 255, 1]);
            let expected: Vec<u8> = plain
                .iter()
                .enumerate()
                .map(|(index, byte)| byte ^ [7, 0, 255, 1][index % 4])
                .collect();
            assert_eq!(masked, expected);
            mask(&mut masked, [7, 0, 255, 1]);
            assert_eq!(masked, plain);
        }
    }

    #[test]
    fn frames_as_written() {
        let written = |length: usize| {
            let mut out = BytesMut::new();
            write(&mut out, Opcode::Binary, false, &vec![0; length]);
            out[..out.len() - length].to_vec()
        };
        assert_eq!(written(0), [0x82, 0]);
        assert_eq!(written(125), [0x82, 125]);
        assert_eq!(written(126), [0x82, 126, 0, 126]);
        assert_eq!(written(65_535), [0x82, 126, 255, 255]);
        assert_eq!(written(65_536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }
}
