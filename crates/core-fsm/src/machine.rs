//! A machine, compiled: names are numbers, and what can be tried for an event is looked up, not searched.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::guard::Guards;
use crate::spec::Case;
use crate::{Hierarchy, Settings, StateId, StateKind};

/// The number of a transition: its place in the machine, generated ones behind them.
pub type RuleId = u32;
/// The number of a trigger.
pub type TriggerId = u32;

pub(crate) type Table<K, V> = HashMap<K, V, RandomState>;
pub(crate) type Candidates = Table<(TriggerId, StateId), Box<[RuleId]>>;

/// Where a transition leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    State(StateId),
    /// Where the state was when it was left, one level down.
    Shallow(StateId),
    /// The same, all levels down.
    Deep(StateId),
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) trigger: TriggerId,
    pub(crate) dest: Destination,
    pub(crate) guards: Box<[u32]>,
    pub(crate) internal: bool,
    /// Whether it has several sources, and may be met twice on the way from a leaf to the root.
    pub(crate) shared: bool,
    pub(crate) region: Option<Arc<str>>,
}

/// A region of a parallel state.
#[derive(Debug)]
pub struct Region {
    pub name: Arc<str>,
    pub initial: Option<StateId>,
    /// The states that it lists; none if it lists none.
    pub states: Box<[StateId]>,
    pub last: Option<StateId>,
}

/// A machine that can be asked what an event does. It never changes.
#[derive(Debug)]
pub struct Machine {
    pub(crate) names: Box<[Arc<str>]>,
    pub(crate) ids: Table<Arc<str>, StateId>,
    pub(crate) kinds: Box<[StateKind]>,
    pub(crate) when: Box<[Box<[u32]>]>,
    pub(crate) regions: Table<StateId, Box<[Region]>>,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) rules: Box<[Rule]>,
    pub(crate) guards: Guards,
    pub(crate) triggers: Table<Arc<str>, TriggerId>,
    pub(crate) candidates: Candidates,
    pub(crate) regional: Candidates,
    pub(crate) automatic: Table<StateId, Box<[RuleId]>>,
    pub(crate) routed: Table<StateId, Box<[RuleId]>>,
    pub(crate) initial: StateId,
    pub(crate) settings: Settings,
}

impl Machine {
    /// The number of a state.
    pub fn state(&self, name: &str) -> Option<StateId> {
        self.ids.get(name).copied()
    }

    /// The number of a trigger that is spelled as the machine spells it.
    pub fn trigger(&self, name: &str) -> Option<TriggerId> {
        self.triggers.get(name).copied()
    }

    /// A trigger as the machine spells it, if that is another way than it came.
    pub fn normalized(&self, trigger: &str) -> Option<String> {
        spelled(trigger, self.settings.normalizer)
    }

    pub fn name(&self, state: StateId) -> &Arc<str> {
        &self.names[state as usize]
    }

    pub fn kind(&self, state: StateId) -> StateKind {
        self.kinds[state as usize]
    }

    pub fn hierarchy(&self) -> &Hierarchy {
        &self.hierarchy
    }

    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// The leaf that entities begin in.
    pub fn initial_leaf(&self) -> StateId {
        self.hierarchy.initial_leaf(self.initial)
    }

    /// The regions of a parallel state; none of any other.
    pub fn regions(&self, state: StateId) -> &[Region] {
        self.regions.get(&state).map_or(&[], |regions| regions)
    }

    /// Whether states may be left without an event.
    pub fn moves_alone(&self) -> bool {
        self.settings.auto_route || !self.automatic.is_empty()
    }

    /// Whether the destination of a transition is reached without leaving anything.
    pub fn is_internal(&self, rule: RuleId) -> bool {
        self.rules[rule as usize].internal
    }
}

/// A trigger in the given spelling, if that is not the one it has.
pub(crate) fn spelled(trigger: &str, case: Option<Case>) -> Option<String> {
    let spelled = match case? {
        Case::Lower => trigger.to_lowercase(),
        Case::Upper => trigger.to_uppercase(),
    };
    (spelled != trigger).then_some(spelled)
}
