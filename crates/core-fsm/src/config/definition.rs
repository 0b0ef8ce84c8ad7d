use std::collections::{HashMap, HashSet};

use super::kind;
use crate::{Map, Value};

/// Up to how many states around one another are looked through one by one.
const SHORT_CHAIN: usize = 16;

/// What a state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKind {
    Initial,
    Stable,
    Terminal,
    Error,
    Parallel,
    Choice,
}

impl StateKind {
    fn of(value: Option<&Value>) -> Self {
        match value.and_then(Value::as_text) {
            Some("initial") => Self::Initial,
            Some("terminal") => Self::Terminal,
            Some("error") => Self::Error,
            Some("parallel") => Self::Parallel,
            Some("choice") => Self::Choice,
            _ => Self::Stable,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Stable => "stable",
            Self::Terminal => "terminal",
            Self::Error => "error",
            Self::Parallel => "parallel",
            Self::Choice => "choice",
        }
    }
}

/// A configuration read as states and transitions: what its rules, its drawings and its analysis look at. It borrows all
/// from the configuration, and leaves out what has no sensible form, so any value can be read.
#[derive(Debug)]
pub struct Definition<'a> {
    pub name: Option<&'a str>,
    pub meta: Option<&'a Map>,
    pub states: Vec<StateDefinition<'a>>,
    pub transitions: Vec<TransitionDefinition<'a>>,
    pub config: Option<&'a Map>,
    index: HashMap<&'a str, usize>,
}

#[derive(Debug)]
pub struct StateDefinition<'a> {
    pub name: &'a str,
    pub kind: StateKind,
    pub description: &'a str,
    pub parent: Option<&'a str>,
    pub initial_child: Option<&'a str>,
    pub regions: Vec<RegionDefinition<'a>>,
    pub on_enter: Vec<&'a Value>,
    pub on_exit: Vec<&'a Value>,
    pub timeout: Option<TimeoutDefinition<'a>>,
    pub entry_points: Vec<&'a str>,
    pub exit_points: Vec<&'a str>,
    pub when: &'a [Value],
    pub config: &'a Map,
}

#[derive(Debug)]
pub struct RegionDefinition<'a> {
    pub name: &'a str,
    pub initial: &'a str,
    /// The members that are listed; without a list, those that the region's initial state stands for alone.
    pub states: Option<Vec<&'a str>>,
    pub last: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeoutDefinition<'a> {
    pub seconds: f64,
    pub destination: &'a str,
}

#[derive(Debug)]
pub struct TransitionDefinition<'a> {
    pub trigger: Option<&'a str>,
    pub sources: Vec<&'a str>,
    pub dest: &'a str,
    pub region: Option<&'a str>,
    pub guards: Vec<&'a Value>,
    pub actions: Vec<&'a Value>,
    pub after: Option<&'a Value>,
    pub internal: bool,
    pub auto: bool,
    pub priority: i64,
    pub description: &'a str,
    pub config: &'a Map,
}

impl TransitionDefinition<'_> {
    /// Whether it leaves from every state that isn't terminal. A star beside other sources is a name like any.
    pub fn is_everywhere(&self) -> bool {
        self.sources == ["*"]
    }
}

/// Where a transition leads, as its `dest` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    State(&'a str),
    /// `H(parent)`; deep is `H*(parent)`.
    History {
        parent: &'a str,
        deep: bool,
    },
    /// `parent:point`.
    Point {
        parent: &'a str,
        point: &'a str,
    },
}

impl<'a> Destination<'a> {
    pub fn of(text: &'a str) -> Self {
        let history = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix(')');
        if let Some(parent) = history("H(") {
            Self::History {
                parent,
                deep: false,
            }
        } else if let Some(parent) = history("H*(") {
            Self::History { parent, deep: true }
        } else if let Some((parent, point)) = text.split_once(':') {
            Self::Point { parent, point }
        } else {
            Self::State(text)
        }
    }
}

impl<'a> Definition<'a> {
    pub fn read(config: &'a Value) -> Self {
        let map = config.as_map();
        let items = |key: &str| {
            map.and_then(|map| map.get(key))
                .and_then(Value::as_items)
                .unwrap_or_default()
        };
        let meta = map.and_then(|map| map.get("meta")).and_then(Value::as_map);
        let states: Vec<_> = items("states")
            .iter()
            .filter_map(|item| StateDefinition::read(item.as_map()?))
            .collect();
        let mut index = HashMap::with_capacity(states.len());
        for (position, state) in states.iter().enumerate() {
            index.entry(state.name).or_insert(position);
        }
        Self {
            name: meta
                .and_then(|meta| meta.get("machine_name").or_else(|| meta.get("name")))
                .and_then(Value::as_text),
            meta,
            transitions: items("transitions")
                .iter()
                .filter_map(|item| TransitionDefinition::read(item.as_map()?))
                .collect(),
            states,
            config: map,
            index,
        }
    }

    pub fn state(&self, name: &str) -> Option<&StateDefinition<'a>> {
        self.index.get(name).map(|position| &self.states[*position])
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The state that a machine begins in, before its initial children are followed.
    pub fn initial(&self) -> Option<&StateDefinition<'a>> {
        self.states
            .iter()
            .find(|state| state.kind == StateKind::Initial && state.parent.is_none())
            .or_else(|| {
                self.states
                    .iter()
                    .find(|state| state.kind == StateKind::Initial)
            })
    }

    /// The state itself and those around it, innermost first.
    pub fn chain(&self, name: &str) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut seen = HashSet::new();
        let mut next = self.position(name);
        while let Some(position) = next {
            // Most chains are short, and looking through those is quicker; of long ones it would take ever longer.
            let is_ring = if chain.len() < SHORT_CHAIN {
                chain.contains(&position)
            } else {
                seen.extend(chain[seen.len()..].iter().copied());
                seen.contains(&position)
            };
            if is_ring {
                break;
            }
            chain.push(position);
            next = self.states[position]
                .parent
                .and_then(|parent| self.position(parent));
        }
        chain
    }

    /// The states whose parent is this one.
    pub fn children(&self, name: &str) -> impl Iterator<Item = usize> {
        self.states
            .iter()
            .enumerate()
            .filter(move |(_, state)| state.parent == Some(name))
            .map(|(position, _)| position)
    }

    /// The states that a transition leaves from: a star is every state that isn't terminal.
    pub fn sources(&self, transition: &TransitionDefinition<'a>) -> Vec<usize> {
        if transition.is_everywhere() {
            return self
                .states
                .iter()
                .enumerate()
                .filter(|(_, state)| state.kind != StateKind::Terminal)
                .map(|(position, _)| position)
                .collect();
        }
        transition
            .sources
            .iter()
            .filter_map(|source| self.position(self.point(source, false)))
            .collect()
    }

    /// The state that a `dest` or a `source` means: for history the compound state, for a point the child of its name.
    pub fn point<'t>(&self, text: &'t str, entry: bool) -> &'t str
    where
        'a: 't,
    {
        match Destination::of(text) {
            Destination::State(name) => name,
            Destination::History { parent, .. } => parent,
            Destination::Point { parent, point } => {
                let declared = self.state(parent).is_some_and(|state| {
                    if entry {
                        state.entry_points.contains(&point)
                    } else {
                        state.exit_points.contains(&point)
                    }
                });
                match self.point_child(parent, point) {
                    Some(child) if declared => child,
                    _ => text,
                }
            }
        }
    }

    /// The child that a point of a compound state names.
    fn point_child(&self, parent: &str, point: &str) -> Option<&'a str> {
        self.children(parent)
            .map(|position| self.states[position].name)
            .find(|child| *child == point)
    }
}

impl<'a> StateDefinition<'a> {
    fn read(map: &'a Map) -> Option<Self> {
        Some(Self {
            name: map.get("name")?.as_text()?,
            kind: StateKind::of(map.get("type")),
            description: text(map, "description").unwrap_or_default(),
            parent: text(map, "parent"),
            initial_child: text(map, "initial_child"),
            regions: items(map, "regions")
                .iter()
                .filter_map(|item| RegionDefinition::read(item.as_map()?))
                .collect(),
            on_enter: one_or_many(map.get("on_enter")),
            on_exit: one_or_many(map.get("on_exit")),
            timeout: map
                .get("timeout")
                .and_then(Value::as_map)
                .and_then(|timeout| {
                    Some(TimeoutDefinition {
                        seconds: kind::as_number(timeout.get("seconds")?)?,
                        destination: timeout.get("destination")?.as_text()?,
                    })
                }),
            entry_points: texts(map, "entry_points"),
            exit_points: texts(map, "exit_points"),
            when: items(map, "when"),
            config: map,
        })
    }

    pub fn is_compound(&self) -> bool {
        self.initial_child.is_some()
    }
}

impl<'a> RegionDefinition<'a> {
    fn read(map: &'a Map) -> Option<Self> {
        Some(Self {
            name: map.get("name")?.as_text()?,
            initial: map.get("initial")?.as_text()?,
            states: map
                .get("states")
                .and_then(Value::as_items)
                .filter(|states| !states.is_empty())
                .map(|states| states.iter().filter_map(Value::as_text).collect()),
            last: text(map, "final"),
        })
    }

    /// The states of the region, its initial state at least.
    pub fn members(&self) -> &[&'a str] {
        self.states
            .as_deref()
            .unwrap_or(std::slice::from_ref(&self.initial))
    }
}

impl<'a> TransitionDefinition<'a> {
    fn read(map: &'a Map) -> Option<Self> {
        let flag = |key| map.get(key).and_then(kind::as_boolean).unwrap_or(false);
        Some(Self {
            trigger: text(map, "trigger"),
            sources: match map.get("source")? {
                Value::Text(source) => vec![source],
                other => other
                    .as_items()?
                    .iter()
                    .filter_map(Value::as_text)
                    .collect(),
            },
            dest: map.get("dest")?.as_text()?,
            region: text(map, "region"),
            guards: one_or_many(map.get("guards")),
            actions: one_or_many(map.get("actions")),
            after: map.get("after").filter(|after| !after.is_null()),
            internal: flag("internal"),
            auto: flag("auto"),
            priority: map.get("priority").and_then(kind::as_whole).unwrap_or(0),
            description: text(map, "description").unwrap_or_default(),
            config: map,
        })
    }
}

/// A text that says something.
fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key)
        .and_then(Value::as_text)
        .filter(|text| !text.is_empty())
}

fn items<'a>(map: &'a Map, key: &str) -> &'a [Value] {
    map.get(key).and_then(Value::as_items).unwrap_or_default()
}

fn texts<'a>(map: &'a Map, key: &str) -> Vec<&'a str> {
    items(map, key).iter().filter_map(Value::as_text).collect()
}

/// The items of a list, or the one item that stands in place of it.
fn one_or_many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::List(items) | Value::Tuple(items)) => items.iter().collect(),
        Some(Value::Map(map)) if map.is_empty() => Vec::new(),
        Some(item @ (Value::Text(_) | Value::Map(_))) => vec![item],
        _ => Vec::new(),
    }
}
