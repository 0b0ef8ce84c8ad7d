//! The two ways this crate says no before any value is judged: a schema that cannot be compiled, bytes that are not JSON.

use serde_json::{Map, Value};

use crate::fault::{Fault, FaultKind, Loc};

/// A schema document that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON Schema at '{pointer}': {message}")]
pub struct SchemaError {
    /// JSON pointer into the schema document; empty for its root.
    pub pointer: String,
    /// What is wrong there, for the developer.
    pub message: String,
}

impl SchemaError {
    pub(crate) fn new(pointer: &str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            message: message.into(),
        }
    }
}

/// Bytes that are not a JSON document within the limits. Offsets count from the first byte received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not the grammar of JSON, or something after its end.
    #[error("{message} at byte {offset}")]
    Syntax {
        offset: usize,
        message: &'static str,
    },
    /// More arrays and objects inside each other than allowed.
    #[error("Request body exceeds maximum nesting depth of {limit}")]
    Depth { limit: usize },
    /// A key came twice in one object, with `strict_keys`.
    #[error("duplicate key '{key}' at byte {offset}")]
    DuplicateKey { offset: usize, key: String },
    /// Not UTF-8.
    #[error("invalid UTF-8 at byte {offset}")]
    Encoding { offset: usize },
}

impl JsonFault {
    /// A stable name of the case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "syntax",
            Self::Depth { .. } => "depth",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::Encoding { .. } => "encoding",
        }
    }

    /// Where it was noticed; 0 for the depth, which has no one place.
    pub fn offset(&self) -> usize {
        match self {
            Self::Syntax { offset, .. }
            | Self::DuplicateKey { offset, .. }
            | Self::Encoding { offset } => *offset,
            Self::Depth { .. } => 0,
        }
    }

    /// The `errors` member of the 400 answer: `json_invalid` at the offset.
    pub fn to_fault(&self) -> Fault {
        let mut ctx = Map::new();
        ctx.insert("error".into(), Value::String(self.to_string()));
        Fault {
            kind: FaultKind::JsonInvalid,
            loc: vec![Loc::Key("body".into()), Loc::Offset(self.offset())],
            msg: format!("Invalid JSON: {self}"),
            input: None,
            ctx,
            pointer: None,
        }
    }
}
