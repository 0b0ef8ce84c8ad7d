use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::finding::{Finding, LintSeverity};
use super::graph::{Graph, Hosts, is_leaf};
use crate::Value;
use crate::config::{Definition, StateKind};

/// States that no entity can come to.
pub(super) fn unreachable(definition: &Definition<'_>, graph: &Graph, findings: &mut Vec<Finding>) {
    let Some(start) = definition
        .initial()
        .and_then(|state| definition.position(state.name))
    else {
        return;
    };
    let mut starts = vec![start];
    starts.extend(
        definition
            .config
            .and_then(|config| {
                config
                    .get("error_policy")?
                    .as_map()?
                    .get("default_fallback")
            })
            .and_then(Value::as_text)
            .and_then(|name| definition.position(name)),
    );
    let reached = graph.reached(definition, &starts);
    for (position, state) in definition.states.iter().enumerate() {
        if !reached[position] {
            findings.push(Finding::of_state(
                "unreachable_state",
                LintSeverity::Warning,
                position,
                format!(
                    "State '{}' is not reachable from the initial state",
                    state.name
                ),
                &[("state", Value::text(state.name))],
            ));
        }
    }
}

/// States that an entity rests in forever though they aren't terminal.
pub(super) fn dead_ends(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    let mut leaving = vec![false; definition.states.len()];
    for transition in &definition.transitions {
        for source in definition.sources(transition) {
            leaving[source] = true;
        }
    }
    for (position, state) in definition.states.iter().enumerate() {
        leaving[position] |= state.timeout.is_some();
    }
    let hosts = Hosts::among(definition);
    for (position, state) in definition.states.iter().enumerate() {
        let rests = state.kind != StateKind::Terminal && !state.is_compound();
        if !rests || leaving[position] {
            continue;
        }
        // What leads out of anything around it leads out of it; so does, for a parallel state, what its regions do.
        let mut around = definition.chain(state.name);
        around.extend(
            hosts
                .of(definition, position)
                .into_iter()
                .flat_map(|host| definition.chain(definition.states[host].name)),
        );
        around.extend(state.regions.iter().flat_map(|region| {
            region
                .members()
                .iter()
                .filter_map(|member| definition.position(member))
        }));
        if !around.iter().any(|position| leaving[*position]) {
            findings.push(Finding::of_state(
                "dead_end",
                LintSeverity::Warning,
                position,
                format!(
                    "Non-terminal state '{}' has no outbound transitions",
                    state.name
                ),
                &[("state", Value::text(state.name))],
            ));
        }
    }
}

/// Transitions that would leave terminal states.
pub(super) fn dead_transitions(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    for (position, transition) in definition.transitions.iter().enumerate() {
        let is_terminal = |source: &&&str| {
            definition
                .state(source)
                .is_some_and(|state| state.kind == StateKind::Terminal)
        };
        let sources: BTreeSet<&str> = transition
            .sources
            .iter()
            .filter(is_terminal)
            .copied()
            .collect();
        if sources.is_empty() {
            continue;
        }
        let named: Vec<String> = sources.iter().map(|name| format!("'{name}'")).collect();
        findings.push(Finding::of_transition(
            "dead_transition",
            LintSeverity::Warning,
            position,
            format!(
                "Transition '{}' from terminal state(s) [{}] can never fire",
                transition.trigger.unwrap_or_default(),
                named.join(", "),
            ),
            &[
                (
                    "trigger",
                    transition.trigger.map_or(Value::Null, Value::text),
                ),
                (
                    "sources",
                    Value::List(Arc::new(sources.into_iter().map(Value::text).collect())),
                ),
            ],
        ));
    }
}

/// Groups of states that are never left for a terminal one, in machines that have one.
pub(super) fn livelocks(definition: &Definition<'_>, graph: &Graph, findings: &mut Vec<Finding>) {
    let terminal: Vec<_> = positions(definition, |kind| kind == StateKind::Terminal);
    let Some(start) = definition
        .initial()
        .and_then(|state| definition.position(state.name))
    else {
        return;
    };
    if terminal.is_empty() {
        return;
    }
    let alive = graph.reached(definition, &[start]);
    let ending = graph.leading_to(definition, &terminal);
    let hosts = Hosts::among(definition);
    let mut done = HashSet::new();
    for (position, state) in definition.states.iter().enumerate() {
        if !alive[position]
            || ending[position]
            || done.contains(&position)
            || state.is_compound()
            || state.kind == StateKind::Terminal
            || !hosts.of(definition, position).is_empty()
        {
            continue;
        }
        let reached = graph.reached(definition, &[position]);
        if reached.iter().filter(|reached| **reached).count() > 1 {
            let members: Vec<_> = (0..reached.len())
                .filter(|inner| reached[*inner] && is_leaf(definition, *inner))
                .collect();
            done.extend(members.iter().copied());
            if members.len() < 2 {
                continue;
            }
            let names: Vec<_> = members
                .iter()
                .map(|inner| definition.states[*inner].name)
                .collect();
            findings.push(Finding::of_state(
                "livelock",
                LintSeverity::Warning,
                position,
                format!(
                    "No terminal state can be reached from '{}'",
                    names.join("', '")
                ),
                &[(
                    "states",
                    Value::list(names.into_iter().map(Value::text).collect()),
                )],
            ));
        }
    }
}

fn positions(definition: &Definition<'_>, wanted: impl Fn(StateKind) -> bool) -> Vec<usize> {
    definition
        .states
        .iter()
        .enumerate()
        .filter(|(_, state)| wanted(state.kind))
        .map(|(position, _)| position)
        .collect()
}

/// Regions that never come to their final state, and joins that therefore never fire.
pub(super) fn regions(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    for (position, state) in definition.states.iter().enumerate() {
        let joined = definition.transitions.iter().find_map(|transition| {
            (transition.trigger?.strip_prefix("_join_")? == state.name).then_some(transition)
        });
        let mut finished = !state.regions.is_empty();
        for region in &state.regions {
            let Some(last) = region.last else { continue };
            if finishes(definition, region.name, region.initial, last) {
                continue;
            }
            finished = false;
            findings.push(Finding::of_state(
                "region_never_final",
                LintSeverity::Warning,
                position,
                format!(
                    "Region '{}' of '{}' never comes to its final state '{last}'",
                    region.name, state.name
                ),
                &[
                    ("state", Value::text(state.name)),
                    ("region", Value::text(region.name)),
                    ("final", Value::text(last)),
                ],
            ));
        }
        let joinable = finished && state.regions.iter().any(|region| region.last.is_some());
        if joined.is_some() && !joinable {
            findings.push(Finding::of_state(
                "join_unreachable",
                LintSeverity::Warning,
                position,
                format!(
                    "Trigger '_join_{}' never comes: its regions don't all finish",
                    state.name
                ),
                &[("state", Value::text(state.name))],
            ));
        }
    }
}

fn finishes(definition: &Definition<'_>, region: &str, initial: &str, last: &str) -> bool {
    let mut seen = HashSet::from([initial]);
    let mut open = vec![initial];
    while let Some(here) = open.pop() {
        if here == last {
            return true;
        }
        for transition in &definition.transitions {
            let moves = transition.region == Some(region)
                && transition
                    .sources
                    .iter()
                    .any(|source| *source == here || *source == "*");
            if moves && seen.insert(transition.dest) {
                open.push(transition.dest);
            }
        }
    }
    false
}
