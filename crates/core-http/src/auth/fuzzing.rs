//! Doors for the fuzz targets.

use std::rc::Rc;

use super::algorithm::Algorithm;
use super::bearer::{BearerRules, Checked};
use super::identity::Identity;
use super::key_set::KeySet;
use super::verifying_key::VerifyingKey;
use crate::clock::Nanos;

/// Whom a token makes known; none if it is refused, or if its key would have to be fetched.
pub fn check_token(rules: &BearerRules, token: &str, now: Nanos) -> Option<Identity> {
    match rules.check(token, now) {
        Checked::Now(outcome) => outcome.ok(),
        Checked::Ask(_) => None,
    }
}

/// The keys of a key set that fit an algorithm; none if the document is no key set.
pub fn keys(document: &[u8], algorithm: Algorithm) -> Option<Vec<Rc<VerifyingKey>>> {
    KeySet::read(document, algorithm).map(|set| set.find(None))
}
