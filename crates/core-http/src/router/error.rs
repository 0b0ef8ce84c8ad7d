//! Why a route cannot be registered.

use http::Method;
use thiserror::Error;

use super::{Converter, RouteId};

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RouteError {
    /// Another route answers the same method on the same paths; `Router::value(existing)` is its value.
    #[error("{method} {pattern} is already taken by {existing_pattern}")]
    Conflict {
        method: Method,
        pattern: String,
        existing_pattern: String,
        existing: RouteId,
    },
    #[error(
        "unknown converter '{converter}' in '{pattern}'; known are {}",
        Converter::ALL.map(Converter::name).join(", ")
    )]
    UnknownConverter { pattern: String, converter: String },
    #[error("bad path pattern '{pattern}': {fault}")]
    BadPattern {
        pattern: String,
        fault: PatternFault,
    },
}

impl RouteError {
    /// A name that stays the same between releases.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "route_conflict",
            Self::UnknownConverter { .. } => "unknown_converter",
            Self::BadPattern { .. } => "bad_pattern",
        }
    }
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternFault {
    #[error("it must start with '/'")]
    NoLeadingSlash,
    #[error("a '{{' is not closed in its segment")]
    UnclosedBrace,
    #[error("a '}}' closes nothing")]
    UnopenedBrace,
    #[error("a parameter has no name")]
    EmptyName,
    #[error("'{name}' cannot be a parameter's name")]
    IllegalName { name: String },
    #[error("parameter '{name}' occurs twice")]
    DuplicateName { name: String },
    #[error("'{segment}' mixes text and a parameter; a parameter is a whole segment")]
    MixedSegment { segment: String },
    #[error("path parameter '{name}' must come last")]
    PathNotLast { name: String },
    #[error("'{segment}' holds percent-encoding that no request can match")]
    BadEncoding { segment: String },
}
