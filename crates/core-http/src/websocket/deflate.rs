//! permessage-deflate (RFC 7692) without contexts: nothing is kept from one message to the next, so that the sockets of a
//! thread share one compressor and one window instead of holding hundreds of kilobytes each.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::close::Violation;

/// What a compressed message ends with, which is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Smaller messages gain too little.
const WORTHWHILE: usize = 256;

/// What we answer to an offer that suits us.
pub(crate) const AGREED: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

struct Codec {
    compress: Compress,
    decompress: Decompress,
}

thread_local! {
    static CODEC: RefCell<Codec> = RefCell::new(Codec {
        compress: new_compressor(),
        decompress: Decompress::new(false),
    });
}

/// Inflates a message to at most `limit` bytes.
pub(crate) fn inflate(payload: &[u8], limit: usize) -> Result<Bytes, Violation> {
    CODEC.with_borrow_mut(|codec| {
        let decompress = &mut codec.decompress;
        decompress.reset(false);
        let mut out = Vec::with_capacity(payload.len().saturating_mul(4).clamp(64, limit.max(64)));
        for part in [payload, &TAIL] {
            feed(decompress, part, &mut out, limit)?;
        }
        Ok(out.into())
    })
}

fn feed(
    decompress: &mut Decompress,
    mut input: &[u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), Violation> {
    loop {
        if out.len() == out.capacity() {
            out.reserve(out.len().clamp(64, 64 * 1024));
        }
        let (before, length) = (decompress.total_in(), out.len());
        let status = decompress
            .decompress_vec(input, out, FlushDecompress::Sync)
            .map_err(|_| Violation::data("the message cannot be inflated"))?;
        let taken = (decompress.total_in() - before) as usize;
        input = &input[taken..];
        if out.len() > limit {
            return Err(Violation::TOO_BIG);
        }
        let is_stuck = taken == 0 && out.len() == length;
        if status == Status::StreamEnd {
            // A final block; what follows begins anew (RFC 7692, 7.2.3.4).
            decompress.reset(false);
            if input.is_empty() {
                return Ok(());
            }
        } else if (input.is_empty() && out.len() < out.capacity()) || is_stuck {
            return Ok(());
        }
    }
}

/// The message compressed; none where that gains nothing.
pub(crate) fn deflate(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() < WORTHWHILE {
        return None;
    }
    CODEC.with_borrow_mut(|codec| {
        let compress = &mut codec.compress;
        compress.reset();
        // Room for the worst, in which every byte takes nine bits: the reset of a compressor that stopped for want of
        // room leaves some of the old message behind (zlib-rs 0.6).
        let mut out = Vec::with_capacity(payload.len() + payload.len() / 8 + 64);
        let written = compress.compress_vec(payload, &mut out, FlushCompress::Sync);
        let is_whole = written.is_ok()
            && compress.total_in() == payload.len() as u64
            && out.len() < out.capacity();
        if !is_whole {
            *compress = new_compressor();
            return None;
        }
        if !out.ends_with(&TAIL) || out.len() - TAIL.len() >= payload.len() {
            return None;
        }
        out.truncate(out.len() - TAIL.len());
        Some(out)
    })
}

fn new_compressor() -> Compress {
    Compress::new(Compression::fast(), false)
}

/// Whether one of the offers suits us.
pub(crate) fn agrees(offers: &str) -> bool {
    offers.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("permessage-deflate"))
            && suits(parts)
    })
}

fn suits<'a>(parameters: impl Iterator<Item = &'a str>) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    for parameter in parameters {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return false;
        }
        seen.push(name);
        let bits = value.map(str::parse::<u8>);
        let fits = match name {
            "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
            // Any window of the client's can be inflated; ours is always the largest.
            "client_max_window_bits" => value.is_none() || matches!(bits, Some(Ok(8..=15))),
            "server_max_window_bits" => matches!(bits, Some(Ok(15))),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::close::{INVALID_DATA, TOO_BIG};

    #[test]
    fn there_and_back() {
        for length in [256, 1000, 70_000, 500_000] {
            let text: Vec<u8> = b"tea and more tea; "
                .iter()
                .copied()
                .cycle()
                .take(length)
                .collect();
            let small = deflate(&text).expect("repetitive text shrinks");
            assert!(small.len() < length / 4);
            assert_eq!(inflate(&small, length).as_deref(), Ok(text.as_slice()));
            assert_eq!(
                inflate(&small, length - 1).map_err(|fault| fault.code),
                Err(TOO_BIG)
            );
        }
    }

    #[test]
    fn what_does_not_shrink_stays() {
        assert_eq!(deflate(b"short"), None);
        let mut state = 1u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as u8
        })
        .take(1000)
        .collect();
        assert_eq!(deflate(&noise), None);
    }

    #[test]
    fn what_does_not_shrink_leaves_nothing_behind() {
        let mut state = 1u64;
        let mut noise = |length: usize| -> Vec<u8> {
            let next = || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            };
            std::iter::repeat_with(next).take(length).collect()
        };
        for round in 0..2000 {
            assert_eq!(deflate(&noise(256 + round % 700)), None);
            let text = noise(97).repeat(5);
            let small = deflate(&text).expect("repetitive text shrinks");
            assert_eq!(
                inflate(&small, text.len()).as_deref(),
                Ok(text.as_slice()),
                "in round {round}"
            );
        }
    }

    #[test]
    fn examples_of_the_specification() {
        // RFC 7692, 7.2.3: one block, stored, final, two blocks, and none at all.
        for (compressed, plain) in [
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], "Hello"),
            (
                &[
                    0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
                ],
                "Hello",
            ),
            (&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], "Hello"),
            (
                &[
                    0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
                ],
                "Hello",
            ),
            (&[0x00], ""),
        ] {
            assert_eq!(
                inflate(compressed, 100).as_deref(),
                Ok(plain.as_bytes()),
                "{compressed:x?}"
            );
        }
        assert_eq!(
            inflate(&[0xff; 8], 100).map_err(|fault| fault.code),
            Err(INVALID_DATA)
        );
    }

    #[test]
    fn offers() {
        for good in [
            "permessage-deflate",
            "Permessage-Deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=9; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=\"15\"",
            "x-other, permessage-deflate; server_max_window_bits=9, permessage-deflate",
        ] {
            assert!(agrees(good), "{good}");
        }
        for bad in [
            "",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=9",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; a; b",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        ] {
            assert!(!agrees(bad), "{bad}");
        }
    }
}
