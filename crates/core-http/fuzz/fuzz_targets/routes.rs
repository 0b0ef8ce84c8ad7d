//! Any patterns and any path: no panic, and what is found matches.
#![no_main]

use core_http::router::{Match, Router};
use http::Method;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|lines: &str| {
    let mut lines = lines.split('\n');
    let path = lines.next().unwrap_or("/");
    let mut router = Router::new();
    for (index, pattern) in lines.take(32).enumerate() {
        let _ = router.insert(Method::GET, pattern, index);
    }
    let found = router.find(&Method::GET, path);
    if let Match::Found { params, .. } = &found {
        for raw in params.iter(path) {
            assert!(path.contains(raw));
        }
    }
    let _ = router.allow(path);
    let _ = router.alternate_slash(&Method::GET, path);
});
