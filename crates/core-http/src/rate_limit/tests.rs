use std::cell::RefCell;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http::StatusCode;

use super::bucket::KeyFunction;
use super::*;
use crate::body::Body;
use crate::request::Origin;
use crate::router::Params;

const T0: Nanos = 1_700_000_000 * SECOND;

fn clock() -> Arc<Clock> {
    let clock = Clock::new();
    clock.hold(T0);
    Arc::new(clock)
}

fn limit(clock: &Arc<Clock>) -> Limit {
    Limit {
        name: "test".to_owned(),
        gcra: Gcra::new(0.5, 2),
        store: Store::Memory(Table::local()),
        exempt: Exemptions::new(["/health"]),
        headers: true,
        clock: Arc::clone(clock),
        problem_base_url: "https://spikard.dev/errors/".into(),
    }
}

fn gate(clock: &Arc<Clock>, bucket: Bucket) -> RateLimit {
    RateLimit {
        limit: Rc::new(limit(clock)),
        bucket,
    }
}

fn head(address: &str, path: &str) -> Head {
    let (parts, ()) = http::Request::builder()
        .uri(path)
        .body(())
        .unwrap()
        .into_parts();
    Head {
        parts,
        origin: Arc::new(Origin {
            remote: Some((address.parse::<std::net::IpAddr>().unwrap(), 1).into()),
            ..Origin::default()
        }),
        params: Params::default(),
        id: None,
    }
}

/// The finished answer of a request: empty if it passes.
fn answer(gate: &RateLimit, head: Head) -> Response {
    let trail = Rc::default();
    let response = match gate.pass(head, &trail) {
        Passing::On(_) => Response::new(Body::Empty),
        Passing::Stop(refused) => refused.response,
        Passing::Later(later) => match later.now_or_never().expect("nothing to wait for") {
            Ok(_) => Response::new(Body::Empty),
            Err(refused) => refused.response,
        },
    };
    trail.apply(response)
}

fn text<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[test]
fn answers_say_what_is_left() {
    let clock = clock();
    let gate = gate(&clock, Bucket::Peer);
    let first = answer(&gate, head("192.0.2.1", "/"));
    assert_eq!(first.status(), StatusCode::OK);
    for (name, value) in [
        ("x-ratelimit-limit", "2"),
        ("x-ratelimit-remaining", "1"),
        ("x-ratelimit-reset", "1700000002"),
        ("ratelimit-policy", "\"default\";q=2;w=4"),
        ("ratelimit", "\"default\";r=1;t=2"),
        ("retry-after", ""),
    ] {
        assert_eq!(text(&first, name), value, "{name}");
    }
    answer(&gate, head("192.0.2.1", "/"));
    clock.hold(T0 + SECOND / 2);
    let refused = answer(&gate, head("192.0.2.1", "/"));
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    for (name, value) in [
        ("x-ratelimit-limit", "2"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1700000004"),
        ("ratelimit", "\"default\";r=0;t=2"),
        ("retry-after", "2"),
        ("cache-control", "no-store"),
        ("content-type", "application/problem+json"),
    ] {
        assert_eq!(text(&refused, name), value, "{name}");
    }
    let Body::Full(body) = refused.into_body() else {
        panic!("a problem has a body")
    };
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        body.contains(r#""detail":"Rate limit exceeded. Try again in 2 seconds.""#),
        "{body}"
    );
    clock.hold(T0 + 2 * SECOND);
    assert_eq!(
        answer(&gate, head("192.0.2.1", "/")).status(),
        StatusCode::OK
    );
}

#[test]
fn addresses_count_apart_and_networks_together() {
    let gate = gate(&clock(), Bucket::Peer);
    let mut statuses = Vec::new();
    for address in [
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.2",
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8::3",
        "2001:db8:0:1::3",
    ] {
        statuses.push(answer(&gate, head(address, "/")).status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 200, 429, 200]);
}

#[test]
fn one_bucket_for_everyone() {
    let gate = gate(&clock(), Bucket::Everyone);
    let statuses = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
        .map(|address| answer(&gate, head(address, "/")).status().as_u16());
    assert_eq!(statuses, [200, 200, 429]);
}

/// The query as the key; notes what it was asked.
struct ByQuery(RefCell<Vec<String>>);

impl KeyFunction for ByQuery {
    fn key(&self, head: Head) -> LocalBoxFuture<'static, Result<(Head, String), Box<Refused>>> {
        let key = head.query().to_owned();
        self.0.borrow_mut().push(key.clone());
        async move {
            match key.as_str() {
                "fault" => {
                    let mut response = Response::default();
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    Err(Box::new(Refused { head, response }))
                }
                _ => Ok((head, key)),
            }
        }
        .boxed_local()
    }
}

#[test]
fn a_function_gives_the_key() {
    let function = Rc::new(ByQuery(RefCell::default()));
    let gate = gate(&clock(), Bucket::Function(Rc::clone(&function) as _));
    let mut statuses = Vec::new();
    for path in ["/?a", "/?a", "/?a", "/?b", "/?fault", "/health?a"] {
        statuses.push(answer(&gate, head("192.0.2.1", path)).status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 200, 500, 200]);
    // The exempt path was not asked about.
    assert_eq!(*function.0.borrow(), ["a", "a", "a", "b", "fault"]);
}

#[test]
fn exempt_paths_and_preflights_are_not_counted() {
    let gate = gate(&clock(), Bucket::Everyone);
    for _ in 0..5 {
        let response = answer(&gate, head("192.0.2.1", "/health"));
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, "x-ratelimit-limit"), "");
        let mut preflight = head("192.0.2.1", "/");
        preflight.parts.method = http::Method::OPTIONS;
        for name in ["origin", "access-control-request-method"] {
            preflight
                .parts
                .headers
                .insert(name, HeaderValue::from_static("x"));
        }
        assert_eq!(answer(&gate, preflight).status(), StatusCode::OK);
    }
    assert_eq!(
        answer(&gate, head("192.0.2.1", "/")).status(),
        StatusCode::OK
    );
}

#[test]
fn headers_can_be_left_out() {
    let quiet = Limit {
        headers: false,
        ..limit(&clock())
    };
    let gate = RateLimit {
        limit: Rc::new(quiet),
        bucket: Bucket::Everyone,
    };
    let mut last = Response::default();
    for _ in 0..3 {
        last = answer(&gate, head("192.0.2.1", "/"));
        assert_eq!(text(&last, "x-ratelimit-limit"), "");
        assert_eq!(text(&last, "ratelimit"), "");
    }
    assert_eq!(
        (last.status().as_u16(), text(&last, "retry-after")),
        (429, "2")
    );
}

#[test]
fn a_handler_may_say_otherwise() {
    let gate = gate(&clock(), Bucket::Everyone);
    let trail = Rc::default();
    let Passing::On(_) = gate.pass(head("192.0.2.1", "/"), &trail) else {
        panic!("it passes")
    };
    let mut own = Response::default();
    own.headers_mut()
        .insert(LIMIT, HeaderValue::from_static("7"));
    let response = trail.apply(own);
    assert_eq!(text(&response, "x-ratelimit-limit"), "7");
    assert_eq!(text(&response, "x-ratelimit-remaining"), "1");
}

#[test]
fn gates_of_one_limit_count_together() {
    let gate = gate(&clock(), Bucket::Everyone);
    let other = gate.clone();
    let statuses =
        [&gate, &other, &gate].map(|gate| answer(gate, head("192.0.2.1", "/")).status().as_u16());
    assert_eq!(statuses, [200, 200, 429]);
}
