//! The faults of one request, gathered from all its parts.

use crate::fault::Fault;

/// How many faults an answer shows.
pub const SHOWN: usize = 100;
/// How many are gathered before the search ends: a hostile body must not make us write a book.
const GATHERED: usize = 1000;

/// All faults of one request. Faults are kept as they come and put in order when written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    found: Vec<Fault>,
    branches: bool,
}

impl Faults {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// None yet; the faults inside `anyOf` and `oneOf` branches will be told in `ctx.branches`. For debugging.
    pub fn with_branches() -> Self {
        Self {
            found: Vec::new(),
            branches: true,
        }
    }

    pub(crate) fn tells_branches(&self) -> bool {
        self.branches
    }

    /// Adds one; beyond a thousand it is dropped.
    pub fn push(&mut self, fault: Fault) {
        if !self.is_full() {
            self.found.push(fault);
        }
    }

    /// Takes over the faults of another part of the request.
    pub fn extend(&mut self, other: Faults) {
        for fault in other.found {
            self.push(fault);
        }
    }

    /// True when the request has no fault.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found, also those above what an answer shows.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// True when looking for more is useless.
    pub fn is_full(&self) -> bool {
        self.found.len() >= GATHERED
    }

    /// True when the answer does not show all of them.
    pub fn truncated(&self) -> bool {
        self.found.len() > SHOWN
    }

    /// The faults in the order of the answer, at most a hundred.
    pub fn sorted(&self) -> Vec<&Fault> {
        let mut order: Vec<&Fault> = self.found.iter().collect();
        order.sort_by(|a, b| a.compare(b));
        order.truncate(SHOWN);
        order
    }

    pub(crate) fn into_vec(self) -> Vec<Fault> {
        self.found
    }

    /// The faults in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.found.iter()
    }

    /// The `errors` array of the answer as JSON text.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 192 * self.found.len().min(SHOWN));
        out.push(b'[');
        for (position, fault) in self.sorted().into_iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            fault.write(&mut out);
        }
        out.push(b']');
        out
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}
