use std::fmt::{Display, Formatter};
use std::sync::Arc;

/// Why a machine cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    UnknownParent {
        state: Arc<str>,
        parent: Arc<str>,
    },
    UnknownInitialChild {
        state: Arc<str>,
        initial_child: Arc<str>,
    },
    ParentCycle {
        state: Arc<str>,
    },
    InitialChildCycle {
        state: Arc<str>,
    },
    NoInitial {
        roots: Vec<Arc<str>>,
    },
    ManyInitial {
        initial: Vec<Arc<str>>,
    },
    UnknownSource {
        trigger: Arc<str>,
        source: Arc<str>,
    },
    UnknownDestination {
        trigger: Arc<str>,
        dest: Arc<str>,
    },
    UnknownTimeout {
        state: Arc<str>,
        dest: Arc<str>,
    },
    GuardsTooDeep {
        trigger: Arc<str>,
    },
    TooLarge,
}

/// What a fault is about, name by name.
pub type Details = Vec<(&'static str, Vec<Arc<str>>)>;

impl Fault {
    /// The names that a program may want to know.
    pub fn details(&self) -> Details {
        let one = |name: &Arc<str>| vec![name.clone()];
        match self {
            Self::UnknownParent { state, parent } => {
                vec![("state", one(state)), ("parent", one(parent))]
            }
            Self::UnknownInitialChild {
                state,
                initial_child,
            } => {
                vec![("state", one(state)), ("initial_child", one(initial_child))]
            }
            Self::ParentCycle { state } | Self::InitialChildCycle { state } => {
                vec![("state", one(state))]
            }
            Self::NoInitial { roots } => vec![("roots", roots.clone())],
            Self::ManyInitial { initial } => vec![("root_initial", initial.clone())],
            Self::UnknownSource { trigger, source } => {
                vec![("transition", one(trigger)), ("source", one(source))]
            }
            Self::UnknownDestination { trigger, dest } => {
                vec![("transition", one(trigger)), ("dest", one(dest))]
            }
            Self::UnknownTimeout { state, .. } => vec![("state", one(state))],
            Self::GuardsTooDeep { trigger } => vec![("transition", one(trigger))],
            Self::TooLarge => Vec::new(),
        }
    }

    /// Whether a detail is a list of names.
    pub fn is_list(detail: &str) -> bool {
        matches!(detail, "roots" | "root_initial")
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownParent { state, parent } => {
                write!(
                    formatter,
                    "State '{state}' references unknown parent '{parent}'"
                )
            }
            Self::UnknownInitialChild {
                state,
                initial_child,
            } => write!(
                formatter,
                "State '{state}' references unknown initial_child '{initial_child}'"
            ),
            Self::ParentCycle { state } => {
                write!(formatter, "Cycle in parent chain involving state '{state}'")
            }
            Self::InitialChildCycle { state } => {
                write!(
                    formatter,
                    "Cycle in initial_child chain involving state '{state}'"
                )
            }
            Self::NoInitial { .. } => {
                formatter.write_str("No initial state defined (no root state with type 'initial')")
            }
            Self::ManyInitial { .. } => formatter.write_str("Multiple root initial states defined"),
            Self::UnknownSource { source, .. } => {
                write!(
                    formatter,
                    "Transition references undefined source state: {source}"
                )
            }
            Self::UnknownDestination { dest, .. } => {
                write!(
                    formatter,
                    "Transition references undefined destination state: {dest}"
                )
            }
            Self::UnknownTimeout { dest, .. } => {
                write!(
                    formatter,
                    "State timeout references undefined destination: {dest}"
                )
            }
            Self::GuardsTooDeep { trigger } => write!(
                formatter,
                "Guards of transition '{trigger}' are nested more than {} levels deep",
                crate::guard::MAX_DEPTH
            ),
            Self::TooLarge => formatter
                .write_str("The machine has more states or transitions than can be numbered"),
        }
    }
}

impl std::error::Error for Fault {}
