//! The codings at work: bytes in, coded bytes out.

use std::io::{self, Write};

use brotli::CompressorWriter;
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::write::GzEncoder;

use crate::coding::Coding;

/// How far back a stream of unknown length may refer, as a power of two: it costs memory as long as the stream lives.
const STREAM_WINDOW: u32 = 18;
const LARGEST_WINDOW: u32 = 22;
const SMALLEST_WINDOW: u32 = 12;

/// What brotli hands over at once.
const BROTLI_BUFFER: usize = 4096;

/// A body under compression.
pub(crate) enum Encoder {
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    /// An encoder for a body of so many bytes, if that is known.
    pub(crate) fn new(coding: Coding, quality: u32, size: Option<u64>) -> io::Result<Self> {
        let window = size.map_or(STREAM_WINDOW, |size| {
            (size.max(1).ilog2() + 1).clamp(SMALLEST_WINDOW, LARGEST_WINDOW)
        });
        Ok(match coding {
            Coding::Zstd => {
                let level = i32::try_from(quality.max(1)).unwrap_or(1);
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level)?;
                encoder.set_pledged_src_size(size)?;
                encoder.window_log(window)?;
                Self::Zstd(Box::new(encoder))
            }
            Coding::Brotli => {
                let params = BrotliEncoderParams {
                    quality: i32::try_from(quality).unwrap_or(0),
                    lgwin: i32::try_from(window).unwrap_or(0),
                    size_hint: size.map_or(0, |size| usize::try_from(size).unwrap_or(0)),
                    ..BrotliEncoderParams::default()
                };
                let encoder = CompressorWriter::with_params(Vec::new(), BROTLI_BUFFER, &params);
                Self::Brotli(Box::new(encoder))
            }
            Coding::Gzip => {
                let level = flate2::Compression::new(quality.clamp(1, 9));
                Self::Gzip(Box::new(GzEncoder::new(Vec::new(), level)))
            }
        })
    }

    /// A whole body at once.
    pub(crate) fn whole(coding: Coding, quality: u32, bytes: &[u8]) -> io::Result<Bytes> {
        let mut encoder = Self::new(coding, quality, Some(bytes.len() as u64))?;
        encoder.writer().write_all(bytes)?;
        encoder.finish()
    }

    /// Takes in more; gives what is ready, all of it when flushing.
    pub(crate) fn push(&mut self, bytes: &[u8], flush: bool) -> io::Result<Bytes> {
        let writer = self.writer();
        writer.write_all(bytes)?;
        if flush {
            writer.flush()?;
        }
        let ready = match self {
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        };
        Ok(std::mem::take(ready).into())
    }

    /// The last of it.
    pub(crate) fn finish(self) -> io::Result<Bytes> {
        Ok(match self {
            Self::Zstd(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
            Self::Gzip(encoder) => encoder.finish()?,
        }
        .into())
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Zstd(encoder) => encoder.as_mut(),
            Self::Brotli(encoder) => encoder.as_mut(),
            Self::Gzip(encoder) => encoder.as_mut(),
        }
    }
}
