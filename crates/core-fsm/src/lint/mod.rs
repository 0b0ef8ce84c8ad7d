//! What is probably wrong with a machine that may run: found by looking at it, not by running it.
//!
//! - `finding`: one thing found
//! - `graph`: which states lead where; `reach`: states and regions that are never reached, left or finished
//! - `domain`, `conjunction`: the values that guards let pass; `order`: transitions that compete for one event
//! - `auto`: automatic steps without end
//! - `vocabulary`: names of guards, actions and context keys; secrets and code
mod auto;
mod conjunction;
mod domain;
mod finding;
mod graph;
mod order;
mod reach;
mod vocabulary;

pub use conjunction::Conjunction;
pub use finding::{Finding, LintSeverity};
pub use vocabulary::Registered;

use crate::config::Definition;

/// All that is found in a machine. With `registered`, names of guards and actions that aren't are found, too.
pub fn lint(definition: &Definition<'_>, registered: Option<&Registered>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let graph = graph::Graph::of(definition);
    reach::unreachable(definition, &graph, &mut findings);
    reach::dead_ends(definition, &mut findings);
    reach::dead_transitions(definition, &mut findings);
    order::check(definition, &mut findings);
    auto::cycles(definition, &mut findings);
    reach::livelocks(definition, &graph, &mut findings);
    reach::regions(definition, &mut findings);
    vocabulary::check(definition, registered, &mut findings);
    findings.retain(|finding| !finding.is_ignored(definition));
    findings
}
