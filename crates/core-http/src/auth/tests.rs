use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use ring::hmac;
use serde_json::{Value, json};

use super::algorithm::Algorithm;
use super::api_key::{Finding, KeyDirectory, KeyList};
use super::claims::ClaimRules;
use super::key_source::KeySource;
use super::requirement::Demand;
use super::verifying_key::VerifyingKey;
use super::*;
use crate::body::Body;
use crate::clock::SECOND;
use crate::exemption::Exemptions;
use crate::request::Origin;
use crate::response::Response;
use crate::router::Params;

const SECRET: &str = "not a secret";
const NOW: u64 = 1_700_000_000;

fn token_of(header: &Value, claims: &[u8], secret: &str) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims)
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", encode(signature.as_ref()))
}

fn token(claims: &Value) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    token_of(&header, claims.to_string().as_bytes(), SECRET)
}

fn bearer() -> BearerRules {
    BearerRules {
        algorithm: Algorithm::Hs256,
        keys: KeySource::Fixed(Rc::new(VerifyingKey::from_secret(SECRET.as_bytes()))),
        claims: ClaimRules::default(),
        exempt: Exemptions::new(["/open"]),
        optional: false,
    }
}

fn api_key() -> ApiKeyRules {
    ApiKeyRules {
        keys: Keys::Listed(KeyList::new(["k1", "k2"])),
        header_title: "X-API-Key".to_owned(),
        header: HeaderName::from_static("x-api-key"),
        query: Some("api_key".to_owned()),
        cookie: None,
        deprecated: KeyList::new(["old"]),
        exempt: Exemptions::new(["/free"]),
    }
}

fn gate(
    bearer: Option<BearerRules>,
    api_key: Option<ApiKeyRules>,
    requirement: Option<Requirement>,
) -> Authentication {
    let clock = Clock::new();
    clock.hold(NOW * SECOND);
    Authentication::new(Admission {
        bearer: bearer.map(Rc::new),
        api_key: api_key.map(Rc::new),
        requirement: requirement.map(Rc::new),
        clock: Arc::new(clock),
        problem_base_url: "https://spikard.dev/errors/".into(),
    })
}

fn head(target: &str, headers: &[(&str, &str)]) -> Head {
    let mut request = http::Request::builder().uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    Head {
        parts,
        origin: Arc::new(Origin::default()),
        params: Params::default(),
        id: None,
    }
}

/// Whoever was let in, or the answer.
fn pass(gate: &Authentication, head: Head) -> Result<Option<Identity>, Box<Response>> {
    let trail = Rc::default();
    let outcome = match gate.pass(head, &trail) {
        Passing::On(head) => Ok(head),
        Passing::Stop(refused) => Err(refused),
        Passing::Later(later) => later.now_or_never().expect("nothing to wait for"),
    };
    outcome
        .map(|head| head.parts.extensions.get::<Identity>().cloned())
        .map_err(|refused| Box::new(trail.apply(refused.response)))
}

fn problem(response: Response) -> Value {
    match response.into_body() {
        Body::Full(body) => serde_json::from_slice(&body).unwrap(),
        _ => panic!("a problem has a body"),
    }
}

/// Status, title and detail.
fn refusal(gate: &Authentication, head: Head) -> (u64, String, String) {
    let response = pass(gate, head).expect_err("it is refused");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert!(response.headers().contains_key(WWW_AUTHENTICATE));
    let document = problem(*response);
    (
        document["status"].as_u64().unwrap(),
        document["title"].as_str().unwrap().to_owned(),
        document["detail"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn a_good_token() {
    let gate = gate(Some(bearer()), None, None);
    let text = token(&json!({"sub": "u", "exp": NOW + 1}));
    for scheme in ["Bearer", "bearer", "BEARER "] {
        let head = head("/", &[("authorization", &format!("{scheme} {text}"))]);
        match pass(&gate, head) {
            Ok(Some(Identity::Token { claims, text })) => {
                assert_eq!(claims["sub"], "u");
                assert_eq!(
                    text,
                    Bytes::from(format!("{{\"sub\":\"u\",\"exp\":{}}}", NOW + 1))
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn faults_of_tokens() {
    let gate = gate(Some(bearer()), None, None);
    let good = json!({"exp": NOW + 1});
    let text = token(&good);
    let (message, signature) = text.rsplit_once('.').unwrap();
    let alg = |name: &str| token_of(&json!({"alg": name}), good.to_string().as_bytes(), SECRET);
    let failed = |detail: &str| (401, "JWT validation failed".to_owned(), detail.to_owned());
    let malformed = |parts: u64| {
        (
            401,
            "Malformed JWT token".to_owned(),
            format!("Malformed JWT token: expected 3 parts separated by dots, found {parts}"),
        )
    };
    let no_bearer = (
        401,
        "Invalid Authorization header format".to_owned(),
        "Authorization header must use Bearer scheme: 'Bearer <token>'".to_owned(),
    );
    let bad = failed("Token signature is invalid");
    for (header, expected) in [
        ("Basic dTpw".to_owned(), no_bearer.clone()),
        ("Bearer".to_owned(), no_bearer.clone()),
        (format!("Token {text}"), no_bearer.clone()),
        (text.clone(), no_bearer),
        ("Bearer abc".to_owned(), malformed(1)),
        ("Bearer a.b".to_owned(), malformed(2)),
        (format!("Bearer {text}.d"), malformed(4)),
        ("Bearer ..".to_owned(), bad.clone()),
        ("Bearer a.b.c".to_owned(), bad.clone()),
        (format!("Bearer {message}."), bad.clone()),
        (format!("Bearer {message}.{signature}A"), bad.clone()),
        (format!("Bearer {message}.{signature}=="), bad.clone()),
        (format!("Bearer {}", alg("none")), bad.clone()),
        (format!("Bearer {}", alg("None")), bad.clone()),
        (format!("Bearer {}", alg("HS512")), bad.clone()),
        (format!("Bearer {}", alg("RS256")), bad.clone()),
        (
            format!(
                "Bearer {}",
                token_of(&json!({"alg": "HS256"}), b"{}", "other")
            ),
            bad.clone(),
        ),
        (
            format!("Bearer {}", token_of(&json!({"typ": "JWT"}), b"{}", SECRET)),
            bad.clone(),
        ),
        (
            format!(
                "Bearer {}",
                token_of(&json!({"alg": "HS256", "crit": ["b64"]}), b"{}", SECRET)
            ),
            bad.clone(),
        ),
        (
            format!(
                "Bearer {}",
                token_of(&json!({"alg": "HS256"}), b"[1]", SECRET)
            ),
            bad.clone(),
        ),
        (
            format!(
                "Bearer {}",
                token_of(&json!({"alg": "HS256"}), b"{\"exp\":", SECRET)
            ),
            bad,
        ),
        (
            format!("Bearer {}", token(&json!({"exp": NOW}))),
            failed("Token has expired"),
        ),
        (
            format!("Bearer {}", token(&json!({}))),
            failed("Token has no expiration time"),
        ),
    ] {
        let outcome = refusal(&gate, head("/", &[("authorization", &header)]));
        assert_eq!(outcome, expected, "{header}");
    }
    let nothing = refusal(&gate, head("/", &[]));
    assert_eq!(
        nothing,
        (
            401,
            "Missing or invalid Authorization header".to_owned(),
            "Expected 'Authorization: Bearer <token>'".to_owned()
        )
    );
    let header = format!("Bearer {text}");
    let twice = [("authorization", header.as_str()), ("authorization", "x")];
    assert_eq!(refusal(&gate, head("/", &twice)).0, 401);
}

#[test]
fn challenges() {
    let gate = gate(Some(bearer()), None, None);
    let challenge = |headers: &[(&str, &str)]| {
        let response = pass(&gate, head("/", headers)).unwrap_err();
        response.headers()[WWW_AUTHENTICATE]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(challenge(&[]), "Bearer realm=\"api\"");
    let expired = format!("Bearer {}", token(&json!({"exp": 1})));
    assert_eq!(
        challenge(&[("authorization", &expired)]),
        "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"Token has expired\""
    );
}

#[test]
fn a_challenge_holds_only_what_may_stand_there() {
    let odd = BearerRules {
        claims: ClaimRules {
            issuer: Some("a\"b\\c\né".to_owned()),
            ..ClaimRules::default()
        },
        ..bearer()
    };
    let gate = gate(Some(odd), None, None);
    let header = format!("Bearer {}", token(&json!({"exp": 9e9})));
    let response = pass(&gate, head("/", &[("authorization", &header)])).unwrap_err();
    assert_eq!(
        response.headers()[WWW_AUTHENTICATE],
        "Bearer realm=\"api\", error=\"invalid_token\", \
         error_description=\"Token issuer is invalid, expected 'a'b'c??'\""
    );
}

#[test]
fn keys_and_their_places() {
    let rules = ApiKeyRules {
        cookie: Some("key".to_owned()),
        ..api_key()
    };
    let gate = gate(None, Some(rules), None);
    for (target, headers, is_good) in [
        ("/", &[("x-api-key", "k1")][..], true),
        ("/", &[("X-Api-Key", "k2")], true),
        ("/", &[("x-api-key", "k3")], false),
        ("/", &[("x-api-key", "K1")], false),
        ("/", &[("x-api-key", "k1k")], false),
        ("/?api_key=k1", &[], true),
        ("/?a=b&api_key=%6B1", &[], true),
        ("/?api_key=k", &[], false),
        ("/", &[("cookie", "a=b; key=k2")], true),
        // The header decides, then the query.
        ("/?api_key=k1", &[("x-api-key", "bad")], false),
        ("/?api_key=bad", &[("cookie", "key=k2")], false),
        ("/?api_key=k1", &[("x-api-key", "")], true),
    ] {
        let outcome = pass(&gate, head(target, headers));
        assert_eq!(outcome.is_ok(), is_good, "{target} {headers:?}");
        if let Ok(identity) = outcome {
            assert!(matches!(
                identity,
                Some(Identity::Key(Principal::Listed(_)))
            ));
        }
    }
    assert_eq!(
        refusal(&gate, head("/", &[("x-api-key", "bad")])),
        (
            401,
            "Invalid API key".to_owned(),
            "The provided API key is not valid".to_owned()
        )
    );
    assert_eq!(
        refusal(&gate, head("/", &[])).2,
        "Expected 'X-API-Key' header, 'api_key' query parameter or 'key' cookie with valid API key"
    );
}

#[test]
fn the_message_for_no_key_names_the_places() {
    let usual = gate(None, Some(api_key()), None);
    assert_eq!(
        refusal(&usual, head("/", &[])),
        (
            401,
            "Missing API key".to_owned(),
            "Expected 'X-API-Key' header or 'api_key' query parameter with valid API key"
                .to_owned()
        )
    );
    let only_header = ApiKeyRules {
        query: None,
        ..api_key()
    };
    let gate = gate(None, Some(only_header), None);
    assert_eq!(
        refusal(&gate, head("/?api_key=k1", &[])).2,
        "Expected 'X-API-Key' header with valid API key"
    );
}

#[test]
fn deprecated_keys_are_good_and_told_so() {
    let gate = gate(None, Some(api_key()), None);
    let trail = Rc::default();
    let Passing::On(_) = gate.pass(head("/", &[("x-api-key", "old")]), &trail) else {
        panic!("it is let in")
    };
    let response = trail.apply(Response::default());
    assert_eq!(response.headers()[DEPRECATED], "true");
    let trail = Rc::default();
    let Passing::On(_) = gate.pass(head("/", &[("x-api-key", "k1")]), &trail) else {
        panic!("it is let in")
    };
    assert!(
        !trail
            .apply(Response::default())
            .headers()
            .contains_key(DEPRECATED)
    );
}

/// Knows keys that begin with `u`.
struct Users;

impl KeyDirectory for Users {
    fn find(&self, head: Head, key: String) -> Finding {
        async move {
            let principal = key.starts_with('u').then(|| Principal::Known {
                claims: json!({"roles": [key]}).as_object().cloned().map(Arc::new),
                value: Arc::new(key),
            });
            Ok((head, principal))
        }
        .boxed_local()
    }
}

#[test]
fn the_application_may_know_the_keys() {
    let rules = || ApiKeyRules {
        keys: Keys::Directory(Rc::new(Users)),
        ..api_key()
    };
    let open = gate(None, Some(rules()), None);
    match pass(&open, head("/", &[("x-api-key", "u7")])) {
        Ok(Some(Identity::Key(Principal::Known { value, .. }))) => {
            assert_eq!(value.downcast_ref::<String>(), Some(&"u7".to_owned()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        refusal(&open, head("/", &[("x-api-key", "x")])).1,
        "Invalid API key"
    );
    assert!(pass(&open, head("/", &[("x-api-key", "old")])).is_ok());
    let demanding = gate(None, Some(rules()), Some(demand_role("u7")));
    assert!(pass(&demanding, head("/", &[("x-api-key", "u7")])).is_ok());
    assert_eq!(
        refusal(&demanding, head("/", &[("x-api-key", "u8")])).0,
        403
    );
}

fn demand_role(role: &str) -> Requirement {
    Requirement {
        demands: vec![Demand {
            what: "roles".to_owned(),
            claim: "roles".to_owned(),
            names: vec![role.to_owned()],
        }],
        all: true,
    }
}

#[test]
fn both_schemes() {
    let gate = gate(Some(bearer()), Some(api_key()), None);
    let good = format!("Bearer {}", token(&json!({"exp": 9e9})));
    let bad = format!("Bearer {}", token(&json!({"exp": 1})));
    for (headers, expected) in [
        (&[("authorization", good.as_str())][..], "token"),
        (&[("authorization", &good), ("x-api-key", "bad")], "token"),
        // A token decides alone.
        (
            &[("authorization", &bad), ("x-api-key", "k1")],
            "JWT validation failed",
        ),
        (&[("x-api-key", "k1")], "key"),
        (
            &[("authorization", "Basic eA=="), ("x-api-key", "k1")],
            "key",
        ),
        (&[("x-api-key", "bad")], "Invalid API key"),
        (
            &[("authorization", "Basic eA==")],
            "Invalid Authorization header format",
        ),
        (&[], "Missing or invalid Authorization header"),
    ] {
        let outcome = match pass(&gate, head("/", headers)) {
            Ok(Some(Identity::Token { .. })) => "token".to_owned(),
            Ok(Some(Identity::Key(_))) => "key".to_owned(),
            Ok(None) => "nobody".to_owned(),
            Err(response) => problem(*response)["title"].as_str().unwrap().to_owned(),
        };
        assert_eq!(outcome, expected, "{headers:?}");
    }
}

#[test]
fn exempt_and_optional() {
    let both = gate(Some(bearer()), Some(api_key()), None);
    // Exempt from one scheme: the other one is left.
    assert_eq!(refusal(&both, head("/open", &[])).1, "Missing API key");
    assert_eq!(
        refusal(&both, head("/free", &[])).1,
        "Missing or invalid Authorization header"
    );
    let single = gate(Some(bearer()), None, None);
    assert!(pass(&single, head("/open", &[("authorization", "rubbish")])).is_ok());
    assert!(pass(&single, head("/open/../x", &[])).is_err());

    let optional = || BearerRules {
        optional: true,
        ..bearer()
    };
    let lenient = gate(Some(optional()), None, None);
    assert!(matches!(pass(&lenient, head("/", &[])), Ok(None)));
    let bad = format!("Bearer {}", token(&json!({"exp": 1})));
    assert!(pass(&lenient, head("/", &[("authorization", &bad)])).is_err());
    // What is demanded cannot be optional, nor exempt.
    let demanding = gate(Some(optional()), None, Some(demand_role("a")));
    assert_eq!(refusal(&demanding, head("/", &[])).0, 401);
    assert_eq!(refusal(&demanding, head("/open", &[])).0, 401);
}

#[test]
fn requirements_close_with_403() {
    let gate = gate(Some(bearer()), Some(api_key()), Some(demand_role("admin")));
    let with = |claims: Value| format!("Bearer {}", token(&claims));
    let admin = with(json!({"exp": 9e9, "roles": ["admin"]}));
    assert!(pass(&gate, head("/", &[("authorization", &admin)])).is_ok());
    let user = with(json!({"exp": 9e9, "roles": ["user"]}));
    assert_eq!(
        refusal(&gate, head("/", &[("authorization", &user)])),
        (
            403,
            "Forbidden".to_owned(),
            "Required roles 'admin' missing".to_owned()
        )
    );
    // A key out of a list has no roles.
    assert_eq!(refusal(&gate, head("/", &[("x-api-key", "k1")])).0, 403);
}

#[test]
fn a_demand_without_any_scheme_lets_nobody_in() {
    let gate = gate(None, None, Some(demand_role("admin")));
    assert_eq!(refusal(&gate, head("/", &[])).0, 401);
}

#[test]
fn preflights_pass() {
    let gate = gate(Some(bearer()), None, Some(demand_role("admin")));
    let mut preflight = head(
        "/",
        &[("origin", "x"), ("access-control-request-method", "GET")],
    );
    preflight.parts.method = http::Method::OPTIONS;
    assert!(pass(&gate, preflight).is_ok());
    assert!(pass(&gate, head("/", &[(AUTHORIZATION.as_str(), "")])).is_err());
}
