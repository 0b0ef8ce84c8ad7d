//! `multipart/form-data` (RFC 7578), read as it comes: large files go to disk, everything else is bounded.
//!
//! Ours, since the crates for it read ahead as far as the network goes, or bound neither the heads of parts nor what a
//! form keeps in memory.
//!
//! - [`parser`]: from bytes to parts, without waiting for anything
//! - [`part_head`]: the headers of a part
//! - [`gather`]: a whole form, under limits
//! - [`spool`]: a file of a form, in memory or on disk

pub mod gather;
pub mod parser;
pub mod part_head;
pub mod spool;

use std::io;

use bytes::Bytes;

pub use gather::{Part, PartRules, PartValue, Parts, of_bytes, of_inflow};
pub use parser::{Event, Parser};
pub use part_head::PartHead;
pub use spool::{Content, Upload};

use crate::error::BodyError;
use crate::problem::Problem;

/// Why a form could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MultipartError {
    #[error("{0}")]
    Malformed(&'static str),
    #[error("the header of a part is larger than {limit} bytes")]
    HeadTooLarge { limit: usize },
    #[error("the form has more than {limit} fields")]
    TooManyFields { limit: usize },
    #[error("the form has more than {limit} files")]
    TooManyFiles { limit: usize },
    #[error("a file is larger than {limit} bytes")]
    FileTooLarge { limit: u64 },
    #[error("the fields of the form are larger than {limit} bytes together")]
    TextTooLarge { limit: usize },
    #[error("the character set {0:?} is not known")]
    UnknownCharset(String),
    #[error("a field is not valid {0}")]
    Encoding(&'static str),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("a file could not be kept on disk: {0}")]
    Disk(#[from] io::Error),
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        match error {
            MultipartError::Malformed(_) => {
                Self::bad_request(format!("Invalid multipart body: {error}"))
            }
            MultipartError::HeadTooLarge { limit } => Self::bad_request(format!(
                "Part headers exceed maximum allowed size of {limit} bytes"
            )),
            MultipartError::TooManyFields { limit } => Self::payload_limit(format!(
                "Form exceeds maximum allowed number of {limit} fields"
            )),
            MultipartError::TooManyFiles { limit } => Self::payload_limit(format!(
                "Form exceeds maximum allowed number of {limit} files"
            )),
            MultipartError::FileTooLarge { limit } => {
                Self::payload_limit(format!("File too large. Maximum size is {limit} bytes"))
            }
            MultipartError::TextTooLarge { limit } => Self::payload_limit(format!(
                "Form fields exceed maximum allowed size of {limit} bytes"
            )),
            MultipartError::UnknownCharset(_) => {
                Self::bad_request("Unsupported charset in a form field")
            }
            MultipartError::Encoding(charset) => {
                Self::invalid_encoding(&format!("a form field: it is not valid {charset}"))
            }
            MultipartError::Body(error) => error.into(),
            // The log says more; a client has no part in our disks.
            MultipartError::Disk(_) => Self::internal_server_error(),
        }
    }
}

/// Text in a character set of the Encoding Standard.
pub(crate) fn decode(bytes: Bytes, charset: Option<&str>) -> Result<String, MultipartError> {
    let encoding = match charset {
        None => encoding_rs::UTF_8,
        Some(label) => encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or_else(|| MultipartError::UnknownCharset(label.chars().take(40).collect()))?,
    };
    if encoding == encoding_rs::UTF_8 {
        return String::from_utf8(bytes.into()).map_err(|_| MultipartError::Encoding("UTF-8"));
    }
    encoding
        .decode_without_bom_handling_and_without_replacement(&bytes)
        .map(std::borrow::Cow::into_owned)
        .ok_or(MultipartError::Encoding(encoding.name()))
}
