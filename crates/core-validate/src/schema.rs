//! A compiled schema: a flat list of nodes that point at each other by index.

use serde_json::Value;

use crate::error::{JsonFault, SchemaError};
use crate::faults::Faults;
use crate::json::{JsonLimits, parse};
use crate::object::ObjectRules;
use crate::pattern::{Pattern, PatternFallback};
use crate::scalar::{NumberRules, TextRules};

/// Index of a node.
pub(crate) type NodeId = usize;

/// The kinds of JSON values as bits; a number that is no integer has a bit of its own.
pub(crate) mod kind {
    pub(crate) const NULL: u8 = 1;
    pub(crate) const BOOL: u8 = 2;
    pub(crate) const INTEGER: u8 = 4;
    pub(crate) const FRACTION: u8 = 8;
    pub(crate) const NUMBER: u8 = INTEGER | FRACTION;
    pub(crate) const STRING: u8 = 16;
    pub(crate) const ARRAY: u8 = 32;
    pub(crate) const OBJECT: u8 = 64;
    pub(crate) const ALL: u8 = 127;
}

/// One schema of the document.
#[derive(Debug)]
pub(crate) enum Node {
    /// `true` or `{}`.
    Any,
    /// `false`.
    Never,
    Rules(Box<Rules>),
}

/// How the bytes of a value are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// While they are read.
    Direct,
    /// As another node says.
    Jump(NodeId),
    /// As another node says, null aside.
    Optional(NodeId),
    /// By the node the kind of the value chooses: null, boolean, number, string, array, object.
    Dispatch([Option<NodeId>; 6]),
    /// After the value was made.
    Buffer,
}

/// The listed values of `enum`.
#[derive(Debug)]
pub(crate) struct Choices {
    pub(crate) values: Vec<Value>,
    /// `'a', 'b' or 'c'`.
    pub(crate) expected: String,
}

/// What items of a list must be.
#[derive(Debug, Default)]
pub(crate) struct ArrayRules {
    pub(crate) prefix: Vec<NodeId>,
    pub(crate) items: Option<NodeId>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
    pub(crate) unique: bool,
    /// The node, how many at least, how many at most.
    pub(crate) contains: Option<(NodeId, usize, Option<usize>)>,
    pub(crate) unevaluated: Option<NodeId>,
}

impl ArrayRules {
    pub(crate) fn is_empty(&self) -> bool {
        self.prefix.is_empty()
            && self.items.is_none()
            && self.min_items.is_none()
            && self.max_items.is_none()
            && !self.unique
            && self.contains.is_none()
            && self.unevaluated.is_none()
    }

    pub(crate) fn streams(&self) -> bool {
        !self.unique && self.contains.is_none() && self.unevaluated.is_none()
    }

    /// The node an item at a position must satisfy.
    pub(crate) fn item(&self, index: usize) -> Option<NodeId> {
        self.prefix.get(index).copied().or(self.items)
    }
}

/// `if`, `then`, `else`.
pub(crate) type Condition = (NodeId, Option<NodeId>, Option<NodeId>);

/// Everything one schema object says.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) types: u8,
    /// The declared types in their order; empty without `type`.
    pub(crate) declared: Vec<u8>,
    /// `nullable: true`: null passes whatever the rest says.
    pub(crate) nullable: bool,
    pub(crate) text: Option<TextRules>,
    pub(crate) number: Option<NumberRules>,
    pub(crate) array: Option<ArrayRules>,
    pub(crate) object: Option<ObjectRules>,
    pub(crate) choices: Option<Choices>,
    pub(crate) constant: Option<Value>,
    pub(crate) reference: Option<NodeId>,
    /// `anyOf`/`oneOf` of one schema and null, which is told as that schema.
    pub(crate) optional: Option<NodeId>,
    pub(crate) all_of: Vec<NodeId>,
    pub(crate) any_of: Vec<NodeId>,
    pub(crate) one_of: Vec<NodeId>,
    pub(crate) not: Option<NodeId>,
    pub(crate) condition: Option<Condition>,
    /// Values are never shown in faults.
    pub(crate) secret: bool,
    /// A value inside is secret, so the whole is not shown either.
    pub(crate) holds_secret: bool,
    pub(crate) flow: Flow,
}

impl Rules {
    /// Nothing but scalar rules: no combinator, no reference.
    pub(crate) fn is_plain(&self) -> bool {
        self.reference.is_none()
            && self.optional.is_none()
            && self.all_of.is_empty()
            && self.any_of.is_empty()
            && self.one_of.is_empty()
            && self.not.is_none()
            && self.condition.is_none()
    }

    /// True when only the combinators say anything.
    pub(crate) fn says_nothing_itself(&self) -> bool {
        self.types == kind::ALL
            && self.text.is_none()
            && self.number.is_none()
            && self.array.is_none()
            && self.object.is_none()
            && self.choices.is_none()
            && self.constant.is_none()
    }

    /// Nodes that judge the very same value.
    pub(crate) fn in_place(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self
            .reference
            .into_iter()
            .chain(self.optional)
            .chain(self.not)
            .collect();
        nodes.extend(self.all_of.iter().chain(&self.any_of).chain(&self.one_of));
        if let Some((when, then, otherwise)) = self.condition {
            nodes.push(when);
            nodes.extend(then.into_iter().chain(otherwise));
        }
        if let Some(object) = &self.object {
            nodes.extend(object.dependent_schemas.iter().map(|(_, node)| *node));
        }
        nodes
    }

    /// Nodes that judge something inside the value.
    pub(crate) fn inside(&self) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        if let Some(array) = &self.array {
            nodes.extend(
                array
                    .prefix
                    .iter()
                    .copied()
                    .chain(array.items)
                    .chain(array.unevaluated),
            );
            nodes.extend(array.contains.map(|(node, _, _)| node));
        }
        if let Some(object) = &self.object {
            nodes.extend(object.children());
        }
        nodes
    }
}

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct Schema {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: NodeId,
    /// The kinds of values each node may accept; perhaps too many, never too few.
    pub(crate) kinds: Vec<u8>,
    /// Patterns the linear engine could not take.
    pub(crate) foreign_patterns: Vec<String>,
}

impl Schema {
    /// Compiles a schema document; every reference must be inside it.
    pub fn compile(document: &Value) -> Result<Self, SchemaError> {
        crate::compile::compile(document, None)
    }

    /// As [`Schema::compile`], with an engine for patterns that need look-around or back-references.
    pub fn compile_with(
        document: &Value,
        fallback: &dyn PatternFallback,
    ) -> Result<Self, SchemaError> {
        crate::compile::compile(document, Some(fallback))
    }

    /// The patterns that went to the fallback engine, worth a warning: they may take exponential time.
    pub fn foreign_patterns(&self) -> &[String] {
        &self.foreign_patterns
    }

    /// Whether a JSON document satisfies the schema. Made for documents that do: those are read once, with no
    /// value built where the schema allows it.
    pub fn accepts(&self, json: &[u8], limits: JsonLimits) -> Result<bool, JsonFault> {
        if !limits.strict_keys && crate::stream::accepts(self, json, limits)? {
            return Ok(true);
        }
        // Refused while reading: what follows must still be JSON, and a later duplicate key may mend the fault.
        Ok(self.accepts_value(&parse(json, limits)?))
    }

    /// Whether a value satisfies the schema.
    pub fn accepts_value(&self, value: &Value) -> bool {
        crate::check::accepts(self, self.root, value)
    }

    /// Gathers every fault of a value; `root` is where the value stands, such as `["body"]`.
    pub fn check(&self, value: &Value, root: &[&str], faults: &mut Faults) {
        crate::check::gather(self, self.root, value, root, faults);
    }

    /// Checks a document once for both answers: None when it was accepted unbuilt, otherwise its value, with
    /// `faults` holding what is wrong with it, if anything.
    pub fn examine(
        &self,
        json: &[u8],
        limits: JsonLimits,
        root: &[&str],
        faults: &mut Faults,
    ) -> Result<Option<Value>, JsonFault> {
        if !limits.strict_keys && crate::stream::accepts(self, json, limits)? {
            return Ok(None);
        }
        let value = parse(json, limits)?;
        self.check(&value, root, faults);
        Ok(Some(value))
    }

    pub(crate) fn rules(&self, node: NodeId) -> Option<&Rules> {
        match &self.nodes[node] {
            Node::Rules(rules) => Some(rules),
            Node::Any | Node::Never => None,
        }
    }
}

/// Pattern properties and their nodes.
pub(crate) type PatternNodes = Vec<(Pattern, NodeId)>;
