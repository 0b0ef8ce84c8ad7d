use proptest::prelude::*;

use serde_json::json;

use super::*;

const BASE: &str = "https://spikard.dev/errors/";

fn text(problem: &Problem) -> String {
    String::from_utf8(problem.to_json(BASE).to_vec()).unwrap()
}

/// Suffix, title, status and detail as they come out.
fn line(problem: &Problem) -> (String, String, u64, Option<String>) {
    let document: Value = serde_json::from_str(&text(problem)).unwrap();
    let member = |name: &str| document[name].as_str().map(str::to_owned);
    let suffix = member("type")
        .unwrap()
        .strip_prefix(BASE)
        .unwrap()
        .to_owned();
    (
        suffix,
        member("title").unwrap(),
        document["status"].as_u64().unwrap(),
        member("detail"),
    )
}

#[test]
fn each_constructor_writes_its_line_of_the_catalogue() {
    let cases: Vec<(Problem, &str, &str, u64, &str)> = vec![
        (
            Problem::bad_request("Bad chunk"),
            "bad-request",
            "Bad Request",
            400,
            "Bad chunk",
        ),
        (
            Problem::invalid_json(3, "x"),
            "invalid-json",
            "Bad Request",
            400,
            "Invalid request format",
        ),
        (
            Problem::json_too_deep(64),
            "invalid-json",
            "Bad Request",
            400,
            "Request body exceeds maximum nesting depth of 64",
        ),
        (
            Problem::invalid_encoding("path"),
            "invalid-encoding",
            "Bad Request",
            400,
            "Invalid encoding in path",
        ),
        (
            Problem::invalid_host("x.org"),
            "invalid-host",
            "Bad Request",
            400,
            "Host 'x.org' is not allowed",
        ),
        (
            Problem::missing_boundary(),
            "bad-request",
            "Bad Request",
            400,
            "multipart/form-data requires 'boundary' parameter",
        ),
        (
            Problem::unauthorized("Invalid API key", "The provided API key is not valid"),
            "unauthorized",
            "Invalid API key",
            401,
            "The provided API key is not valid",
        ),
        (
            Problem::forbidden("No"),
            "forbidden",
            "Forbidden",
            403,
            "No",
        ),
        (
            Problem::cors_forbidden("https://evil"),
            "cors-forbidden",
            "Forbidden",
            403,
            "CORS request from origin 'https://evil' not allowed",
        ),
        (
            Problem::not_found("GET", "/nope"),
            "not-found",
            "Not Found",
            404,
            "No route matches GET /nope",
        ),
        (
            Problem::method_not_allowed("PUT"),
            "method-not-allowed",
            "Method Not Allowed",
            405,
            "Method PUT is not allowed",
        ),
        (
            Problem::not_acceptable(&["text/csv", "application/json"]),
            "not-acceptable",
            "Not Acceptable",
            406,
            "Available: text/csv, application/json",
        ),
        (
            Problem::request_timeout(30.0),
            "request-timeout",
            "Request Timeout",
            408,
            "Request timed out after 30 seconds",
        ),
        (
            Problem::payload_too_large(1024),
            "payload-too-large",
            "Payload Too Large",
            413,
            "Request body size exceeds maximum allowed size of 1024 bytes",
        ),
        (
            Problem::uri_too_long(8192),
            "uri-too-long",
            "URI Too Long",
            414,
            "Request URI exceeds maximum allowed length of 8192 bytes",
        ),
        (
            Problem::unsupported_media_type(),
            "unsupported-media-type",
            "Unsupported Media Type",
            415,
            "Unsupported media type",
        ),
        (
            Problem::unsupported_charset("utf-16"),
            "unsupported-charset",
            "Unsupported Charset",
            415,
            "Unsupported charset 'utf-16' for JSON. Only UTF-8 is supported.",
        ),
        (
            Problem::validation_error(1, "[]", false),
            "validation-error",
            "Request Validation Failed",
            422,
            "1 validation error in request",
        ),
        (
            Problem::validation_error(3, "[]", false),
            "validation-error",
            "Request Validation Failed",
            422,
            "3 validation errors in request",
        ),
        (
            Problem::rate_limited(7),
            "rate-limited",
            "Too Many Requests",
            429,
            "Rate limit exceeded. Try again in 7 seconds.",
        ),
        (
            Problem::too_many_headers(100),
            "header-fields-too-large",
            "Request Header Fields Too Large",
            431,
            "Request exceeds maximum allowed number of 100 headers",
        ),
        (
            Problem::internal_server_error(),
            "internal-server-error",
            "Internal Server Error",
            500,
            "Internal server error",
        ),
        (
            Problem::dependency_error("Cycle"),
            "dependency-error",
            "Dependency Resolution Failed",
            500,
            "Cycle",
        ),
        (
            Problem::service_unavailable("Shutting down"),
            "service-unavailable",
            "Service Unavailable",
            503,
            "Shutting down",
        ),
    ];
    for (problem, suffix, title, status, detail) in cases {
        let expected = (
            suffix.to_owned(),
            title.to_owned(),
            status,
            Some(detail.to_owned()),
        );
        assert_eq!(line(&problem), expected);
    }
}

#[test]
fn members_come_in_the_fixed_order() {
    let problem = Problem::validation_error(200, r#"[{"type":"missing"}]"#, true)
        .with_request_id("r-1")
        .with_instance("/items/1");
    assert_eq!(
        text(&problem),
        concat!(
            r#"{"type":"https://spikard.dev/errors/validation-error","title":"Request Validation Failed","#,
            r#""status":422,"detail":"200 validation errors in request","errors":[{"type":"missing"}],"#,
            r#""errors_truncated":true,"instance":"/items/1","request_id":"r-1"}"#
        )
    );
}

#[test]
fn malformed_json_is_described() {
    let document: Value =
        serde_json::from_str(&text(&Problem::invalid_json(7, "expected value"))).unwrap();
    let expected = json!([{
        "type": "json_invalid", "loc": ["body", 7], "msg": "JSON decode error", "ctx": {"error": "expected value"},
    }]);
    assert_eq!(document["errors"], expected);
}

#[test]
fn a_long_path_is_cut_between_characters() {
    let path = format!("/{}", "é".repeat(500));
    let detail = Problem::not_found("GET", &path)
        .detail()
        .unwrap()
        .to_owned();
    assert_eq!(detail, format!("No route matches GET /{}", "é".repeat(199)));
}

#[test]
fn any_status_has_a_problem() {
    assert_eq!(
        line(&Problem::of_status(StatusCode::NOT_FOUND)).0,
        "not-found"
    );
    assert_eq!(
        line(&Problem::of_status(StatusCode::BAD_REQUEST)).0,
        "bad-request"
    );
    assert_eq!(
        line(&Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR)).0,
        "internal-server-error"
    );
    let teapot = text(&Problem::of_status(StatusCode::IM_A_TEAPOT));
    assert_eq!(
        teapot,
        r#"{"type":"about:blank","title":"I'm a teapot","status":418}"#
    );
    let own =
        text(&Problem::of_status(StatusCode::from_u16(499).unwrap()).with_type("client-gone"));
    assert_eq!(
        own,
        r#"{"type":"https://spikard.dev/errors/client-gone","title":"Unknown Error","status":499}"#
    );
}

#[test]
fn merged_members_respect_the_reserved_names() {
    let Value::Object(members) = json!({
        "type": "https://x.org/e", "title": "T", "detail": "D", "status": 1, "instance": 5, "errors": [1],
        "code": 7, "request_id": "mine",
    }) else {
        unreachable!()
    };
    let problem = Problem::bad_request("old").with_members(members);
    assert_eq!(
        text(&problem.clone().with_request_id("r")),
        r#"{"type":"https://x.org/e","title":"T","status":400,"detail":"D","errors":[1],"code":7,"request_id":"r"}"#
    );
    assert!(text(&problem).ends_with(r#""code":7,"request_id":"mine"}"#));
}

#[test]
fn secrets_and_failures_are_not_stored() {
    let no_store: Vec<u16> = ProblemKind::ALL
        .into_iter()
        .filter(|&kind| Problem::new(kind).is_no_store())
        .map(|kind| kind.status().as_u16())
        .collect();
    assert_eq!(no_store, [401, 403, 403, 429, 500, 500, 501, 503]);
    assert!(Problem::payload_too_large(1).is_closing());
    assert!(!Problem::bad_request("x").is_closing());
}

proptest! {
    #[test]
    fn any_text_makes_valid_json(detail in any::<String>(), name in any::<String>(), id in any::<String>()) {
        prop_assume!(!["type", "title", "status", "detail", "request_id"].contains(&name.as_str()));
        let problem = Problem::bad_request(detail.clone()).with_member(name.clone(), id.clone()).with_request_id(id.clone());
        let document: Value = serde_json::from_str(&text(&problem)).unwrap();
        prop_assert_eq!(&document["detail"], &Value::from(detail));
        prop_assert_eq!(&document[&name], &Value::from(id.clone()));
        prop_assert_eq!(&document["request_id"], &Value::from(id));
    }
}
