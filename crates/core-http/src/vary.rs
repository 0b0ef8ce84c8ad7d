//! The `Vary` header: which request headers an answer depends on.

use http::header::{HeaderMap, HeaderValue, VARY};

/// Adds names that are not there yet, in the one `Vary` header there is afterwards.
pub fn add(headers: &mut HeaderMap, names: &str) {
    let mut listed: Vec<&str> = Vec::new();
    for value in headers.get_all(VARY) {
        match value.to_str() {
            Ok(text) => listed.extend(split(text)),
            // Nobody can tell what it says; it stays as it is.
            Err(_) => return,
        }
    }
    if listed.contains(&"*") {
        return;
    }
    let known = listed.len();
    for name in split(names) {
        if !listed.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            listed.push(name);
        }
    }
    if listed.len() > known {
        // Names come from headers and from this program, so the other case is never met.
        if let Ok(value) = HeaderValue::from_str(&listed.join(", ")) {
            headers.insert(VARY, value);
        }
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(existing: &[&'static str], names: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in existing {
            headers.append(VARY, HeaderValue::from_static(value));
        }
        add(&mut headers, names);
        headers
            .get_all(VARY)
            .iter()
            .map(|value| value.to_str().expect("text").to_owned())
            .collect()
    }

    #[test]
    fn names_are_added_once() {
        assert_eq!(after(&[], "Origin"), ["Origin"]);
        assert_eq!(after(&["Accept"], "Origin"), ["Accept, Origin"]);
        assert_eq!(after(&["accept, origin"], "Origin"), ["accept, origin"]);
        assert_eq!(after(&["A", "B"], "Origin, b"), ["A, B, Origin"]);
        assert_eq!(after(&["*"], "Origin"), ["*"]);
    }
}
