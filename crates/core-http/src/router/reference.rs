//! The slow, obvious matcher the router is compared with: try everything, rank what fits.

use std::collections::BTreeSet;

use http::Method;

use super::{Converter, Pattern, Segment};
use crate::percent::decode_segment;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Found {
        index: usize,
        params: Vec<String>,
        head_of_get: bool,
    },
    MethodNotAllowed(String),
    Options(String),
    NotFound,
}

/// How good each segment's match is: literal before parameter before rest.
type Rank = Vec<u8>;

fn fit(pattern: &Pattern, path: &str) -> Option<(Rank, Vec<String>)> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let mut rank = Vec::new();
    let mut params = Vec::new();
    for (index, segment) in pattern.segments().iter().enumerate() {
        if let Segment::Parameter {
            converter: Converter::Path,
            ..
        } = segment
        {
            if index >= parts.len() {
                return None;
            }
            rank.push(2);
            params.push(parts[index..].join("/"));
            return Some((rank, params));
        }
        let part = *parts.get(index)?;
        match segment {
            Segment::Literal(text) => {
                if decode_segment(part).ok()? != *text {
                    return None;
                }
                rank.push(0);
            }
            Segment::Parameter { .. } => {
                if part.is_empty() {
                    return None;
                }
                rank.push(1);
                params.push(part.to_owned());
            }
        }
    }
    (parts.len() == pattern.segments().len()).then_some((rank, params))
}

pub(super) fn find(routes: &[(Method, Pattern)], method: &Method, path: &str) -> Answer {
    let mut fitting: Vec<_> = routes
        .iter()
        .enumerate()
        .filter_map(|(index, (own, pattern))| {
            fit(pattern, path).map(|(rank, params)| (rank, own, index, params))
        })
        .collect();
    fitting.sort();
    // Routes of one pattern have one rank: there a HEAD route comes before that of GET.
    let own = |wanted: &Method| fitting.iter().find(|(_, own, ..)| *own == wanted);
    let best = match (own(method), own(&Method::GET)) {
        (head, Some(get)) if *method == Method::HEAD => {
            Some(head.filter(|head| head.0 <= get.0).unwrap_or(get))
        }
        (found, _) => found,
    };
    if let Some((_, own, index, params)) = best {
        return Answer::Found {
            index: *index,
            params: params.clone(),
            head_of_get: *own != method,
        };
    }
    if fitting.is_empty() {
        return Answer::NotFound;
    }
    let mut methods: BTreeSet<&str> = fitting.iter().map(|(_, own, ..)| own.as_str()).collect();
    if methods.contains("GET") {
        methods.insert("HEAD");
    }
    methods.insert("OPTIONS");
    let allow = methods.into_iter().collect::<Vec<_>>().join(", ");
    if *method == Method::OPTIONS {
        Answer::Options(allow)
    } else {
        Answer::MethodNotAllowed(allow)
    }
}
