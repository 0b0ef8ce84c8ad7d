//! Headers that tell browsers to be careful, on every answer.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers that answers get unless they have them.
#[derive(Clone, Debug, Default)]
pub struct SecurityHeaders {
    pub always: Vec<(HeaderName, HeaderValue)>,
    /// Only on encrypted connections: browsers ignore them elsewhere, and a proxy may not.
    pub encrypted: Vec<(HeaderName, HeaderValue)>,
}

impl SecurityHeaders {
    pub(crate) fn add(&self, headers: &mut HeaderMap, is_secure: bool) {
        let encrypted = if is_secure {
            self.encrypted.as_slice()
        } else {
            &[]
        };
        for (name, value) in self.always.iter().chain(encrypted) {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
}
