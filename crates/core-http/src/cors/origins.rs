//! Which origins a policy allows.

use regex::Regex;
use thiserror::Error;

/// A pattern for origins that cannot be compiled.
#[derive(Debug, Error)]
#[error("allowed_origin_regex is not supported: {0}")]
pub struct OriginFault(#[from] regex::Error);

/// Which origins may call.
#[derive(Debug)]
pub struct Origins {
    is_any: bool,
    listed: Vec<String>,
    pattern: Option<Regex>,
}

impl Origins {
    /// Listed origins, `*` among them for every one, and a pattern that has to match the whole origin.
    pub fn new(listed: Vec<String>, pattern: Option<&str>) -> Result<Self, OriginFault> {
        Ok(Self {
            is_any: listed.iter().any(|origin| origin == "*"),
            listed,
            pattern: pattern
                .map(|pattern| Regex::new(&format!(r"\A(?:{pattern})\z")))
                .transpose()?,
        })
    }

    /// Whether every origin may call.
    pub fn is_any(&self) -> bool {
        self.is_any
    }

    /// Whether this origin may call. Compared byte for byte; `null`, which is what every page without an origin of its
    /// own sends, has to be listed.
    pub fn allow(&self, origin: &str) -> bool {
        if self.listed.iter().any(|listed| listed == origin) {
            return origin != "*";
        }
        origin != "null"
            && (self.is_any
                || self
                    .pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_match(origin)))
    }
}
