//! What a machine is compiled from: names, not yet looked up.

use std::sync::Arc;

use crate::{Condition, GuardKind};

/// What a state is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKind {
    Initial,
    Stable,
    Terminal,
    Error,
    Parallel,
    /// Never rested in: its own transitions say where to go on.
    Choice,
}

/// One state.
#[derive(Clone, Debug)]
pub struct StateSpec {
    pub name: Arc<str>,
    pub kind: StateKind,
    pub parent: Option<Arc<str>>,
    pub initial_child: Option<Arc<str>>,
    pub regions: Vec<RegionSpec>,
    /// Where an entity goes that rests here for too long.
    pub timeout: Option<Arc<str>>,
    /// What data say of an entity that is in this state.
    pub when: Vec<GuardSpec>,
}

impl StateSpec {
    /// A state with nothing but a name and a kind.
    pub fn new(name: &str, kind: StateKind) -> Self {
        Self {
            name: name.into(),
            kind,
            parent: None,
            initial_child: None,
            regions: Vec::new(),
            timeout: None,
            when: Vec::new(),
        }
    }
}

/// A region of a parallel state.
#[derive(Clone, Debug)]
pub struct RegionSpec {
    pub name: Arc<str>,
    pub initial: Arc<str>,
    pub states: Vec<Arc<str>>,
    pub last: Option<Arc<str>>,
}

/// One transition.
#[derive(Clone, Debug)]
pub struct TransitionSpec {
    pub trigger: Arc<str>,
    pub sources: Vec<Arc<str>>,
    pub dest: Arc<str>,
    pub region: Option<Arc<str>>,
    pub guards: Vec<GuardSpec>,
    pub internal: bool,
    pub auto: bool,
    /// The lower, the earlier it is tried.
    pub priority: i64,
}

impl TransitionSpec {
    /// A transition with nothing but its ends.
    pub fn new(trigger: &str, source: &str, dest: &str) -> Self {
        Self {
            trigger: trigger.into(),
            sources: vec![source.into()],
            dest: dest.into(),
            region: None,
            guards: Vec::new(),
            internal: false,
            auto: false,
            priority: 0,
        }
    }
}

/// A condition of a transition.
#[derive(Clone, Debug)]
pub enum GuardSpec {
    /// Something that only the host can say, which is asked for it by number.
    Asked {
        label: Arc<str>,
        kind: GuardKind,
        number: usize,
    },
    /// Something that the context says.
    Condition {
        label: Arc<str>,
        kind: GuardKind,
        condition: Box<Condition>,
    },
    All(Vec<GuardSpec>),
    Any(Vec<GuardSpec>),
    Not(Box<GuardSpec>),
}

/// How events are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Lower,
    Upper,
}

/// What holds for the machine as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    pub normalizer: Option<Case>,
    /// Whether transitions are taken because of what data say.
    pub auto_route: bool,
    /// Whether a transition to where the entity is leaves and enters.
    pub reenter: bool,
}

/// A machine as it is written.
#[derive(Clone, Debug, Default)]
pub struct MachineSpec {
    pub states: Vec<StateSpec>,
    pub transitions: Vec<TransitionSpec>,
    pub settings: Settings,
}
