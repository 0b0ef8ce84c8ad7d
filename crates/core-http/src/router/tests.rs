use http::Method;
use proptest::prelude::*;

use super::reference::{self, Answer};
use super::*;

fn router(patterns: &[&'static str]) -> Router<&'static str> {
    let mut router = Router::new();
    for pattern in patterns {
        router.insert(Method::GET, pattern, *pattern).unwrap();
    }
    router
}

/// The value found for a GET and the raw parameters.
fn get<'p>(router: &Router<&'static str>, path: &'p str) -> Option<(&'static str, Vec<&'p str>)> {
    match router.find(&Method::GET, path) {
        Match::Found { value, params, .. } => Some((value, params.iter(path).collect())),
        _ => None,
    }
}

fn answer(router: &Router<usize>, method: &Method, path: &str) -> Answer {
    let text = |allow: HeaderValue| allow.to_str().unwrap().to_owned();
    match router.find(method, path) {
        Match::Found {
            value,
            params,
            head_of_get,
            ..
        } => Answer::Found {
            index: *value,
            params: params.iter(path).map(str::to_owned).collect(),
            head_of_get,
        },
        Match::MethodNotAllowed { allow } => Answer::MethodNotAllowed(text(allow)),
        Match::Options { allow } => Answer::Options(text(allow)),
        Match::NotFound => Answer::NotFound,
    }
}

#[test]
fn static_beats_parameter_beats_rest() {
    let router = router(&[
        "/users/me",
        "/users/{id}",
        "/users/{rest:path}",
        "/{all:path}",
    ]);
    assert_eq!(get(&router, "/users/me"), Some(("/users/me", vec![])));
    assert_eq!(get(&router, "/users/7"), Some(("/users/{id}", vec!["7"])));
    assert_eq!(
        get(&router, "/users/7/x"),
        Some(("/users/{rest:path}", vec!["7/x"]))
    );
    assert_eq!(get(&router, "/other"), Some(("/{all:path}", vec!["other"])));
}

#[test]
fn a_static_branch_that_dies_is_left() {
    let router = router(&["/a/b/c", "/a/{x}/d", "/{y}/b/e", "/{z:path}"]);
    assert_eq!(get(&router, "/a/b/c"), Some(("/a/b/c", vec![])));
    assert_eq!(get(&router, "/a/b/d"), Some(("/a/{x}/d", vec!["b"])));
    assert_eq!(get(&router, "/a/b/e"), Some(("/{y}/b/e", vec!["a"])));
    assert_eq!(get(&router, "/a/b/f"), Some(("/{z:path}", vec!["a/b/f"])));
}

#[test]
fn slashes_count() {
    let router = router(&["/", "/items", "/items/{id}", "/a//b", "/x/"]);
    assert_eq!(get(&router, "/"), Some(("/", vec![])));
    assert_eq!(get(&router, "/items"), Some(("/items", vec![])));
    assert_eq!(get(&router, "/a//b"), Some(("/a//b", vec![])));
    assert_eq!(get(&router, "/x/"), Some(("/x/", vec![])));
    for miss in [
        "",
        "*",
        "items",
        "//",
        "/items/",
        "/items//",
        "/items/7/",
        "/a/b",
        "/x",
        "/x//",
    ] {
        assert_eq!(get(&router, miss), None, "{miss}");
    }
}

#[test]
fn the_rest_may_be_empty_but_needs_its_slash() {
    let router = router(&["/files/{name:path}"]);
    assert_eq!(
        get(&router, "/files/"),
        Some(("/files/{name:path}", vec![""]))
    );
    assert_eq!(
        get(&router, "/files//a/"),
        Some(("/files/{name:path}", vec!["/a/"]))
    );
    assert_eq!(get(&router, "/files"), None);
}

#[test]
fn segments_are_compared_decoded_and_an_encoded_slash_splits_nothing() {
    let router = router(&["/café/{x}", "/a%2Fb", "/100%25", "/plain"]);
    assert_eq!(
        get(&router, "/caf%C3%A9/1%2F2"),
        Some(("/café/{x}", vec!["1%2F2"]))
    );
    assert_eq!(get(&router, "/caf%c3%a9/x"), Some(("/café/{x}", vec!["x"])));
    assert_eq!(get(&router, "/a%2Fb"), Some(("/a%2Fb", vec![])));
    assert_eq!(get(&router, "/a/b"), None);
    assert_eq!(get(&router, "/100%25"), Some(("/100%25", vec![])));
    assert_eq!(get(&router, "/pl%61in"), Some(("/plain", vec![])));
    assert_eq!(get(&router, "/plain%FF"), None);
}

#[test]
fn converters_do_not_take_part() {
    let router = router(&["/n/{x:int}"]);
    assert_eq!(get(&router, "/n/abc"), Some(("/n/{x:int}", vec!["abc"])));
}

#[test]
fn methods_are_told_apart() {
    let mut router = Router::new();
    router.insert(Method::GET, "/items/{id}", 0).unwrap();
    router.insert(Method::DELETE, "/items/{other}", 1).unwrap();
    router.insert(Method::POST, "/write", 2).unwrap();
    router.insert(Method::OPTIONS, "/own", 3).unwrap();
    router.insert(Method::HEAD, "/own", 4).unwrap();
    router.insert(Method::GET, "/own", 5).unwrap();
    let found = |index, params: &[&str], head_of_get| Answer::Found {
        index,
        params: params.iter().map(|&text| text.to_owned()).collect(),
        head_of_get,
    };
    let allow = "DELETE, GET, HEAD, OPTIONS".to_owned();
    assert_eq!(
        answer(&router, &Method::DELETE, "/items/1"),
        found(1, &["1"], false)
    );
    assert_eq!(
        answer(&router, &Method::HEAD, "/items/1"),
        found(0, &["1"], true)
    );
    assert_eq!(
        answer(&router, &Method::PUT, "/items/1"),
        Answer::MethodNotAllowed(allow.clone())
    );
    assert_eq!(
        answer(&router, &Method::TRACE, "/items/1"),
        Answer::MethodNotAllowed(allow.clone())
    );
    assert_eq!(
        answer(&router, &Method::OPTIONS, "/items/1"),
        Answer::Options(allow.clone())
    );
    assert_eq!(router.allow("/items/1").unwrap(), allow);
    assert_eq!(
        answer(&router, &Method::HEAD, "/write"),
        Answer::MethodNotAllowed("OPTIONS, POST".to_owned())
    );
    assert_eq!(
        answer(&router, &Method::OPTIONS, "/own"),
        found(3, &[], false)
    );
    assert_eq!(answer(&router, &Method::HEAD, "/own"), found(4, &[], false));
    assert_eq!(
        answer(&router, &Method::OPTIONS, "/nowhere"),
        Answer::NotFound
    );
    assert_eq!(router.allow("/nowhere"), None);
}

#[test]
fn a_route_of_another_method_does_not_hide_a_wider_pattern() {
    let mut router = Router::new();
    router.insert(Method::GET, "/users/me", 0).unwrap();
    router.insert(Method::POST, "/users/{id}", 1).unwrap();
    let found = Answer::Found {
        index: 1,
        params: vec!["me".to_owned()],
        head_of_get: false,
    };
    assert_eq!(answer(&router, &Method::POST, "/users/me"), found);
    let both = "GET, HEAD, OPTIONS, POST".to_owned();
    assert_eq!(
        answer(&router, &Method::PUT, "/users/me"),
        Answer::MethodNotAllowed(both)
    );
}

#[test]
fn custom_methods_have_their_place() {
    let purge = Method::from_bytes(b"PURGE").unwrap();
    let mut router = Router::new();
    router.insert(purge.clone(), "/cache/{key}", 0).unwrap();
    let found = Answer::Found {
        index: 0,
        params: vec!["k".to_owned()],
        head_of_get: false,
    };
    assert_eq!(answer(&router, &purge, "/cache/k"), found);
    let refused = Answer::MethodNotAllowed("OPTIONS, PURGE".to_owned());
    assert_eq!(answer(&router, &Method::GET, "/cache/k"), refused);
    assert!(matches!(
        router.insert(purge, "/cache/{name}", 1),
        Err(RouteError::Conflict { .. })
    ));
}

#[test]
fn patterns_that_match_the_same_paths_conflict() {
    let cases = [
        ("/a", "/a"),
        ("/a/{x}", "/a/{y}"),
        ("/a/{x:int}", "/a/{x:uuid}"),
        ("/a/{x}/b/{y:path}", "/a/{u}/b/{v:path}"),
        ("/café", "/caf%C3%A9"),
    ];
    for (first, second) in cases {
        let mut router = Router::new();
        router.insert(Method::POST, "/else", "else").unwrap();
        router.insert(Method::POST, first, "first").unwrap();
        let error = router.insert(Method::POST, second, "second").unwrap_err();
        let RouteError::Conflict {
            method,
            pattern,
            existing_pattern,
            existing,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(
            (method, pattern.as_str(), existing_pattern.as_str()),
            (&Method::POST, second, first)
        );
        assert_eq!(*router.value(*existing), "first");
        assert_eq!(router.len(), 2);
    }
}

#[test]
fn patterns_that_differ_do_not_conflict() {
    let mut router = Router::new();
    for pattern in [
        "/a",
        "/a/",
        "/a/{x}",
        "/a/{x}/",
        "/a/{x:path}",
        "/{x}",
        "/{x}/{y}",
        "/A",
    ] {
        router.insert(Method::GET, pattern, ()).unwrap();
        router.insert(Method::POST, pattern, ()).unwrap();
    }
    assert_eq!(router.iter().count(), 16);
}

#[test]
fn bad_patterns_are_named() {
    let name = |text: &str| text.to_owned();
    let cases = [
        ("", PatternFault::NoLeadingSlash),
        ("items", PatternFault::NoLeadingSlash),
        ("/{id", PatternFault::UnclosedBrace),
        ("/{a/b}", PatternFault::UnclosedBrace),
        ("/id}", PatternFault::UnopenedBrace),
        ("/{}", PatternFault::EmptyName),
        ("/{:int}", PatternFault::EmptyName),
        ("/{a b}", PatternFault::IllegalName { name: name("a b") }),
        (
            "/{a}/{b}/{a}",
            PatternFault::DuplicateName { name: name("a") },
        ),
        (
            "/x{a}",
            PatternFault::MixedSegment {
                segment: name("x{a}"),
            },
        ),
        (
            "/{a}.json",
            PatternFault::MixedSegment {
                segment: name("{a}.json"),
            },
        ),
        ("/{a:path}/b", PatternFault::PathNotLast { name: name("a") }),
        ("/{a:path}/", PatternFault::PathNotLast { name: name("a") }),
        (
            "/%FF",
            PatternFault::BadEncoding {
                segment: name("%FF"),
            },
        ),
        (
            "/a%00",
            PatternFault::BadEncoding {
                segment: name("a%00"),
            },
        ),
    ];
    for (pattern, fault) in cases {
        let expected = RouteError::BadPattern {
            pattern: pattern.to_owned(),
            fault,
        };
        assert_eq!(
            Router::new().insert(Method::GET, pattern, ()).unwrap_err(),
            expected
        );
    }
    let unknown = Router::new()
        .insert(Method::GET, "/{id:number}", ())
        .unwrap_err();
    assert_eq!(unknown.code(), "unknown_converter");
    assert_eq!(
        unknown.to_string(),
        "unknown converter 'number' in '/{id:number}'; known are str, int, float, bool, uuid, date, datetime, time, \
         decimal, slug, path"
    );
}

#[test]
fn parameters_are_listed_in_order() {
    let parameters = pattern_parameters("/a/{x:int}/{when:datetime}/{y}/{rest:path}").unwrap();
    let expected = [
        ("x", Converter::Int),
        ("when", Converter::DateTime),
        ("y", Converter::Str),
        ("rest", Converter::Path),
    ];
    assert_eq!(
        parameters,
        expected.map(|(name, converter)| (name.to_owned(), converter))
    );
    assert!(
        Converter::ALL
            .iter()
            .all(|&converter| Converter::from_name(converter.name()) == Some(converter))
    );
}

#[test]
fn a_filled_pattern_leads_back_to_its_route() {
    let pattern = Pattern::parse("/u s/{name}/{rest:path}").unwrap();
    let path = pattern
        .fill(|name| Some(if name == "name" { "a/b" } else { "c d/é" }))
        .unwrap();
    assert_eq!(path, "/u%20s/a%2Fb/c%20d/%C3%A9");
    assert_eq!(
        get(&router(&["/u s/{name}/{rest:path}"]), &path).unwrap().1,
        ["a%2Fb", "c%20d/%C3%A9"]
    );
    assert_eq!(
        pattern.fill(|name| (name == "name").then_some("x")),
        Err("rest")
    );
}

#[test]
fn the_other_form_of_a_path_is_known() {
    let router = router(&["/", "/items", "/users/{id}/", "/files/{rest:path}"]);
    let other = |path| router.alternate_slash(&Method::GET, path);
    assert!(other("/items/"));
    assert!(other("/users/7"));
    assert!(other("/files"));
    assert!(router.alternate_slash(&Method::OPTIONS, "/items/"));
    assert!(router.alternate_slash(&Method::HEAD, "/items/"));
    for path in ["/", "/nope", "/nope/", "/items//", "/users/7///"] {
        assert!(!other(path), "{path}");
    }
    assert!(!router.alternate_slash(&Method::POST, "/items/"));
}

#[test]
fn many_parameters_are_kept() {
    let pattern = (0..12).fold(String::new(), |pattern, index| {
        format!("{pattern}/{{p{index}}}")
    });
    let mut router = Router::new();
    router.insert(Method::GET, &pattern, 0).unwrap();
    let path = "/a/b/c/d/e/f/g/h/i/j/k/l";
    let params = path[1..].split('/').map(str::to_owned).collect();
    assert_eq!(
        answer(&router, &Method::GET, path),
        Answer::Found {
            index: 0,
            params,
            head_of_get: false
        }
    );
}

#[test]
fn a_path_no_parser_lets_through_is_not_found() {
    let mut router = Router::new();
    router.insert(Method::GET, "/{all:path}", 0).unwrap();
    let longest = "/".repeat(usize::from(u16::MAX));
    let params = vec![longest[1..].to_owned()];
    assert_eq!(
        answer(&router, &Method::GET, &longest),
        Answer::Found {
            index: 0,
            params,
            head_of_get: false
        }
    );
    let longer = longest + "/";
    assert_eq!(answer(&router, &Method::GET, &longer), Answer::NotFound);
    assert_eq!(router.allow(&longer), None);
}

#[test]
fn a_thousand_routes_are_all_found() {
    let mut router = Router::new();
    for index in 0..1000 {
        let pattern = match index % 4 {
            0 => format!("/static/r{index}"),
            1 => format!("/things/r{index}/{{id}}"),
            2 => format!("/{{tenant}}/r{index}/{{id:int}}/edit"),
            _ => format!("/files/r{index}/{{rest:path}}"),
        };
        router.insert(Method::GET, &pattern, index).unwrap();
    }
    for index in 0..1000 {
        let (path, params) = match index % 4 {
            0 => (format!("/static/r{index}"), vec![]),
            1 => (format!("/things/r{index}/x"), vec!["x"]),
            2 => (format!("/static/r{index}/5/edit"), vec!["static", "5"]),
            _ => (format!("/files/r{index}/a/b"), vec!["a/b"]),
        };
        let params = params.into_iter().map(str::to_owned).collect();
        assert_eq!(
            answer(&router, &Method::GET, &path),
            Answer::Found {
                index,
                params,
                head_of_get: false
            }
        );
    }
    assert_eq!(
        answer(&router, &Method::GET, "/static/r1000"),
        Answer::NotFound
    );
}

/// Few words, so that patterns and paths meet often.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "ab", "", "é", "a b"])
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = prop_oneof![4 => word().prop_map(Some), 3 => Just(None)];
    (
        prop::collection::vec(segment, 1..5),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(segments, rest)| {
            let mut pattern = String::new();
            for (index, segment) in segments.iter().enumerate() {
                pattern.push('/');
                pattern.push_str(&segment.map_or_else(|| format!("{{p{index}}}"), str::to_owned));
            }
            if rest {
                pattern.push_str("/{rest:path}");
            }
            pattern
        })
}

fn method() -> impl Strategy<Value = Method> {
    let names = vec!["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "PURGE"];
    prop::sample::select(names).prop_map(|name| name.parse().unwrap())
}

fn path() -> impl Strategy<Value = String> {
    let spelled = prop::sample::select(vec![
        "a", "b", "ab", "", "%C3%A9", "a%20b", "%61", "c", "%2F", "a%2Fb", "%FF", "%",
    ]);
    prop::collection::vec(spelled, 0..6).prop_map(|words| {
        words
            .iter()
            .fold(String::new(), |path, word| path + "/" + word)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_router_agrees_with_the_reference(
        wanted in prop::collection::vec((method(), pattern()), 0..14),
        requests in prop::collection::vec((method(), path()), 1..12),
    ) {
        let mut router = Router::new();
        let mut routes = Vec::new();
        for (method, pattern) in wanted {
            match router.insert(method.clone(), &pattern, routes.len()) {
                Ok(_) => routes.push((method, Pattern::parse(&pattern).unwrap())),
                Err(error) => prop_assert_eq!(error.code(), "route_conflict"),
            }
        }
        for (method, path) in requests {
            prop_assert_eq!(answer(&router, &method, &path), reference::find(&routes, &method, &path), "{} {}", method, path);
        }
    }

    #[test]
    fn segments_end_at_the_next_slash(text in "[a/\u{00}.0é]{0,40}") {
        for start in 0..=text.len() {
            let expected = text.as_bytes()[start..].iter().position(|&byte| byte == b'/');
            prop_assert_eq!(segment_end(text.as_bytes(), start), expected.map_or(text.len(), |length| start + length));
        }
    }

    #[test]
    fn parsing_a_pattern_never_panics(text in "[/{}:a%é.-]{0,20}") {
        let _ = Pattern::parse(&text);
    }
}
