use std::collections::HashSet;

use crate::config::{Definition, Destination, StateKind, TransitionDefinition};

/// Which states lead to which, by anything that can move an entity.
#[derive(Debug)]
pub(super) struct Graph {
    /// For each state, those that become active when it is left.
    pub(super) next: Vec<Vec<usize>>,
}

impl Graph {
    pub(super) fn of(definition: &Definition<'_>) -> Self {
        let mut next = vec![Vec::new(); definition.states.len()];
        for transition in &definition.transitions {
            let Some(target) = target(definition, transition) else {
                continue;
            };
            for source in definition.sources(transition) {
                next[source].push(target);
            }
        }
        for (position, state) in definition.states.iter().enumerate() {
            let timeout = state.timeout.map(|timeout| timeout.destination);
            next[position].extend(timeout.and_then(|name| definition.position(name)));
        }
        Self { next }
    }

    /// The states that become active sooner or later when one is entered.
    pub(super) fn reached(&self, definition: &Definition<'_>, starts: &[usize]) -> Vec<bool> {
        let mut reached = vec![false; self.next.len()];
        let mut open = starts.to_vec();
        while let Some(position) = open.pop() {
            if std::mem::replace(&mut reached[position], true) {
                continue;
            }
            open.extend(entered(definition, position));
            open.extend(&self.next[position]);
        }
        reached
    }

    /// The states from which one of several is reached sooner or later.
    pub(super) fn leading_to(&self, definition: &Definition<'_>, ends: &[usize]) -> Vec<bool> {
        let mut before = vec![Vec::new(); self.next.len()];
        for (position, next) in self.next.iter().enumerate() {
            for target in entered(definition, position).iter().chain(next) {
                before[*target].push(position);
            }
        }
        let mut leading = vec![false; self.next.len()];
        let mut open = ends.to_vec();
        while let Some(position) = open.pop() {
            if !std::mem::replace(&mut leading[position], true) {
                open.extend(&before[position]);
            }
        }
        leading
    }
}

/// The state that a transition leads to.
pub(super) fn target(
    definition: &Definition<'_>,
    transition: &TransitionDefinition<'_>,
) -> Option<usize> {
    match Destination::of(transition.dest) {
        Destination::History { parent, .. } => definition.position(parent),
        _ => definition.position(definition.point(transition.dest, true)),
    }
}

/// What becomes active together with a state: its parent, what it begins with inside, and where its regions begin.
fn entered(definition: &Definition<'_>, position: usize) -> Vec<usize> {
    let state = &definition.states[position];
    let mut entered = Vec::new();
    entered.extend(state.parent.and_then(|parent| definition.position(parent)));
    entered.extend(
        state
            .initial_child
            .and_then(|child| definition.position(child)),
    );
    entered.extend(
        state
            .regions
            .iter()
            .filter_map(|region| definition.position(region.initial)),
    );
    entered
}

/// Whether a state has no other that it begins with.
pub(super) fn is_leaf(definition: &Definition<'_>, position: usize) -> bool {
    let child = definition.states[position].initial_child;
    child.is_none_or(|child| {
        definition
            .position(child)
            .is_none_or(|child| child == position)
    })
}

/// The state that is rested in when one is entered.
pub(super) fn leaf(definition: &Definition<'_>, position: usize) -> usize {
    let mut here = position;
    for _ in 0..definition.states.len() {
        let child = definition.states[here]
            .initial_child
            .and_then(|child| definition.position(child));
        match child {
            Some(child) => here = child,
            None => break,
        }
    }
    here
}

/// The parallel states that list states in regions.
#[derive(Debug)]
pub(super) struct Hosts {
    parallel: Vec<usize>,
}

impl Hosts {
    pub(super) fn among(definition: &Definition<'_>) -> Self {
        let states = definition.states.iter().enumerate();
        let parallel = states
            .filter(|(_, state)| state.kind == StateKind::Parallel && !state.regions.is_empty())
            .map(|(position, _)| position)
            .collect();
        Self { parallel }
    }

    /// Those that list a state, or one around it.
    pub(super) fn of(&self, definition: &Definition<'_>, position: usize) -> Vec<usize> {
        if self.parallel.is_empty() {
            return Vec::new();
        }
        let chain = definition.chain(definition.states[position].name);
        let names: HashSet<_> = chain
            .iter()
            .map(|inner| definition.states[*inner].name)
            .collect();
        let lists = |host: &&usize| {
            let mut regions = definition.states[**host].regions.iter();
            regions.any(|region| region.members().iter().any(|member| names.contains(member)))
        };
        self.parallel.iter().filter(lists).copied().collect()
    }
}
