//! Routing: which value answers a method and a path.
//!
//! A trie of segments: static text beats a parameter, a parameter beats the rest of the path, and a branch that leads
//! nowhere (no route, or none of the method asked for) is left for the next best one. Routes without parameters are
//! also in one table of whole paths, so that the common hit is one look-up.
//!
//! Segments are compared after percent-decoding; a trailing slash and every empty segment count. Converters do not
//! take part: they are the business of whoever reads the parameters.

mod converter;
mod endpoint;
mod error;
mod params;
mod pattern;
mod segment_map;

use std::borrow::Cow;

use http::{HeaderValue, Method};

pub use self::converter::Converter;
use self::endpoint::{Endpoint, MethodSet};
pub use self::error::{PatternFault, RouteError};
pub use self::params::Params;
pub use self::pattern::{Pattern, Segment, pattern_parameters};
use self::segment_map::SegmentMap;
pub use crate::percent::{DecodeError, check_path, decode_segment};

/// Names a value of one router, for as long as the router lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(u32);

impl RouteId {
    /// Its place in the order of registration.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a router says about a method and a path.
#[derive(Debug)]
pub enum Match<'r, T> {
    Found {
        id: RouteId,
        value: &'r T,
        params: Params,
        /// A HEAD request is answered by the route of GET.
        head_of_get: bool,
    },
    /// Routes match the path, none of them the method.
    MethodNotAllowed {
        allow: HeaderValue,
    },
    /// OPTIONS of a known path that has no OPTIONS route of its own.
    Options {
        allow: HeaderValue,
    },
    NotFound,
}

/// Routes of patterns and methods.
#[derive(Debug)]
pub struct Router<T> {
    routes: Vec<Entry<T>>,
    endpoints: Vec<Endpoint>,
    nodes: Vec<Node>,
    /// Whole paths of the patterns without parameters, to their endpoint.
    whole: SegmentMap,
}

#[derive(Debug)]
struct Entry<T> {
    pattern: String,
    value: T,
}

/// One position in the trie; indices point into the router's lists.
#[derive(Debug, Default)]
struct Node {
    literals: SegmentMap,
    parameter: Option<u32>,
    /// What answers when the path ends here.
    end: Option<u32>,
    /// What answers for all that follows, `{name:path}`.
    rest: Option<u32>,
}

const ROOT: u32 = 0;

/// Positions of parameters are kept in 16 bits; the URI parser takes no more either.
const LONGEST_PATH: usize = u16::MAX as usize;

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            endpoints: Vec::new(),
            nodes: vec![Node::default()],
            whole: SegmentMap::default(),
        }
    }
}

impl<T> Router<T> {
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a route. On a conflict the route that is there already stays.
    pub fn insert(
        &mut self,
        method: Method,
        pattern: &str,
        value: T,
    ) -> Result<RouteId, RouteError> {
        let parsed = Pattern::parse(pattern)?;
        let endpoint = self.endpoint_of(&parsed);
        // 2^32 routes do not fit into memory.
        let id = RouteId(self.routes.len() as u32);
        if let Some(existing) = self.endpoints[endpoint as usize].add(&method, id) {
            return Err(RouteError::Conflict {
                method,
                pattern: pattern.to_owned(),
                existing_pattern: self.pattern(existing).to_owned(),
                existing,
            });
        }
        self.routes.push(Entry {
            pattern: pattern.to_owned(),
            value,
        });
        Ok(id)
    }

    /// The value of a route.
    ///
    /// # Panics
    /// When the id is of another router.
    pub fn value(&self, id: RouteId) -> &T {
        &self.routes[id.0 as usize].value
    }

    /// The pattern of a route, as it was given.
    ///
    /// # Panics
    /// When the id is of another router.
    pub fn pattern(&self, id: RouteId) -> &str {
        &self.routes[id.0 as usize].pattern
    }

    pub fn len(&self) -> usize {
        self.routes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// All routes with their patterns, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.routes
            .iter()
            .map(|entry| (entry.pattern.as_str(), &entry.value))
    }

    /// Look a request up. `path` is as it came, not decoded and without its query.
    #[inline]
    pub fn find(&self, method: &Method, path: &str) -> Match<'_, T> {
        if let Some(endpoint) = self.whole.get(path.as_bytes())
            && let Some((route, head_of_get)) = self.endpoints[endpoint as usize].route(method)
        {
            return Match::Found {
                id: route,
                value: self.value(route),
                params: Params::default(),
                head_of_get,
            };
        }
        self.search(method, path)
    }

    /// The `Allow` header of a path, or nothing when no route matches it.
    pub fn allow(&self, path: &str) -> Option<HeaderValue> {
        if path.len() > LONGEST_PATH {
            return None;
        }
        let mut search = Search::new(self, None, path);
        search.descend(ROOT, 0);
        search.allow()
    }

    /// Whether the path with its trailing slash taken away (or one added) would be answered: a redirect helps then.
    pub fn alternate_slash(&self, method: &Method, path: &str) -> bool {
        let other = match path.strip_suffix('/') {
            Some("") => return false,
            Some(without) => Cow::Borrowed(without),
            None => Cow::Owned(format!("{path}/")),
        };
        matches!(
            self.find(method, &other),
            Match::Found { .. } | Match::Options { .. }
        )
    }

    fn search(&self, method: &Method, path: &str) -> Match<'_, T> {
        if path.len() > LONGEST_PATH {
            return Match::NotFound;
        }
        let mut search = Search::new(self, Some(method), path);
        if let Some((route, head_of_get)) = search.descend(ROOT, 0) {
            return Match::Found {
                id: route,
                value: self.value(route),
                params: search.params,
                head_of_get,
            };
        }
        match search.allow() {
            None => Match::NotFound,
            Some(allow) if *method == Method::OPTIONS => Match::Options { allow },
            Some(allow) => Match::MethodNotAllowed { allow },
        }
    }

    /// The endpoint of a pattern, made when it is new.
    fn endpoint_of(&mut self, pattern: &Pattern) -> u32 {
        let mut node = ROOT;
        for segment in pattern.segments() {
            node = match segment {
                Segment::Literal(text) => {
                    let literals = &self.nodes[node as usize].literals;
                    if let Some(child) = literals.get(text.as_bytes()) {
                        child
                    } else {
                        let child = self.add_node();
                        let literals = &mut self.nodes[node as usize].literals;
                        literals.insert(text.as_bytes(), child);
                        child
                    }
                }
                Segment::Parameter {
                    converter: Converter::Path,
                    ..
                } => {
                    let known = self.nodes[node as usize].rest;
                    let endpoint = known.unwrap_or_else(|| self.add_endpoint());
                    self.nodes[node as usize].rest = Some(endpoint);
                    // The parser lets nothing stand behind the rest of a path.
                    return endpoint;
                }
                Segment::Parameter { .. } => {
                    let known = self.nodes[node as usize].parameter;
                    let child = known.unwrap_or_else(|| self.add_node());
                    self.nodes[node as usize].parameter = Some(child);
                    child
                }
            };
        }
        if let Some(endpoint) = self.nodes[node as usize].end {
            return endpoint;
        }
        let endpoint = self.add_endpoint();
        self.nodes[node as usize].end = Some(endpoint);
        if let Some(path) = pattern.whole_path() {
            self.whole.insert(path.as_bytes(), endpoint);
        }
        endpoint
    }

    fn add_node(&mut self) -> u32 {
        self.nodes.push(Node::default());
        (self.nodes.len() - 1) as u32
    }

    fn add_endpoint(&mut self) -> u32 {
        self.endpoints.push(Endpoint::default());
        (self.endpoints.len() - 1) as u32
    }
}

/// One walk through the trie.
struct Search<'r, 'p> {
    nodes: &'r [Node],
    endpoints: &'r [Endpoint],
    /// Nothing: look at every endpoint and take none.
    method: Option<&'p Method>,
    path: &'p str,
    has_escapes: bool,
    params: Params,
    /// Endpoints of the path that do not have the method.
    passed: Vec<u32>,
}

impl<'r, 'p> Search<'r, 'p> {
    fn new<T>(router: &'r Router<T>, method: Option<&'p Method>, path: &'p str) -> Self {
        Self {
            nodes: &router.nodes,
            endpoints: &router.endpoints,
            method,
            path,
            has_escapes: memchr::memchr(b'%', path.as_bytes()).is_some(),
            params: Params::default(),
            passed: Vec::new(),
        }
    }

    /// Go on from a node whose segments end before `slash`, the position of the next slash or the path's end.
    ///
    /// A node is reached by one pattern prefix only, so a walk visits each at most once.
    fn descend(&mut self, node: u32, slash: usize) -> Option<(RouteId, bool)> {
        let node = &self.nodes[node as usize];
        let bytes = self.path.as_bytes();
        match bytes.get(slash) {
            None => return node.end.and_then(|endpoint| self.arrive(endpoint)),
            Some(b'/') => {}
            // Only the first byte of a path can be no slash, as in `OPTIONS *`.
            Some(_) => return None,
        }
        let start = slash + 1;
        let end = segment_end(bytes, start);
        if let Some(child) = self.literal(node, &self.path[start..end])
            && let Some(found) = self.descend(child, end)
        {
            return Some(found);
        }
        if let Some(child) = node.parameter
            && end > start
        {
            self.params.push(start, end);
            if let Some(found) = self.descend(child, end) {
                return Some(found);
            }
            self.params.pop();
        }
        let endpoint = node.rest?;
        self.params.push(start, bytes.len());
        let found = self.arrive(endpoint);
        if found.is_none() {
            self.params.pop();
        }
        found
    }

    fn literal(&self, node: &Node, segment: &str) -> Option<u32> {
        if !self.has_escapes {
            return node.literals.get(segment.as_bytes());
        }
        // A segment that cannot be decoded is not equal to any text.
        node.literals.get(decode_segment(segment).ok()?.as_bytes())
    }

    fn arrive(&mut self, endpoint: u32) -> Option<(RouteId, bool)> {
        let found = self
            .method
            .and_then(|method| self.endpoints[endpoint as usize].route(method));
        if found.is_none() {
            self.passed.push(endpoint);
        }
        found
    }

    fn allow(&self) -> Option<HeaderValue> {
        match *self.passed.as_slice() {
            [] => None,
            [only] => Some(self.endpoints[only as usize].allow().clone()),
            ref several => {
                let mut methods = MethodSet::default();
                for &endpoint in several {
                    self.endpoints[endpoint as usize].add_methods_to(&mut methods);
                }
                Some(methods.to_allow())
            }
        }
    }
}

/// Where the segment that starts at `start` ends. Segments are short, so eight bytes are looked at in one word: that
/// beats both a loop over bytes and a call into memchr.
#[inline]
fn segment_end(bytes: &[u8], start: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    let (words, tail) = bytes[start..].as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // A byte equal to the slash becomes zero; the lowest zero byte is the lowest to borrow into its top bit.
        let word = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'/'));
        let zeros = word.wrapping_sub(ONES) & !word & (ONES << 7);
        if zeros != 0 {
            return start + index * 8 + zeros.trailing_zeros() as usize / 8;
        }
    }
    let behind = bytes.len() - tail.len();
    tail.iter()
        .position(|&byte| byte == b'/')
        .map_or(bytes.len(), |length| behind + length)
}

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
