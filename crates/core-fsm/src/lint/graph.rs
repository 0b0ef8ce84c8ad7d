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

/// What becomes active together with a state: the parents around it, what it begins with inside, and where its regions
/// begin.
pub(super) fn entered(definition: &Definition<'_>, position: usize) -> Vec<usize> {
    let state = &definition.states[position];
    let mut entered: Vec<_> = definition.chain(state.name).into_iter().skip(1).collect();
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

/// The parallel states that list a state, or one around it, in a region.
pub(super) fn hosts(definition: &Definition<'_>, position: usize) -> Vec<usize> {
    let chain = definition.chain(definition.states[position].name);
    definition
        .states
        .iter()
        .enumerate()
        .filter(|(_, state)| {
            state.kind == StateKind::Parallel
                && state.regions.iter().any(|region| {
                    chain
                        .iter()
                        .any(|inner| region.members().contains(&definition.states[*inner].name))
                })
        })
        .map(|(position, _)| position)
        .collect()
}
