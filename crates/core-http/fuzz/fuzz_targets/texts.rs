//! The lazy parsers of query, cookies, media types and quoted texts take any text.
#![no_main]

use core_http::{cookie, media_type, percent, query, quoted, request_id};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let pairs: Result<Vec<_>, _> = query::parse(text).collect();
    if let Ok(pairs) = pairs {
        let encoded = query::encode(pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())));
        let again: Vec<_> = query::parse(&encoded).collect::<Result<_, _>>().expect("what we wrote");
        assert_eq!(pairs, again);
    }
    for (name, value) in cookie::parse(text) {
        assert!(name.len() + value.len() <= text.len());
    }
    let _ = media_type::classify(text);
    let _ = media_type::essence(text);
    let _ = media_type::check_charset(text);
    let _ = media_type::parameter(text, "boundary");
    if let Some(best) = media_type::best_match(text, &["application/json", "text/html"]) {
        assert!(["application/json", "text/html"].contains(&best));
    }
    let pieces: usize = quoted::split_unquoted(text, ',').map(str::len).sum();
    assert!(pieces <= text.len());
    assert!(quoted::unquote(text).len() <= text.len());
    if let Ok(segment) = percent::decode_segment(text) {
        let again = percent::encode_segment(&segment);
        assert_eq!(percent::decode_segment(&again).expect("what we wrote"), segment);
    }
    let _ = percent::check_path(text);
    let _ = request_id::RequestId::accept(text.as_bytes());
});
