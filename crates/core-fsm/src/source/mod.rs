//! Configurations as text: YAML and JSON read into values, with the place of each.
//!
//! - `mark`: where values stand in a text
//! - `scalar`: what plain scalars mean
//! - `yaml`, `json`: the two readers
//! - `variable`: `${NAME}` in scalars
//! - `error`: what is wrong with a text, and where
mod error;
mod json;
mod mark;
mod scalar;
mod variable;
mod yaml;

pub use error::{SourceError, SourceFault};
pub use json::read_json;
pub use mark::{Mark, Position};
pub use variable::Lookup;
pub use yaml::read_yaml;

use crate::Value;

/// What was read from a text: its value, and where the parts of it stand.
#[derive(Debug)]
pub struct Source {
    pub value: Value,
    pub mark: Mark,
}

/// The longest text that is read, in bytes.
pub const MAX_SIZE: usize = 8 << 20;
/// How deep lists and mappings may be nested.
pub const MAX_DEPTH: usize = 100;
/// How many values a text may stand for, aliases counted as what they repeat.
pub const MAX_VALUES: usize = 1_000_000;

fn check_size(text: &str) -> Result<(), SourceError> {
    if text.len() > MAX_SIZE {
        return Err(SourceError::limit(
            format!(
                "the text has {} bytes, at most {MAX_SIZE} are read",
                text.len()
            ),
            Position { line: 1, column: 1 },
        ));
    }
    Ok(())
}
