//! Compressed request bodies, undone under a limit: a small body may stand for a very large one.

use std::io::{self, Write};

use brotli::DecompressorWriter;
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use thiserror::Error;

use crate::coding::Coding;

/// The farthest back a zstd body may refer, as a power of two (RFC 9659 allows no more).
const LARGEST_WINDOW: u32 = 23;

/// What brotli hands over at once.
const BROTLI_BUFFER: usize = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DecodeError {
    #[error("the decoded body is too large")]
    TooLarge,
    #[error("the body is not what its coding says")]
    Malformed,
}

/// The body that `coded` stands for, at most `limit` bytes.
pub(crate) fn decode(coding: Coding, coded: &[u8], limit: u64) -> Result<Bytes, DecodeError> {
    let sink = Sink {
        bytes: Vec::new(),
        left: limit,
        is_overrun: false,
    };
    match coding {
        Coding::Gzip => {
            let mut decoder = MultiGzDecoder::new(sink);
            let outcome = decoder.write_all(coded).and_then(|()| decoder.try_finish());
            let sink = std::mem::take(decoder.get_mut());
            sink.into_bytes(outcome)
        }
        Coding::Brotli => {
            let mut decoder = DecompressorWriter::new(sink, BROTLI_BUFFER);
            let outcome = decoder.write_all(coded).and_then(|()| decoder.close());
            let sink = std::mem::take(decoder.get_mut());
            sink.into_bytes(outcome)
        }
        Coding::Zstd => {
            let prepared = zstd::stream::write::Decoder::new(sink).and_then(|mut decoder| {
                decoder.window_log_max(LARGEST_WINDOW)?;
                Ok(decoder)
            });
            let Ok(mut decoder) = prepared else {
                return Err(DecodeError::Malformed);
            };
            let outcome = decoder.write_all(coded).and_then(|()| decoder.do_finish());
            let sink = std::mem::take(decoder.get_mut());
            sink.into_bytes(outcome)
        }
    }
}

/// Takes decoded bytes until there are too many.
#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    left: u64,
    is_overrun: bool,
}

impl Sink {
    fn into_bytes(self, outcome: io::Result<()>) -> Result<Bytes, DecodeError> {
        match outcome {
            _ if self.is_overrun => Err(DecodeError::TooLarge),
            Ok(()) => Ok(self.bytes.into()),
            Err(_) => Err(DecodeError::Malformed),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            self.is_overrun = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.left = left;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compression::Encoder;

    fn coded(coding: Coding, bytes: &[u8]) -> Bytes {
        Encoder::whole(coding, 5, bytes).expect("a coded body")
    }

    #[test]
    fn what_was_coded_is_decoded_up_to_the_limit() {
        let body = b"as it was ".repeat(1000);
        for coding in Coding::ALL {
            let coded = coded(coding, &body);
            assert!(coded.len() < body.len() / 10, "{coding:?}");
            assert_eq!(
                decode(coding, &coded, 10_000).as_deref(),
                Ok(&body[..]),
                "{coding:?}"
            );
            assert_eq!(
                decode(coding, &coded, 9_999),
                Err(DecodeError::TooLarge),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn a_small_body_that_stands_for_a_huge_one_is_stopped() {
        let zeros = vec![0; 50_000_000];
        for coding in Coding::ALL {
            let coded = coded(coding, &zeros);
            assert!(coded.len() < 100_000, "{coding:?}");
            assert_eq!(
                decode(coding, &coded, 1_000_000),
                Err(DecodeError::TooLarge),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn what_is_cut_or_goes_on_is_malformed() {
        for coding in Coding::ALL {
            let coded = coded(coding, b"some text, and some text");
            for length in 0..coded.len() {
                let cut = decode(coding, &coded[..length], 1000);
                assert_eq!(
                    cut,
                    Err(DecodeError::Malformed),
                    "{coding:?} cut at {length}"
                );
            }
            let longer = [&coded[..], b"more"].concat();
            assert_eq!(
                decode(coding, &longer, 1000),
                Err(DecodeError::Malformed),
                "{coding:?}"
            );
        }
    }

    #[test]
    fn a_window_that_is_too_large_is_refused() {
        // A frame header that announces a window of 2^31 bytes.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
        assert_eq!(
            decode(Coding::Zstd, &frame, 1000),
            Err(DecodeError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>, limit in 0u64..10_000) {
            for coding in Coding::ALL {
                if let Ok(decoded) = decode(coding, &bytes, limit) {
                    prop_assert!(decoded.len() as u64 <= limit);
                }
            }
        }

        #[test]
        fn any_body_comes_back(body: Vec<u8>, quality in 0u32..=11) {
            for coding in Coding::ALL {
                let coded = Encoder::whole(coding, quality, &body).expect("a coded body");
                let decoded = decode(coding, &coded, u64::MAX);
                prop_assert_eq!(decoded.as_deref(), Ok(&body[..]));
            }
        }
    }
}
