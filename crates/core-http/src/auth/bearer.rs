//! Bearer tokens (RFC 6750) that are JSON Web Tokens (RFC 7519).

use std::rc::Rc;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::claims::ClaimRules;
use super::fault::AuthFault;
use super::identity::Identity;
use super::key_source::{KeySource, Known, RemoteKeys};
use super::token::Token;
use super::verifying_key::VerifyingKey;
use crate::clock::Nanos;
use crate::exemption::Exemptions;
use crate::request::Head;

/// How bearer tokens are verified.
#[derive(Debug)]
pub struct BearerRules {
    pub algorithm: Algorithm,
    pub keys: KeySource,
    pub claims: ClaimRules,
    pub exempt: Exemptions,
    /// Let requests without a token in; one with a bad token never.
    pub optional: bool,
}

/// What the `Authorization` header holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent<'a> {
    Nothing,
    /// Credentials of another kind, or none that can be read.
    Other,
    Token(&'a str),
}

pub(super) fn sent(head: &Head) -> Sent<'_> {
    let mut values = head.parts.headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Sent::Nothing;
    };
    // Two headers: whoever stands before us may have looked at the other one.
    if values.next().is_some() {
        return Sent::Other;
    }
    match value.to_str().ok().and_then(|text| text.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Sent::Token(token.trim_matches(' '))
        }
        _ => Sent::Other,
    }
}

/// The outcome of a check.
pub(super) enum Checked {
    Now(Result<Identity, AuthFault>),
    /// The key has to be asked for.
    Ask(Rc<RemoteKeys>),
}

impl BearerRules {
    /// Checks a token with the keys that are known.
    pub(super) fn check(&self, text: &str, now: Nanos) -> Checked {
        let token = match Token::read(text, self.algorithm) {
            Ok(token) => token,
            Err(fault) => return Checked::Now(Err(fault)),
        };
        let keys = match &self.keys {
            KeySource::Fixed(key) => return Checked::Now(self.verify(&token, &[key], now)),
            KeySource::Remote(source) => match source.known(token.kid.as_deref()) {
                Known::Keys(keys) => keys,
                Known::Unknown => return Checked::Ask(Rc::clone(source)),
            },
        };
        let keys: Vec<_> = keys.iter().collect();
        Checked::Now(self.verify(&token, &keys, now))
    }

    /// Checks a token after asking for its key.
    pub(super) async fn check_later(
        &self,
        source: &RemoteKeys,
        text: &str,
        now: Nanos,
    ) -> Result<Identity, AuthFault> {
        let token = Token::read(text, self.algorithm)?;
        let keys = source
            .ask(token.kid.as_deref())
            .await
            .ok_or(AuthFault::NoVerifyingKeys)?;
        let keys: Vec<_> = keys.iter().collect();
        self.verify(&token, &keys, now)
    }

    fn verify(
        &self,
        token: &Token<'_>,
        keys: &[&Rc<VerifyingKey>],
        now: Nanos,
    ) -> Result<Identity, AuthFault> {
        let is_signed = keys
            .iter()
            .any(|key| key.verify(self.algorithm, token.message.as_bytes(), &token.signature));
        if !is_signed {
            return Err(AuthFault::BadSignature);
        }
        let text = token.claims()?;
        let claims: Map<String, Value> =
            serde_json::from_slice(&text).map_err(|_| AuthFault::BadSignature)?;
        self.claims.check(&claims, now)?;
        Ok(Identity::Token {
            claims: Arc::new(claims),
            text: text.into(),
        })
    }
}
