//! Which transitions are taken, and which states they leave.

use super::chart::{Chart, NodeId, NodeKind, Transition};
use super::event::describes;
use super::run::Run;

impl Run<'_> {
    /// The transitions that an event enables, or that need none: for each active leaf the first on the way up, in document order.
    pub(super) fn select(&mut self, event: Option<&str>) -> Vec<usize> {
        let chart = self.chart;
        let leaves: Vec<_> = self
            .state
            .configuration
            .iter()
            .copied()
            .filter(|node| chart.is_atomic(*node))
            .collect();
        let mut enabled = Vec::new();
        for leaf in leaves {
            let chain = std::iter::once(leaf).chain(chart.ancestors(leaf, None));
            'chain: for node in chain {
                for number in &chart.nodes[node].transitions {
                    if self.is_enabled(*number, event) {
                        if !enabled.contains(number) {
                            enabled.push(*number);
                        }
                        break 'chain;
                    }
                }
            }
        }
        self.without_conflicts(&enabled)
    }

    fn is_enabled(&mut self, number: usize, event: Option<&str>) -> bool {
        let transition = &self.chart.transitions[number];
        let meant = match event {
            None => transition.events.is_empty(),
            Some(name) => transition
                .events
                .iter()
                .any(|descriptor| describes(descriptor, name)),
        };
        if !meant {
            return false;
        }
        let passed = match &transition.condition {
            None => Ok(true),
            Some(condition) => self.holds(condition),
        };
        let passed = match (&transition.lost, passed) {
            (Some(target), Ok(true)) => Err(format!("there is no state '{target}'")),
            (_, passed) => passed,
        };
        passed.unwrap_or_else(|message| {
            if self.told.insert(number) {
                self.raise_error("error.execution", message, None);
            }
            false
        })
    }

    /// Of transitions that would leave the same states, the innermost goes, else the first.
    fn without_conflicts(&self, enabled: &[usize]) -> Vec<usize> {
        if enabled.len() < 2 {
            return enabled.to_vec();
        }
        let chart = self.chart;
        let mut kept: Vec<(usize, Vec<NodeId>)> = Vec::new();
        for number in enabled {
            let transition = &chart.transitions[*number];
            let leaves = self.exit_set(&[transition]);
            let rivals: Vec<_> = kept
                .iter()
                .filter(|(_, others)| others.iter().any(|node| leaves.contains(node)))
                .map(|(rival, _)| *rival)
                .collect();
            let wins = rivals.iter().all(|rival| {
                chart.is_descendant(transition.source, chart.transitions[*rival].source)
            });
            if wins {
                kept.retain(|(rival, _)| !rivals.contains(rival));
                kept.push((*number, leaves));
            }
        }
        kept.into_iter().map(|(number, _)| number).collect()
    }

    /// The active states that transitions leave, innermost first.
    pub(super) fn exit_set(&self, transitions: &[&Transition]) -> Vec<NodeId> {
        let domains: Vec<_> = transitions
            .iter()
            .filter_map(|transition| self.domain(transition))
            .collect();
        self.state
            .configuration
            .iter()
            .rev()
            .copied()
            .filter(|node| {
                domains
                    .iter()
                    .any(|domain| self.chart.is_descendant(*node, *domain))
            })
            .collect()
    }

    /// The state that a transition stays in while everything inside may change; none without targets.
    pub(super) fn domain(&self, transition: &Transition) -> Option<NodeId> {
        let chart = self.chart;
        let targets = self.effective_targets(transition);
        if targets.is_empty() {
            return None;
        }
        let inside = transition.internal
            && chart.kind(transition.source) == NodeKind::Compound
            && targets
                .iter()
                .all(|target| chart.is_descendant(*target, transition.source));
        if inside {
            return Some(transition.source);
        }
        let mut ends = vec![transition.source];
        ends.extend(targets);
        Some(chart.common_compound(&ends))
    }

    /// Its targets, histories as what they stand for now.
    pub(super) fn effective_targets(&self, transition: &Transition) -> Vec<NodeId> {
        let mut targets = Vec::new();
        for target in &transition.targets {
            expand(self.chart, &self.state.history, *target, &mut targets);
        }
        targets
    }
}

fn expand(
    chart: &Chart,
    history: &std::collections::BTreeMap<NodeId, Vec<NodeId>>,
    target: NodeId,
    targets: &mut Vec<NodeId>,
) {
    let node = &chart.nodes[target];
    if !node.is_history() {
        if !targets.contains(&target) {
            targets.push(target);
        }
    } else if let Some(remembered) = history.get(&target) {
        for state in remembered {
            if !targets.contains(state) {
                targets.push(*state);
            }
        }
    } else if let Some(default) = &node.initial {
        for state in &default.targets {
            expand(chart, history, *state, targets);
        }
    }
}
