use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::guard::Guards;
use crate::machine::{Destination, Region, Rule, Table, spelled};
use crate::{
    Fault, Hierarchy, Machine, MachineSpec, RuleId, Settings, StateId, StateKind, StateSpec,
    TransitionSpec, TriggerId,
};

impl Machine {
    /// Looks every name up and lays out what can be tried for which event.
    pub fn compile(spec: MachineSpec) -> Result<Self, Fault> {
        if spec.states.len() + spec.transitions.len() > (u32::MAX / 4) as usize {
            return Err(Fault::TooLarge);
        }
        let ids: Table<Arc<str>, StateId> = spec
            .states
            .iter()
            .zip(0..)
            .map(|(state, id)| (state.name.clone(), id))
            .collect();
        let names: Box<[Arc<str>]> = spec.states.iter().map(|state| state.name.clone()).collect();
        let hierarchy = hierarchy(&spec.states, &names, &ids)?;
        let initial = initial(&spec.states)?;
        let mut index = Index::new(spec.settings, ids);
        for transition in &spec.transitions {
            index.add(transition, &spec.states)?;
        }
        let mut when = Vec::with_capacity(spec.states.len());
        for state in &spec.states {
            index.add_timeout(state)?;
            when.push(index.guards.add(&state.when, &state.name)?);
        }
        let regions = spec
            .states
            .iter()
            .zip(0..)
            .filter(|(state, _)| !state.regions.is_empty())
            .map(|(state, id)| (id, regions(state, &index.ids)))
            .collect();
        Ok(Self {
            names,
            kinds: spec.states.iter().map(|state| state.kind).collect(),
            when: when.into(),
            regions,
            hierarchy,
            rules: index.rules.into(),
            guards: index.guards,
            triggers: index.triggers,
            candidates: sorted(index.candidates, &index.priorities),
            regional: sorted(index.regional, &index.priorities),
            automatic: sorted(index.automatic, &index.priorities),
            routed: sorted(index.routed, &index.priorities),
            ids: index.ids,
            initial,
            settings: spec.settings,
        })
    }
}

fn hierarchy(
    states: &[StateSpec],
    names: &[Arc<str>],
    ids: &Table<Arc<str>, StateId>,
) -> Result<Hierarchy, Fault> {
    let mut parents = Vec::with_capacity(states.len());
    let mut children = Vec::with_capacity(states.len());
    for state in states {
        parents.push(match &state.parent {
            None => None,
            Some(parent) => Some(*ids.get(parent).ok_or_else(|| Fault::UnknownParent {
                state: state.name.clone(),
                parent: parent.clone(),
            })?),
        });
        children.push(match &state.initial_child {
            None => None,
            Some(child) => Some(*ids.get(child).ok_or_else(|| Fault::UnknownInitialChild {
                state: state.name.clone(),
                initial_child: child.clone(),
            })?),
        });
    }
    Hierarchy::new(names, parents.into(), &children)
}

fn initial(states: &[StateSpec]) -> Result<StateId, Fault> {
    let roots = || {
        states
            .iter()
            .zip(0..)
            .filter(|(state, _)| state.parent.is_none())
    };
    let mut initial = roots().filter(|(state, _)| state.kind == StateKind::Initial);
    match (initial.next(), initial.next()) {
        (Some((_, id)), None) => Ok(id),
        (None, _) => Err(Fault::NoInitial {
            roots: roots().map(|(state, _)| state.name.clone()).collect(),
        }),
        (Some(_), Some(_)) => Err(Fault::ManyInitial {
            initial: roots()
                .filter(|(state, _)| state.kind == StateKind::Initial)
                .map(|(state, _)| state.name.clone())
                .collect(),
        }),
    }
}

fn regions(state: &StateSpec, ids: &Table<Arc<str>, StateId>) -> Box<[Region]> {
    state
        .regions
        .iter()
        .map(|region| Region {
            name: region.name.clone(),
            initial: ids.get(&region.initial).copied(),
            states: region
                .states
                .iter()
                .filter_map(|state| ids.get(state).copied())
                .collect(),
            last: region.last.as_ref().and_then(|last| ids.get(last).copied()),
        })
        .collect()
}

type Unsorted<K> = Table<K, Vec<RuleId>>;

struct Index {
    settings: Settings,
    ids: Table<Arc<str>, StateId>,
    rules: Vec<Rule>,
    priorities: Vec<i64>,
    guards: Guards,
    triggers: Table<Arc<str>, TriggerId>,
    candidates: Unsorted<(TriggerId, StateId)>,
    regional: Unsorted<(TriggerId, StateId)>,
    automatic: Unsorted<StateId>,
    routed: Unsorted<StateId>,
}

impl Index {
    fn new(settings: Settings, ids: Table<Arc<str>, StateId>) -> Self {
        Self {
            settings,
            ids,
            rules: Vec::new(),
            priorities: Vec::new(),
            guards: Guards::default(),
            triggers: Table::default(),
            candidates: Unsorted::default(),
            regional: Unsorted::default(),
            automatic: Unsorted::default(),
            routed: Unsorted::default(),
        }
    }

    fn add(&mut self, transition: &TransitionSpec, states: &[StateSpec]) -> Result<(), Fault> {
        let sources = transition
            .sources
            .iter()
            .map(|source| {
                self.ids
                    .get(source)
                    .copied()
                    .ok_or_else(|| Fault::UnknownSource {
                        trigger: transition.trigger.clone(),
                        source: source.clone(),
                    })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let trigger = self.trigger(&transition.trigger);
        let dest = self
            .destination(&transition.dest)
            .ok_or_else(|| Fault::UnknownDestination {
                trigger: transition.trigger.clone(),
                dest: transition.dest.clone(),
            })?;
        let rule = self.rules.len() as RuleId;
        let guards = self.guards.add(&transition.guards, &transition.trigger)?;
        let routed =
            matches!(dest, Destination::State(state) if !states[state as usize].when.is_empty());
        for source in &sources {
            if transition.region.is_some() {
                self.regional
                    .entry((trigger, *source))
                    .or_default()
                    .push(rule);
            } else if transition.auto {
                self.automatic.entry(*source).or_default().push(rule);
            } else {
                self.candidates
                    .entry((trigger, *source))
                    .or_default()
                    .push(rule);
                if routed && self.settings.auto_route {
                    self.routed.entry(*source).or_default().push(rule);
                }
            }
        }
        self.rules.push(Rule {
            trigger,
            dest,
            guards,
            internal: transition.internal,
            shared: sources.len() > 1,
            region: transition.region.clone(),
        });
        self.priorities.push(transition.priority);
        Ok(())
    }

    /// The way out of a state that nobody declared an event for.
    fn add_timeout(&mut self, state: &StateSpec) -> Result<(), Fault> {
        let Some(dest) = &state.timeout else {
            return Ok(());
        };
        let Some(target) = self.ids.get(dest).copied() else {
            return Err(Fault::UnknownTimeout {
                state: state.name.clone(),
                dest: dest.clone(),
            });
        };
        let trigger = self.trigger(&format!("_timeout_{}", state.name).into());
        let rule = self.rules.len() as RuleId;
        if let Some(source) = self.ids.get(&state.name) {
            self.candidates
                .entry((trigger, *source))
                .or_default()
                .push(rule);
        }
        self.rules.push(Rule {
            trigger,
            dest: Destination::State(target),
            guards: Box::default(),
            internal: false,
            shared: false,
            region: None,
        });
        self.priorities.push(0);
        Ok(())
    }

    fn trigger(&mut self, trigger: &Arc<str>) -> TriggerId {
        let name =
            spelled(trigger, self.settings.normalizer).map_or_else(|| trigger.clone(), Into::into);
        let next = self.triggers.len() as TriggerId;
        match self.triggers.entry(name) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(next),
        }
    }

    fn destination(&self, dest: &str) -> Option<Destination> {
        if let Some(state) = self.ids.get(dest) {
            return Some(Destination::State(*state));
        }
        let inner = dest.strip_prefix('H')?.strip_suffix(')')?;
        if let Some(compound) = inner.strip_prefix("*(") {
            return Some(Destination::Deep(*self.ids.get(compound)?));
        }
        Some(Destination::Shallow(
            *self.ids.get(inner.strip_prefix('(')?)?,
        ))
    }
}

/// Candidates in the order in which they are tried: by priority, then as they are written.
fn sorted<K: Eq + std::hash::Hash>(
    rules: Unsorted<K>,
    priorities: &[i64],
) -> Table<K, Box<[RuleId]>> {
    rules
        .into_iter()
        .map(|(key, mut rules)| {
            rules.sort_by_key(|rule| priorities[*rule as usize]);
            (key, rules.into())
        })
        .collect()
}
