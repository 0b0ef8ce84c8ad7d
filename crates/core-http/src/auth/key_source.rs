//! Where verifying keys come from: the configuration, or a key set that is fetched and now and then fetched again.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::algorithm::Algorithm;
use super::fetch::{self, Location};
use super::key_set::KeySet;
use super::verifying_key::VerifyingKey;
use crate::clock::{Clock, Nanos, SECOND};

/// Between two attempts to learn of a key that is not known.
const REFRESH: Nanos = 60 * SECOND;
/// Between two attempts while there is no key at all.
const RETRY: Nanos = 5 * SECOND;
/// A set that is older is fetched again beside the requests, so that withdrawn keys go.
const LIFETIME: Nanos = 3600 * SECOND;

/// Writes a line to the log.
pub type Warn = Rc<dyn Fn(&str)>;

/// The key of a token, as far as is known without waiting.
pub(super) enum Known {
    /// These; one of them must fit.
    Keys(Vec<Rc<VerifyingKey>>),
    /// Somebody has to ask.
    Unknown,
}

/// Where verifying keys come from.
#[derive(Debug)]
pub enum KeySource {
    Fixed(Rc<VerifyingKey>),
    Remote(Rc<RemoteKeys>),
}

/// A key set somewhere else.
pub struct RemoteKeys {
    location: Location,
    algorithm: Algorithm,
    keys: RefCell<Option<KeySet>>,
    fetched: Cell<Option<Nanos>>,
    tried: Cell<Option<Nanos>>,
    /// One request fetches, the others wait for it.
    flight: Mutex<()>,
    clock: Arc<Clock>,
    warn: Warn,
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeys")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

impl RemoteKeys {
    /// Nothing is fetched yet.
    pub fn new(
        location: Location,
        algorithm: Algorithm,
        clock: Arc<Clock>,
        warn: Warn,
    ) -> Rc<Self> {
        Rc::new(Self {
            location,
            algorithm,
            keys: RefCell::new(None),
            fetched: Cell::new(None),
            tried: Cell::new(None),
            flight: Mutex::new(()),
            clock,
            warn,
        })
    }

    /// The keys as they are known.
    pub(super) fn known(self: &Rc<Self>, kid: Option<&str>) -> Known {
        let keys = self.find(kid);
        if keys.is_empty() {
            return Known::Unknown;
        }
        if self.is_over(self.fetched.get(), LIFETIME) && self.is_over(self.tried.get(), REFRESH) {
            self.tried.set(Some(self.clock.now()));
            let source = Rc::clone(self);
            tokio::task::spawn_local(async move { source.fetch().await });
        }
        Known::Keys(keys)
    }

    /// The keys after asking for them, if it is time to; `None` if there have never been any.
    pub(super) async fn ask(&self, kid: Option<&str>) -> Option<Vec<Rc<VerifyingKey>>> {
        let _flight = self.flight.lock().await;
        let keys = self.find(kid);
        if !keys.is_empty() {
            return Some(keys);
        }
        let pause = if self.keys.borrow().is_some() {
            REFRESH
        } else {
            RETRY
        };
        if self.is_over(self.tried.get(), pause) {
            self.tried.set(Some(self.clock.now()));
            self.fetch().await;
        }
        self.keys.borrow().as_ref().map(|keys| keys.find(kid))
    }

    fn find(&self, kid: Option<&str>) -> Vec<Rc<VerifyingKey>> {
        self.keys
            .borrow()
            .as_ref()
            .map_or_else(Vec::new, |keys| keys.find(kid))
    }

    /// A clock that was set back makes no difference: it is the distance that counts.
    fn is_over(&self, since: Option<Nanos>, time: Nanos) -> bool {
        since.is_none_or(|since| self.clock.now().abs_diff(since) >= time)
    }

    async fn fetch(&self) {
        let document = match fetch::document(&self.location).await {
            Ok(document) => document,
            Err(fault) => {
                (self.warn)(&format!(
                    "the keys of tokens cannot be fetched from {}: {fault}",
                    self.location
                ));
                return;
            }
        };
        match KeySet::read(&document, self.algorithm) {
            Some(keys) => {
                *self.keys.borrow_mut() = Some(keys);
                self.fetched.set(Some(self.clock.now()));
            }
            None => (self.warn)(&format!("{} holds no JSON Web Key Set", self.location)),
        }
    }
}
