//! A chart, compiled: states are numbers in document order, so that a state's descendants are the numbers behind it.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::condition::Condition;
use super::content::{DataItem, Invoke, Payload, Step};

pub(super) type NodeId = usize;
/// The document itself.
pub(super) const ROOT: NodeId = 0;

/// What expressions are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// `In()` and nothing else.
    Null,
    Python,
    Ecma,
}

impl Language {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Python => "python",
            Self::Ecma => "ecmascript",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    Root,
    Atomic,
    Compound,
    Parallel,
    Final,
    ShallowHistory,
    DeepHistory,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: Arc<str>,
    pub(super) kind: NodeKind,
    pub(super) parent: NodeId,
    /// The last of its descendants; itself where there are none.
    pub(super) last: NodeId,
    /// Child states, without histories.
    pub(super) children: Vec<NodeId>,
    pub(super) histories: Vec<NodeId>,
    /// Where it begins: the initial transition of a compound state, the default of a history.
    pub(super) initial: Option<Transition>,
    pub(super) transitions: Vec<usize>,
    pub(super) on_entry: Vec<Vec<Step>>,
    pub(super) on_exit: Vec<Vec<Step>>,
    pub(super) invokes: Vec<Invoke>,
    pub(super) data: Vec<DataItem>,
    pub(super) done_data: Option<Payload>,
}

impl Node {
    pub(super) fn is_history(&self) -> bool {
        matches!(self.kind, NodeKind::ShallowHistory | NodeKind::DeepHistory)
    }
}

#[derive(Debug)]
pub(super) struct Transition {
    pub(super) source: NodeId,
    /// Descriptors; none for a transition that needs no event.
    pub(super) events: Vec<Arc<str>>,
    pub(super) condition: Option<Condition>,
    pub(super) targets: Vec<NodeId>,
    pub(super) internal: bool,
    pub(super) steps: Vec<Step>,
    /// A target that there is not, in a document that is read leniently: taking it is an error.
    pub(super) lost: Option<Arc<str>>,
}

/// A chart that sessions run. It never changes.
#[derive(Debug)]
pub struct Chart {
    pub(super) name: Arc<str>,
    pub(super) language: Language,
    pub(super) late: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) transitions: Vec<Transition>,
    pub(super) ids: HashMap<Arc<str>, NodeId, RandomState>,
    /// Run once, before anything is entered.
    pub(super) scripts: Vec<Step>,
    /// Expressions that are none, which became errors of the run: what is wrong, line, column.
    pub(super) broken: Vec<(String, usize, usize)>,
}

/// A state, to look at.
#[derive(Clone, Debug)]
pub struct StateView<'a> {
    pub id: &'a str,
    pub kind: NodeKind,
    /// The state it is in; `None` at the top.
    pub parent: Option<&'a str>,
    /// Where a compound state or a history begins.
    pub initial: Vec<&'a str>,
}

/// A transition, to look at.
#[derive(Clone, Debug)]
pub struct TransitionView<'a> {
    pub source: &'a str,
    pub events: Vec<&'a str>,
    pub condition: Option<&'a str>,
    pub targets: Vec<&'a str>,
    pub internal: bool,
}

impl Chart {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn language(&self) -> Language {
        self.language
    }

    /// Expressions that can't be compiled, with line and column. They are errors when they are met.
    pub fn broken(&self) -> &[(String, usize, usize)] {
        &self.broken
    }

    /// All states and histories, in document order.
    pub fn states(&self) -> impl Iterator<Item = StateView<'_>> {
        self.nodes.iter().skip(1).map(|node| StateView {
            id: &node.id,
            kind: node.kind,
            parent: (node.parent != ROOT).then(|| &*self.nodes[node.parent].id),
            initial: node
                .initial
                .iter()
                .flat_map(|initial| self.named(&initial.targets))
                .collect(),
        })
    }

    /// Where the document begins.
    pub fn initial(&self) -> Vec<&str> {
        self.nodes[ROOT]
            .initial
            .iter()
            .flat_map(|initial| self.named(&initial.targets))
            .collect()
    }

    /// All transitions with a source, in document order.
    pub fn transitions(&self) -> impl Iterator<Item = TransitionView<'_>> {
        self.transitions.iter().map(|transition| TransitionView {
            source: &self.nodes[transition.source].id,
            events: transition.events.iter().map(|event| &**event).collect(),
            condition: transition.condition.as_ref().map(Condition::source),
            targets: self.named(&transition.targets).collect(),
            internal: transition.internal,
        })
    }

    fn named<'a>(&'a self, targets: &'a [NodeId]) -> impl Iterator<Item = &'a str> {
        targets.iter().map(|target| &*self.nodes[*target].id)
    }

    pub(super) fn id(&self, node: NodeId) -> &Arc<str> {
        &self.nodes[node].id
    }

    pub(super) fn kind(&self, node: NodeId) -> NodeKind {
        self.nodes[node].kind
    }

    pub(super) fn is_descendant(&self, node: NodeId, ancestor: NodeId) -> bool {
        ancestor < node && node <= self.nodes[ancestor].last
    }

    pub(super) fn is_atomic(&self, node: NodeId) -> bool {
        matches!(self.kind(node), NodeKind::Atomic | NodeKind::Final)
    }

    /// Its parent, that one's parent and so on, up to but without `end`; `None` goes on to the document.
    pub(super) fn ancestors(
        &self,
        node: NodeId,
        end: Option<NodeId>,
    ) -> impl Iterator<Item = NodeId> + '_ {
        let mut here = node;
        std::iter::from_fn(move || {
            if here == ROOT {
                return None;
            }
            here = self.nodes[here].parent;
            (Some(here) != end).then_some(here)
        })
        .fuse()
    }

    /// The innermost compound state, or the document, that all of them are in.
    pub(super) fn common_compound(&self, nodes: &[NodeId]) -> NodeId {
        let Some((first, rest)) = nodes.split_first() else {
            return ROOT;
        };
        self.ancestors(*first, None)
            .find(|ancestor| {
                matches!(self.kind(*ancestor), NodeKind::Compound | NodeKind::Root)
                    && rest.iter().all(|node| self.is_descendant(*node, *ancestor))
            })
            .unwrap_or(ROOT)
    }
}
