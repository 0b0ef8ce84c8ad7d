use super::finding::{Finding, LintSeverity};
use super::graph::{leaf, target};
use crate::Value;
use crate::config::Definition;

/// Rings of automatic transitions that nothing holds up.
pub(super) fn cycles(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    let next: Vec<Option<usize>> = (0..definition.states.len())
        .map(|position| step(definition, position))
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

/// Where the first unguarded automatic transition of a state, or of one around it, leads.
fn step(definition: &Definition<'_>, position: usize) -> Option<usize> {
    if leaf(definition, position) != position {
        return None;
    }
    let chain = definition.chain(definition.states[position].name);
    chain.iter().find_map(|node| {
        let mut autos: Vec<_> = definition
            .transitions
            .iter()
            .filter(|transition| transition.auto && definition.sources(transition).contains(node))
            .collect();
        autos.sort_by_key(|transition| transition.priority);
        autos
            .into_iter()
            .find(|transition| transition.guards.is_empty())
            .and_then(|transition| {
                if transition.internal {
                    Some(position)
                } else {
                    target(definition, transition).map(|target| leaf(definition, target))
                }
            })
    })
}
