use std::collections::BTreeSet;

use crate::config::{Definition, StateKind};

/// Numbers about a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub total_states: usize,
    pub initial_states: usize,
    pub terminal_states: usize,
    pub stable_states: usize,
    pub total_transitions: usize,
    pub guarded_transitions: usize,
    pub actioned_transitions: usize,
    pub unique_triggers: usize,
    pub triggers: Vec<String>,
    pub states_with_timeouts: usize,
    pub max_fan_out: usize,
    pub fan_out_by_state: Vec<(String, usize)>,
}

/// Counts what a machine is made of. Only initial and terminal states aren't counted as stable.
pub fn statistics(definition: &Definition<'_>) -> Statistics {
    let count = |kind| {
        definition
            .states
            .iter()
            .filter(|state| state.kind == kind)
            .count()
    };
    let mut fan_out = vec![0; definition.states.len()];
    let mut triggers = BTreeSet::new();
    for transition in &definition.transitions {
        for source in definition.sources(transition) {
            fan_out[source] += 1;
        }
        if let Some(trigger) = transition.trigger {
            triggers.insert(trigger.to_owned());
        }
    }
    let (initial, terminal) = (count(StateKind::Initial), count(StateKind::Terminal));
    Statistics {
        total_states: definition.states.len(),
        initial_states: initial,
        terminal_states: terminal,
        stable_states: definition.states.len() - initial - terminal,
        total_transitions: definition.transitions.len(),
        guarded_transitions: definition
            .transitions
            .iter()
            .filter(|transition| !transition.guards.is_empty())
            .count(),
        actioned_transitions: definition
            .transitions
            .iter()
            .filter(|transition| !transition.actions.is_empty())
            .count(),
        unique_triggers: triggers.len(),
        triggers: triggers.into_iter().collect(),
        states_with_timeouts: definition
            .states
            .iter()
            .filter(|state| state.timeout.is_some())
            .count(),
        max_fan_out: fan_out.iter().copied().max().unwrap_or(0),
        fan_out_by_state: definition
            .states
            .iter()
            .zip(fan_out)
            .map(|(state, fan_out)| (state.name.to_owned(), fan_out))
            .collect(),
    }
}
