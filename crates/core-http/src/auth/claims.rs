//! What a token must say about itself.

use serde_json::{Map, Value};

use super::fault::AuthFault;
use crate::clock::{Nanos, SECOND};

/// What is demanded of a token whose signature is good.
#[derive(Clone, Debug, Default)]
pub struct ClaimRules {
    /// One of these must be among the token's.
    pub audience: Option<Vec<String>>,
    pub issuer: Option<String>,
    /// Seconds by which clocks may differ.
    pub leeway: f64,
    pub required: Vec<String>,
}

impl ClaimRules {
    /// In the order of the documentation: the first fault counts.
    pub(super) fn check(&self, claims: &Map<String, Value>, now: Nanos) -> Result<(), AuthFault> {
        let now = now as f64 / SECOND as f64;
        let expiry = number(claims, "exp")?.ok_or(AuthFault::NoExpiry)?;
        if expiry + self.leeway <= now {
            return Err(AuthFault::Expired);
        }
        if number(claims, "nbf")?.is_some_and(|start| start - self.leeway > now) {
            return Err(AuthFault::NotYetValid);
        }
        if number(claims, "iat")?.is_some_and(|issued| issued - self.leeway > now) {
            return Err(AuthFault::IssuedInFuture);
        }
        if let Some(expected) = &self.issuer
            && claims.get("iss").and_then(Value::as_str) != Some(expected)
        {
            return Err(AuthFault::WrongIssuer {
                expected: expected.clone(),
            });
        }
        if let Some(audience) = &self.audience
            && !has_audience(claims.get("aud"), audience)
        {
            return Err(AuthFault::WrongAudience);
        }
        let names: Vec<String> = self
            .required
            .iter()
            .filter(|name| claims.get(name.as_str()).is_none_or(Value::is_null))
            .cloned()
            .collect();
        if names.is_empty() {
            Ok(())
        } else {
            Err(AuthFault::MissingClaims { names })
        }
    }
}

/// Any JSON number, since tokens of the year 82270 are in use. `None` if it is absent.
fn number(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<f64>, AuthFault> {
    match claims.get(claim) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(number) => Ok(Some(number)),
            None => Err(AuthFault::NotNumber { claim }),
        },
    }
}

fn has_audience(claim: Option<&Value>, wanted: &[String]) -> bool {
    let is_wanted = |value: &Value| {
        value
            .as_str()
            .is_some_and(|name| wanted.iter().any(|one| one == name))
    };
    match claim {
        Some(Value::Array(names)) => names.iter().any(is_wanted),
        Some(name) => is_wanted(name),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: f64 = 1_700_000_000.0;

    fn check(rules: &ClaimRules, claims: Value) -> Result<(), AuthFault> {
        let Value::Object(claims) = claims else {
            panic!("claims are an object")
        };
        rules.check(&claims, NOW as u64 * SECOND)
    }

    #[test]
    fn times() {
        let strict = ClaimRules::default();
        let lenient = ClaimRules {
            leeway: 10.0,
            ..ClaimRules::default()
        };
        let expired = Err(AuthFault::Expired);
        let early = Err(AuthFault::NotYetValid);
        let future = Err(AuthFault::IssuedInFuture);
        for (rules, claims, expected) in [
            (&strict, json!({"exp": NOW + 1.0}), Ok(())),
            (&strict, json!({"exp": NOW + 0.5}), Ok(())),
            (&strict, json!({"exp": NOW as u64 + 1}), Ok(())),
            (&strict, json!({"exp": 1e300}), Ok(())),
            (&strict, json!({"exp": 2_534_023_007_999_u64}), Ok(())),
            (&strict, json!({"exp": u64::MAX}), Ok(())),
            (&strict, json!({"exp": NOW}), expired.clone()),
            (&strict, json!({"exp": -5}), expired.clone()),
            (&strict, json!({"exp": 0}), expired.clone()),
            (&lenient, json!({"exp": NOW - 9.0}), Ok(())),
            (&lenient, json!({"exp": NOW - 10.0}), expired),
            (&strict, json!({}), Err(AuthFault::NoExpiry)),
            (
                &strict,
                json!({"exp": "1e9"}),
                Err(AuthFault::NotNumber { claim: "exp" }),
            ),
            (
                &strict,
                json!({"exp": null}),
                Err(AuthFault::NotNumber { claim: "exp" }),
            ),
            (&strict, json!({"exp": 9e9, "nbf": NOW}), Ok(())),
            (
                &strict,
                json!({"exp": 9e9, "nbf": NOW + 0.5}),
                early.clone(),
            ),
            (&lenient, json!({"exp": 9e9, "nbf": NOW + 10.0}), Ok(())),
            (&lenient, json!({"exp": 9e9, "nbf": NOW + 11.0}), early),
            (
                &strict,
                json!({"exp": 9e9, "nbf": true}),
                Err(AuthFault::NotNumber { claim: "nbf" }),
            ),
            (&strict, json!({"exp": 9e9, "iat": NOW}), Ok(())),
            (
                &strict,
                json!({"exp": 9e9, "iat": NOW + 1.0}),
                future.clone(),
            ),
            (&lenient, json!({"exp": 9e9, "iat": NOW + 10.0}), Ok(())),
            (&lenient, json!({"exp": 9e9, "iat": NOW + 11.0}), future),
        ] {
            assert_eq!(check(rules, claims.clone()), expected, "{claims}");
        }
    }

    #[test]
    fn issuer_and_audience() {
        let rules = ClaimRules {
            issuer: Some("me".to_owned()),
            audience: Some(vec!["a".to_owned(), "b".to_owned()]),
            ..ClaimRules::default()
        };
        let issuer = Err(AuthFault::WrongIssuer {
            expected: "me".to_owned(),
        });
        for (iss, aud, expected) in [
            (json!("me"), json!("a"), Ok(())),
            (json!("me"), json!(["x", "b"]), Ok(())),
            (json!("me"), json!(["x"]), Err(AuthFault::WrongAudience)),
            (json!("me"), json!([]), Err(AuthFault::WrongAudience)),
            (json!("me"), json!(null), Err(AuthFault::WrongAudience)),
            (json!("me"), json!({"a": 1}), Err(AuthFault::WrongAudience)),
            (json!("you"), json!("x"), issuer.clone()),
            (json!(["me"]), json!("a"), issuer.clone()),
            (json!(null), json!("a"), issuer),
        ] {
            let claims = json!({"exp": 9e9, "iss": iss, "aud": aud});
            assert_eq!(check(&rules, claims.clone()), expected, "{claims}");
        }
        assert_eq!(
            check(&rules, json!({"exp": 9e9, "iss": "me"})),
            Err(AuthFault::WrongAudience)
        );
        // What is not configured is not looked at.
        let open = json!({"exp": 9e9, "iss": "you", "aud": "x"});
        assert_eq!(check(&ClaimRules::default(), open), Ok(()));
    }

    #[test]
    fn required_claims() {
        let rules = ClaimRules {
            required: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            ..ClaimRules::default()
        };
        let detail = |claims: Value| check(&rules, claims).unwrap_err().problem();
        assert_eq!(
            detail(json!({"exp": 9e9, "c": 0})).detail(),
            Some("Required claims 'a' and 'b' missing from JWT")
        );
        assert_eq!(
            detail(json!({"exp": 9e9, "b": null})).detail(),
            Some("Required claims 'a', 'b' and 'c' missing from JWT")
        );
        let one = detail(json!({"exp": 9e9, "a": false, "b": ""}));
        assert_eq!(one.detail(), Some("Required claim 'c' missing from JWT"));
        assert_eq!(one.status().as_u16(), 403);
    }

    #[test]
    fn the_first_fault_counts() {
        let rules = ClaimRules {
            issuer: Some("me".to_owned()),
            audience: Some(vec!["a".to_owned()]),
            required: vec!["x".to_owned()],
            ..ClaimRules::default()
        };
        let mut claims = json!({"exp": 0, "nbf": 9e9, "iat": 9e9, "iss": "", "aud": ""});
        for (fixed, value, fault) in [
            ("exp", json!(9e9), AuthFault::Expired),
            ("nbf", json!(0), AuthFault::NotYetValid),
            ("iat", json!(0), AuthFault::IssuedInFuture),
            (
                "iss",
                json!("me"),
                AuthFault::WrongIssuer {
                    expected: "me".to_owned(),
                },
            ),
            ("aud", json!("a"), AuthFault::WrongAudience),
            (
                "x",
                json!(1),
                AuthFault::MissingClaims {
                    names: vec!["x".to_owned()],
                },
            ),
        ] {
            assert_eq!(check(&rules, claims.clone()), Err(fault));
            claims[fixed] = value;
        }
        assert_eq!(check(&rules, claims), Ok(()));
    }
}
