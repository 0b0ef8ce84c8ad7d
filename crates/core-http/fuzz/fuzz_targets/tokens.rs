//! Any token and any key set: nothing is believed without its signature, and what is signed is read as it was written.
#![no_main]

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core_http::auth::algorithm::Algorithm;
use core_http::auth::bearer::BearerRules;
use core_http::auth::claims::ClaimRules;
use core_http::auth::identity::Identity;
use core_http::auth::key_source::KeySource;
use core_http::auth::verifying_key::VerifyingKey;
use core_http::clock::SECOND;
use core_http::exemption::Exemptions;
use core_http::fuzzing::{check_token, keys};
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use serde_json::{Map, Value};

const SECRET: &[u8] = b"nobody else knows this text";
const NOW: u64 = 1_000_000;

fn rules() -> BearerRules {
    BearerRules {
        algorithm: Algorithm::Hs256,
        keys: KeySource::Fixed(Rc::new(VerifyingKey::from_secret(SECRET))),
        claims: ClaimRules::default(),
        exempt: Exemptions::default(),
        optional: false,
    }
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

fn claims(identity: Option<Identity>) -> Option<Map<String, Value>> {
    match identity? {
        Identity::Token { claims, .. } => Some((*claims).clone()),
        Identity::Key(_) => panic!("a token is no key"),
    }
}

/// Whether the claims of a signed token let it in, by what the documentation says of them.
fn is_good(claims: &Map<String, Value>) -> bool {
    let now = NOW as f64;
    let at = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(()),
    };
    matches!(at("exp"), Ok(Some(end)) if end > now)
        && matches!(at("nbf"), Ok(start) if start.is_none_or(|start| start <= now))
        && matches!(at("iat"), Ok(start) if start.is_none_or(|start| start <= now))
}

fuzz_target!(|data: &[u8]| {
    let rules = rules();
    let now = NOW * SECOND;
    if let Ok(text) = std::str::from_utf8(data) {
        // A signature is not to be guessed; the corpus has none by this secret.
        assert!(check_token(&rules, text, now).is_none(), "{text}");
    }

    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, payload) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let given = claims(check_token(&rules, &signed(br#"{"alg":"HS256"}"#, payload), now));
    let written = serde_json::from_slice::<Map<String, Value>>(payload).ok();
    let is_null = |claims: &Map<String, Value>| ["exp", "nbf", "iat"].iter().any(|name| claims.get(*name).is_some_and(Value::is_null));
    if written.as_ref().is_none_or(|claims| !is_null(claims)) {
        assert_eq!(given, written.filter(is_good));
    }

    let token = signed(header, br#"{"exp":2000000}"#);
    let is_ours = serde_json::from_slice::<Value>(header).is_ok_and(|header| header["alg"] == "HS256");
    assert!(is_ours || check_token(&rules, &token, now).is_none());

    for algorithm in Algorithm::ALL {
        for key in keys(data, algorithm).unwrap_or_default() {
            // Any outcome, for keys that an attacker may choose are no matter; but an outcome.
            let _ = key.verify(algorithm, b"message", header);
            assert!(!key.verify(Algorithm::Hs256, b"message", header), "a public key is no secret");
        }
    }
});
