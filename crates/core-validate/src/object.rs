//! What members of an object must be, laid out so that a key is found without hashing.

use crate::schema::{NodeId, PatternNodes};

/// More named properties than this are checked on a built value.
const TRACKED: usize = 256;
/// Up to this many names are compared one by one.
const LINEAR: usize = 8;

/// Which of the named properties were met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen([u64; TRACKED / 64]);

impl Seen {
    #[inline]
    pub(crate) fn add(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    #[inline]
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.0[slot / 64] & (1 << (slot % 64)) != 0
    }

    #[inline]
    pub(crate) fn covers(&self, wanted: &Self) -> bool {
        self.0
            .iter()
            .zip(&wanted.0)
            .all(|(seen, wanted)| seen & wanted == *wanted)
    }
}

/// A name some keyword of the object speaks of.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: Box<str>,
    /// From `properties`; None for names that are only required or depended on.
    pub(crate) node: Option<NodeId>,
}

/// What becomes of members nobody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Additional {
    #[default]
    Free,
    Forbidden,
    Judged(NodeId),
}

/// What an object must be.
#[derive(Debug, Default)]
pub(crate) struct ObjectRules {
    pub(crate) members: Vec<Member>,
    /// Positions in `members` by length and bytes of the name.
    sorted: Vec<usize>,
    pub(crate) required: Vec<usize>,
    pub(crate) required_seen: Seen,
    pub(crate) patterns: PatternNodes,
    pub(crate) additional: Additional,
    pub(crate) names: Option<NodeId>,
    pub(crate) min_properties: Option<usize>,
    pub(crate) max_properties: Option<usize>,
    pub(crate) dependent_required: Vec<(usize, Vec<usize>)>,
    pub(crate) dependent_schemas: Vec<(usize, NodeId)>,
    pub(crate) unevaluated: Option<NodeId>,
}

impl ObjectRules {
    /// The position of a name, made if it is new.
    pub(crate) fn intern(&mut self, name: &str) -> usize {
        if let Some(position) = self.members.iter().position(|member| &*member.name == name) {
            return position;
        }
        self.members.push(Member {
            name: name.into(),
            node: None,
        });
        self.members.len() - 1
    }

    /// To be called once all names are in.
    pub(crate) fn seal(&mut self) {
        self.sorted = (0..self.members.len()).collect();
        let members = &self.members;
        self.sorted
            .sort_by_key(|position| order(&members[*position].name));
        if self.members.len() <= TRACKED {
            for slot in &self.required {
                self.required_seen.add(*slot);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
            && self.patterns.is_empty()
            && self.additional == Additional::Free
            && self.names.is_none()
            && self.min_properties.is_none()
            && self.max_properties.is_none()
            && self.unevaluated.is_none()
    }

    pub(crate) fn streams(&self) -> bool {
        self.members.len() <= TRACKED
            && self.patterns.is_empty()
            && self.names.is_none()
            // Two members of one key count once, which a stream cannot know.
            && self.min_properties.is_none_or(|min| min <= 1)
            && self.dependent_schemas.is_empty()
            && self.unevaluated.is_none()
    }

    /// The position of a key. `guess` is the likely one: clients tend to send keys in one order.
    #[inline]
    pub(crate) fn find(&self, key: &str, guess: usize) -> Option<usize> {
        if let Some(member) = self.members.get(guess)
            && *member.name == *key
        {
            return Some(guess);
        }
        if self.members.len() <= LINEAR {
            return self.members.iter().position(|member| *member.name == *key);
        }
        let wanted = order(key);
        let at = self
            .sorted
            .binary_search_by(|position| order(&self.members[*position].name).cmp(&wanted));
        at.ok().map(|at| self.sorted[at])
    }

    /// The node of a member by its name, or by a pattern of names.
    pub(crate) fn named(&self, key: &str, guess: usize) -> Option<NodeId> {
        let named = self
            .find(key, guess)
            .and_then(|slot| self.members[slot].node);
        named.or_else(|| {
            self.patterns
                .iter()
                .find(|(pattern, _)| pattern.is_match(key))
                .map(|(_, node)| *node)
        })
    }

    /// The node of a member, those that nobody named included.
    pub(crate) fn member(&self, key: &str, guess: usize) -> Option<NodeId> {
        self.named(key, guess).or(match self.additional {
            Additional::Judged(node) => Some(node),
            Additional::Free | Additional::Forbidden => None,
        })
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = NodeId> {
        let additional = match self.additional {
            Additional::Judged(node) => Some(node),
            Additional::Free | Additional::Forbidden => None,
        };
        let named = self.members.iter().filter_map(|member| member.node);
        named
            .chain(self.patterns.iter().map(|(_, node)| *node))
            .chain(additional)
            .chain(self.unevaluated)
    }
}

fn order(name: &str) -> (usize, &[u8]) {
    (name.len(), name.as_bytes())
}
