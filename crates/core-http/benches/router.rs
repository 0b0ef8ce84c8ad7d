//! The router beside matchit: what one look-up costs in tables of 10, 130 and 1,000 routes.
//!
//! matchit knows no methods; every route is a GET here, and ours picks the method on top.

use std::hint::black_box;

use core_http::router::{Match, Router};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::Method;

/// One table and the paths looked up in it, by name.
struct Table {
    size: usize,
    patterns: Vec<String>,
    requests: [(&'static str, &'static str); 4],
}

const SMALL: [&str; 10] = [
    "/",
    "/health",
    "/login",
    "/users",
    "/users/{id}",
    "/users/{id}/posts",
    "/users/{id}/posts/{post}/comments/{comment}",
    "/items/{id}",
    "/files/{name}",
    "/search",
];

/// Collections of a code forge; each gives several patterns below a repository.
const REPOSITORY_PARTS: [&str; 22] = [
    "issues",
    "pulls",
    "commits",
    "branches",
    "tags",
    "releases",
    "labels",
    "milestones",
    "comments",
    "hooks",
    "keys",
    "forks",
    "events",
    "statuses",
    "deployments",
    "collaborators",
    "contents",
    "assignees",
    "downloads",
    "subscribers",
    "stargazers",
    "teams",
];
const TOP_PARTS: [&str; 10] = [
    "users",
    "orgs",
    "gists",
    "teams",
    "emojis",
    "events",
    "feeds",
    "notifications",
    "search",
    "markdown",
];

fn forge() -> Vec<String> {
    let mut patterns = vec!["/".to_owned(), "/repos/{owner}/{repo}".to_owned()];
    for part in REPOSITORY_PARTS {
        patterns.push(format!("/repos/{{owner}}/{{repo}}/{part}"));
        patterns.push(format!("/repos/{{owner}}/{{repo}}/{part}/{{number}}"));
        patterns.push(format!(
            "/repos/{{owner}}/{{repo}}/{part}/{{number}}/comments"
        ));
        patterns.push(format!("/user/{part}"));
    }
    for part in TOP_PARTS {
        patterns.push(format!("/{part}"));
        patterns.push(format!("/{part}/{{name}}"));
        patterns.push(format!("/{part}/{{name}}/events"));
        patterns.push(format!("/{part}/{{name}}/events/public"));
    }
    patterns
}

fn thousand() -> Vec<String> {
    let mut patterns = forge();
    for index in 0.. {
        if patterns.len() >= 1000 {
            break;
        }
        patterns.push(format!("/services/s{index}"));
        patterns.push(format!("/services/s{index}/{{id}}"));
        patterns.push(format!("/services/s{index}/{{id}}/parts/{{part}}"));
    }
    patterns
}

fn tables() -> [Table; 3] {
    let forge_requests = [
        ("static", "/user/milestones"),
        ("one param", "/users/octocat/events"),
        (
            "three params",
            "/repos/octocat/hello-world/issues/1347/comments",
        ),
        ("miss", "/repos/octocat/hello-world/nothing/1347"),
    ];
    let small_requests = [
        ("static", "/search"),
        ("one param", "/users/octocat/posts"),
        ("three params", "/users/octocat/posts/1347/comments/12"),
        ("miss", "/users/octocat/nothing/1347"),
    ];
    [
        Table {
            size: 10,
            patterns: SMALL.map(str::to_owned).to_vec(),
            requests: small_requests,
        },
        Table {
            size: 130,
            patterns: forge(),
            requests: forge_requests,
        },
        Table {
            size: 1000,
            patterns: thousand(),
            requests: forge_requests,
        },
    ]
}

fn look_up(criterion: &mut Criterion) {
    for table in tables() {
        let mut ours = Router::new();
        let mut theirs = matchit::Router::new();
        for (index, pattern) in table.patterns.iter().enumerate() {
            ours.insert(Method::GET, pattern, index)
                .expect("the patterns differ");
            theirs
                .insert(pattern.as_str(), index)
                .expect("the patterns differ");
        }
        let mut group = criterion.benchmark_group(format!("{} routes", table.size));
        for (name, path) in table.requests {
            let found = matches!(ours.find(&Method::GET, path), Match::Found { .. });
            assert_eq!(
                (found, theirs.at(path).is_ok()),
                (name != "miss", name != "miss"),
                "{path}"
            );
            group.bench_function(BenchmarkId::new("spikard", name), |bencher| {
                bencher.iter(
                    || match ours.find(black_box(&Method::GET), black_box(path)) {
                        Match::Found { value, params, .. } => black_box(*value + params.len()),
                        _ => 0,
                    },
                );
            });
            group.bench_function(BenchmarkId::new("matchit", name), |bencher| {
                bencher.iter(|| match theirs.at(black_box(path)) {
                    Ok(found) => black_box(*found.value + found.params.len()),
                    Err(_) => 0,
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, look_up);
criterion_main!(benches);
