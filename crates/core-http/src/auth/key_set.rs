//! JSON Web Key Sets (RFC 7517, 5).

use std::rc::Rc;

use serde_json::Value;

use super::algorithm::Algorithm;
use super::verifying_key::VerifyingKey;

/// Keys of one algorithm, by their names.
#[derive(Clone, Debug)]
pub(super) struct KeySet {
    keys: Vec<(Option<String>, Rc<VerifyingKey>)>,
}

impl KeySet {
    /// Takes the keys that fit the algorithm out of a document; `None` if it is no set of keys. Keys of other kinds
    /// are passed over, as the standard demands.
    pub(super) fn read(document: &[u8], algorithm: Algorithm) -> Option<Self> {
        let document: Value = serde_json::from_slice(document).ok()?;
        let keys = document.get("keys")?.as_array()?;
        let fitting = keys.iter().filter_map(|jwk| {
            let is_ours = jwk["alg"]
                .as_str()
                .is_none_or(|name| name == algorithm.name());
            let key = VerifyingKey::from_jwk(jwk).filter(|key| is_ours && key.fits(algorithm))?;
            Some((jwk["kid"].as_str().map(str::to_owned), Rc::new(key)))
        });
        Some(Self {
            keys: fitting.collect(),
        })
    }

    /// The keys a token may be signed with: the named one, or all for a token that names none.
    pub(super) fn find(&self, kid: Option<&str>) -> Vec<Rc<VerifyingKey>> {
        self.keys
            .iter()
            .filter(|(name, _)| kid.is_none() || name.as_deref() == kid)
            .map(|(_, key)| Rc::clone(key))
            .collect()
    }
}
