//! Who sent a request, once that is known.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

/// Whoever was let in; it travels in the extensions of the request's head.
#[derive(Clone, Debug)]
pub enum Identity {
    /// By a bearer token: its claims, and their text.
    Token {
        claims: Arc<Map<String, Value>>,
        text: Bytes,
    },
    /// By an API key.
    Key(Principal),
}

impl Identity {
    /// What can be demanded of it.
    pub(super) fn claims(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::Token { claims, .. } => Some(claims),
            Self::Key(Principal::Known { claims, .. }) => claims.as_deref(),
            Self::Key(Principal::Listed(_)) => None,
        }
    }
}

/// Whom an API key belongs to.
#[derive(Clone)]
pub enum Principal {
    /// The key itself, for one out of a list.
    Listed(Arc<str>),
    /// What the application knows.
    Known {
        value: Arc<dyn Any + Send + Sync>,
        /// The same as JSON, where it is an object.
        claims: Option<Arc<Map<String, Value>>>,
    },
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key is a secret.
        f.write_str(match self {
            Self::Listed(_) => "Listed",
            Self::Known { .. } => "Known",
        })
    }
}
