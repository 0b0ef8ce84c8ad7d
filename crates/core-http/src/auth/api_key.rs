//! API keys, out of a list or known to the application.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use http::header::{COOKIE, HeaderName};
use ring::digest::{Digest, SHA256, digest};
use subtle::{Choice, ConstantTimeEq};

use super::fault::AuthFault;
use super::identity::Principal;
use crate::exemption::Exemptions;
use crate::gate::Refused;
use crate::request::Head;
use crate::{cookie, query};

/// The application's own knowledge of keys.
pub trait KeyDirectory {
    /// The head comes back with whom the key belongs to, if to anybody, unless the look-up failed.
    fn find(&self, head: Head, key: String) -> Finding;
}

/// A look-up under way.
pub type Finding = LocalBoxFuture<'static, Result<(Head, Option<Principal>), Box<Refused>>>;

/// Keys whose fingerprints are compared, so that neither their texts nor their lengths show in the time it takes.
#[derive(Default)]
pub struct KeyList {
    prints: Vec<Digest>,
}

impl fmt::Debug for KeyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyList({})", self.prints.len())
    }
}

impl KeyList {
    pub fn new<K: AsRef<str>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self {
            prints: keys
                .into_iter()
                .map(|key| digest(&SHA256, key.as_ref().as_bytes()))
                .collect(),
        }
    }

    /// Compares with every key, also after one has been found.
    pub(super) fn holds(&self, key: &str) -> bool {
        let print = digest(&SHA256, key.as_bytes());
        let found = self.prints.iter().fold(Choice::from(0), |found, known| {
            found | known.as_ref().ct_eq(print.as_ref())
        });
        found.into()
    }
}

/// Who says whether a key is good.
pub enum Keys {
    Listed(KeyList),
    Directory(Rc<dyn KeyDirectory>),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(list) => list.fmt(f),
            Self::Directory(_) => f.write_str("Directory"),
        }
    }
}

/// Which keys are let in, and where a request carries them.
#[derive(Debug)]
pub struct ApiKeyRules {
    pub keys: Keys,
    /// As configured, for the message to whoever sent none.
    pub header_title: String,
    pub header: HeaderName,
    pub query: Option<String>,
    pub cookie: Option<String>,
    /// Good for now; their answers say that they will not be for ever.
    pub deprecated: KeyList,
    pub exempt: Exemptions,
}

impl ApiKeyRules {
    /// The key that a request carries: in the header, else in the query, else in the cookie.
    pub(super) fn key<'a>(&self, head: &'a Head) -> Option<Cow<'a, str>> {
        let in_header = || {
            let value = head.parts.headers.get(&self.header)?;
            // What is no text can be no key, but it was sent all the same.
            Some(String::from_utf8_lossy(value.as_bytes()))
        };
        let in_query = || {
            let wanted = self.query.as_deref()?;
            query::parse(head.query())
                .filter_map(Result::ok)
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        let in_cookie = || {
            let wanted = self.cookie.as_deref()?;
            let headers = head.parts.headers.get_all(COOKIE);
            headers
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(cookie::parse)
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        let is_something = |key: &Cow<'_, str>| !key.is_empty();
        in_header()
            .filter(is_something)
            .or_else(|| in_query().filter(is_something))
            .or_else(|| in_cookie().filter(is_something))
    }

    /// The refusal of a request without a key.
    pub(super) fn absent(&self) -> AuthFault {
        let mut places = vec![format!("'{}' header", self.header_title)];
        if let Some(name) = &self.query {
            places.push(format!("'{name}' query parameter"));
        }
        if let Some(name) = &self.cookie {
            places.push(format!("'{name}' cookie"));
        }
        AuthFault::NoKey {
            places: match places.as_slice() {
                [most @ .., last] if !most.is_empty() => {
                    format!("{} or {last}", most.join(", "))
                }
                _ => places.concat(),
            },
        }
    }
}
