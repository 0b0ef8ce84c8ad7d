//! Who may call, and what is said about it.

use http::Request;
use proptest::prelude::*;

use super::*;

fn spec() -> PolicySpec {
    PolicySpec {
        allowed_origins: vec!["https://a.example".to_owned()],
        allowed_origin_regex: None,
        allowed_methods: vec!["GET".to_owned(), "PUT".to_owned()],
        allowed_headers: vec!["X-Token".to_owned()],
        expose_headers: Vec::new(),
        max_age: 600,
        allow_credentials: false,
        allow_private_network: false,
        block_disallowed: true,
    }
}

fn cors(spec: PolicySpec) -> Cors {
    Cors {
        general: Some(Arc::new(Policy::new(spec).expect("a policy"))),
        own: HashMap::new(),
    }
}

fn router() -> Router<()> {
    let mut router = Router::new();
    router.insert(Method::GET, "/x", ()).expect("free");
    router.insert(Method::PUT, "/x", ()).expect("free");
    router
}

fn parts(method: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder = Request::builder().method(method).uri("/x");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).expect("a request").into_parts().0
}

fn crossing(cors: &Cors, parts: &Parts) -> Crossing {
    cors.crossing(&router(), parts, &Origin::default())
        .expect("a policy applies")
}

fn preflight(cors: &Cors, headers: &[(&str, &str)]) -> Result<HeaderMap, String> {
    let parts = parts("OPTIONS", headers);
    let crossing = crossing(cors, &parts);
    assert_eq!(crossing.kind, Kind::Preflight);
    match crossing.preflight(&router(), "/x", &parts.headers) {
        Verdict::Granted(headers) => Ok(headers),
        Verdict::Denied(detail) => Err(detail),
    }
}

const SITE: (&str, &str) = ("origin", "https://a.example");

fn asks(method: &str) -> (&str, &str) {
    ("access-control-request-method", method)
}

#[test]
fn origins_compare_byte_for_byte() {
    let origins = Origins::new(vec!["https://a.example".to_owned()], None).expect("origins");
    assert!(origins.allow("https://a.example"));
    for other in [
        "https://A.example",
        "https://a.example:443",
        "https://a.example/",
        "http://a.example",
        "https://b.a.example",
        "null",
        "*",
        "",
    ] {
        assert!(!origins.allow(other), "{other}");
    }
}

#[test]
fn a_pattern_matches_the_whole_origin() {
    let origins =
        Origins::new(Vec::new(), Some(r"https://[a-z]+\.example|http://b")).expect("origins");
    assert!(origins.allow("https://sub.example"));
    assert!(origins.allow("http://b"));
    for other in [
        "https://sub.example.evil",
        "xhttps://sub.example",
        "http://b\n",
        "http://bb",
    ] {
        assert!(!origins.allow(other), "{other}");
    }
    assert!(
        !Origins::new(Vec::new(), Some(".*"))
            .expect("origins")
            .allow("null")
    );
    assert!(Origins::new(Vec::new(), Some("(?=x)")).is_err());
}

#[test]
fn null_has_to_be_listed() {
    let any = Origins::new(vec!["*".to_owned()], None).expect("origins");
    assert!(any.allow("https://anything"));
    assert!(!any.allow("null"));
    let listed = Origins::new(vec!["null".to_owned()], None).expect("origins");
    assert!(listed.allow("null"));
}

#[test]
fn a_preflight_is_granted_what_is_listed() {
    let granted = preflight(
        &cors(spec()),
        &[
            SITE,
            asks("PUT"),
            ("access-control-request-headers", "x-token, Accept"),
        ],
    )
    .expect("a grant");
    assert_eq!(granted["access-control-allow-origin"], "https://a.example");
    assert_eq!(granted["access-control-allow-methods"], "GET, PUT");
    assert_eq!(granted["access-control-allow-headers"], "X-Token");
    assert_eq!(granted["access-control-max-age"], "600");
    assert!(!granted.contains_key("access-control-allow-credentials"));
}

#[test]
fn a_preflight_is_denied_with_a_reason() {
    let cors = cors(spec());
    for (headers, detail) in [
        (
            vec![("origin", "https://evil"), asks("PUT")],
            "CORS request from origin 'https://evil' not allowed",
        ),
        (
            vec![SITE, asks("DELETE")],
            "CORS request with method 'DELETE' not allowed",
        ),
        (
            vec![SITE, asks("put")],
            "CORS request with method 'put' not allowed",
        ),
        (
            vec![
                SITE,
                asks("PUT"),
                ("access-control-request-headers", "X-Token,x-other"),
            ],
            "CORS request with header 'x-other' not allowed",
        ),
        (
            vec![SITE, ("origin", "https://a.example"), asks("PUT")],
            "CORS request from origin 'https://a.example' not allowed",
        ),
    ] {
        assert_eq!(preflight(&cors, &headers).expect_err("a refusal"), detail);
    }
}

#[test]
fn wildcards_name_what_the_path_has_and_what_was_asked() {
    let any = || vec!["*".to_owned()];
    let cors = cors(PolicySpec {
        allowed_origins: any(),
        allowed_methods: any(),
        allowed_headers: any(),
        allow_private_network: true,
        ..spec()
    });
    let granted = preflight(
        &cors,
        &[
            SITE,
            asks("PATCH"),
            ("access-control-request-headers", "X-One,x-two"),
            ("access-control-request-private-network", "true"),
        ],
    )
    .expect("a grant");
    assert_eq!(granted["access-control-allow-origin"], "*");
    assert_eq!(
        granted["access-control-allow-methods"],
        "GET, HEAD, OPTIONS, PUT"
    );
    assert_eq!(granted["access-control-allow-headers"], "X-One, x-two");
    assert_eq!(granted["access-control-allow-private-network"], "true");
    let plain = preflight(&cors, &[SITE, asks("GET")]).expect("a grant");
    assert!(!plain.contains_key("access-control-allow-headers"));
    assert!(!plain.contains_key("access-control-allow-private-network"));
    assert!(
        preflight(
            &cors,
            &[SITE, asks("GET"), ("access-control-request-headers", "a b")]
        )
        .is_err()
    );
}

#[test]
fn the_place_itself_is_never_foreign() {
    let cors = cors(spec());
    let here = |host: &str, origin: &str| {
        crossing(&cors, &parts("GET", &[("host", host), ("origin", origin)])).kind
    };
    assert_eq!(here("shop.example", "http://shop.example"), Kind::Here);
    assert_eq!(here("shop.example:80", "http://shop.example"), Kind::Here);
    assert_eq!(
        here("Shop.example:8000", "http://shop.example:8000"),
        Kind::Here
    );
    assert_eq!(here("shop.example", "https://shop.example"), Kind::Foreign);
    assert_eq!(
        here("shop.example", "http://shop.example:8000"),
        Kind::Foreign
    );
    assert_eq!(here("shop.example", "shop.example"), Kind::Foreign);
    let secure = Origin {
        secure: true,
        ..Origin::default()
    };
    let parts = parts(
        "GET",
        &[("host", "shop.example"), ("origin", "https://shop.example")],
    );
    let kind = cors
        .crossing(&router(), &parts, &secure)
        .expect("a policy")
        .kind;
    assert_eq!(kind, Kind::Here);
}

#[test]
fn routes_may_have_policies_of_their_own_or_none() {
    let mut router = router();
    let closed = router.insert(Method::GET, "/closed", ()).expect("free");
    let other = router.insert(Method::GET, "/other", ()).expect("free");
    let mut cors = cors(spec());
    cors.own.insert(closed, None);
    let policy = Policy::new(PolicySpec {
        allowed_origins: vec!["https://b".to_owned()],
        ..spec()
    });
    cors.own
        .insert(other, Some(Arc::new(policy.expect("a policy"))));
    let kind = |path: &str, site: &str| {
        let mut parts = parts("GET", &[("origin", site)]);
        parts.uri = path.parse().expect("a path");
        cors.crossing(&router, &parts, &Origin::default())
            .map(|crossing| crossing.kind)
    };
    assert_eq!(kind("/closed", "https://a.example"), None);
    assert_eq!(kind("/other", "https://a.example"), Some(Kind::Foreign));
    assert!(matches!(
        kind("/other", "https://b"),
        Some(Kind::Allowed(_))
    ));
    assert!(matches!(
        kind("/nowhere", "https://a.example"),
        Some(Kind::Allowed(_))
    ));
}

#[test]
fn answers_say_who_may_read_them() {
    let cors = cors(PolicySpec {
        expose_headers: vec!["X-Total".to_owned(), "ETag".to_owned()],
        allow_credentials: true,
        ..spec()
    });
    let marked = |request: &[(&str, &str)], answer: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in answer {
            headers.append(*name, HeaderValue::from_static(value));
        }
        crossing(&cors, &parts("GET", request)).mark(&mut headers);
        headers
    };
    let answer = marked(&[SITE], &[("vary", "Accept")]);
    assert_eq!(answer["access-control-allow-origin"], "https://a.example");
    assert_eq!(answer["access-control-allow-credentials"], "true");
    assert_eq!(answer["access-control-expose-headers"], "X-Total, ETag");
    assert_eq!(answer["vary"], "Accept, Origin");
    let own = marked(&[SITE], &[("access-control-allow-origin", "https://c")]);
    assert_eq!(own["access-control-allow-origin"], "https://c");
    assert!(!own.contains_key("access-control-allow-credentials"));
    for request in [vec![], vec![("origin", "https://evil")]] {
        let answer = marked(&request, &[]);
        assert_eq!(answer.len(), 1, "{answer:?}");
        assert_eq!(answer["vary"], "Origin");
    }
}

proptest! {
    #[test]
    fn any_headers_get_an_answer(
        site in "[ -~]{0,300}",
        method in "[ -~]{0,300}",
        names in "[ -~]{0,300}",
    ) {
        let parts = parts("OPTIONS", &[
            ("origin", site.as_str()),
            ("access-control-request-method", method.as_str()),
            ("access-control-request-headers", names.as_str()),
        ]);
        let crossing = crossing(&cors(spec()), &parts);
        let is_allowed = site == SITE.1;
        if crossing.kind == Kind::Preflight {
            match crossing.preflight(&router(), "/x", &parts.headers) {
                Verdict::Granted(_) => prop_assert!(is_allowed && ["GET", "PUT"].contains(&method.as_str())),
                Verdict::Denied(detail) => prop_assert!(detail.len() < 300),
            }
        }
    }
}
