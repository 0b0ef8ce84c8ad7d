use super::finding::{Finding, LintSeverity};
use super::graph::{is_leaf, leaf, target};
use crate::Value;
use crate::config::{Definition, TransitionDefinition};

/// Rings of automatic transitions that nothing holds up.
pub(super) fn cycles(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    let firsts = firsts(definition);
    let next: Vec<Option<usize>> = (0..definition.states.len())
        .map(|position| step(definition, &firsts, position))
        .collect();
    let mut round = vec![0; next.len()];
    for start in 0..next.len() {
        let mut here = Some(start);
        while let Some(position) = here {
            if round[position] == start + 1 {
                let mut ring = vec![position];
                let mut member = next[position];
                while let Some(inner) = member.filter(|inner| *inner != position) {
                    ring.push(inner);
                    member = next[inner];
                }
                let names: Vec<_> = ring
                    .iter()
                    .map(|inner| definition.states[*inner].name)
                    .collect();
                findings.push(Finding::of_state(
                    "auto_cycle",
                    LintSeverity::Error,
                    position,
                    format!(
                        "Automatic transitions without guards go round forever: {} -> {}",
                        names.join(" -> "),
                        names[0]
                    ),
                    &[(
                        "states",
                        Value::list(names.iter().map(Value::text).collect()),
                    )],
                ));
                break;
            }
            if round[position] != 0 {
                break;
            }
            round[position] = start + 1;
            here = next[position];
        }
    }
}

/// The first unguarded automatic transition of each state.
fn firsts<'d, 'a>(definition: &'d Definition<'a>) -> Vec<Option<&'d TransitionDefinition<'a>>> {
    let mut firsts: Vec<Option<&TransitionDefinition<'_>>> = vec![None; definition.states.len()];
    for transition in &definition.transitions {
        if !transition.auto || !transition.guards.is_empty() {
            continue;
        }
        for source in definition.sources(transition) {
            let first = &mut firsts[source];
            if first.is_none_or(|first| transition.priority < first.priority) {
                *first = Some(transition);
            }
        }
    }
    firsts
}

/// Where the first unguarded automatic transition of a state, or of one around it, leads.
fn step(
    definition: &Definition<'_>,
    firsts: &[Option<&TransitionDefinition<'_>>],
    position: usize,
) -> Option<usize> {
    if !is_leaf(definition, position) {
        return None;
    }
    let chain = definition.chain(definition.states[position].name);
    chain.iter().find_map(|node| {
        let transition = firsts[*node]?;
        if transition.internal {
            Some(position)
        } else {
            target(definition, transition).map(|target| leaf(definition, target))
        }
    })
}
