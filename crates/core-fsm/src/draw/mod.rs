//! Drawings of machines, as text for other programs and as pictures of our own.
//!
//! - `nesting`, `arrow`, `label`: what every drawing shows: states in states, arrows, and what is written on them
//! - `mermaid`, `flowchart`, `dot`, `plantuml`: text for drawing programs
//! - `scxml`, `xstate`, `asl`: definitions for other engines
//! - `layers`, `layout`, `svg`: pictures without any other program
//! - `statistics`: numbers about a machine
mod arrow;
mod asl;
mod dot;
mod flowchart;
mod label;
mod layers;
mod layout;
mod mermaid;
mod nesting;
mod plantuml;
mod scxml;
mod statistics;
mod svg;
mod xstate;

pub use asl::to_asl;
pub use dot::to_dot;
pub use flowchart::to_mermaid_flowchart;
pub use label::{action_label, guard_label};
pub use mermaid::to_mermaid;
pub use plantuml::to_plantuml;
pub use scxml::to_scxml;
pub use statistics::{Statistics, statistics};
pub use svg::to_svg;
pub use xstate::to_xstate;

use crate::config::{Definition, Destination, TransitionDefinition};

/// How many states may stand in one another in what is drawn. Drawing goes inwards with the stack of its thread.
pub const MOST_NESTED: usize = 200;

/// Whether more states stand in one another than can be drawn. Steps of Step Functions stand beside one another.
pub fn is_too_deep(definition: &Definition<'_>) -> bool {
    nesting::Nesting::of(definition).depth() > MOST_NESTED
}

/// What a drawing shows.
#[derive(Clone, Debug)]
pub struct DrawOptions {
    pub title: Option<String>,
    pub guards: bool,
    pub actions: bool,
    pub timeouts: bool,
    /// `TB`, `LR`, `BT` or `RL`.
    pub direction: String,
    /// The states that are active.
    pub highlight: Vec<String>,
    /// The steps that were made, from and to.
    pub trace: Vec<(String, String)>,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self {
            title: None,
            guards: true,
            actions: false,
            timeouts: true,
            direction: "TB".to_owned(),
            highlight: Vec::new(),
            trace: Vec::new(),
        }
    }
}

impl DrawOptions {
    fn is_active(&self, state: &str) -> bool {
        self.highlight.iter().any(|active| active == state)
    }

    fn is_visited(&self, state: &str) -> bool {
        self.trace
            .iter()
            .any(|(from, to)| from == state || to == state)
    }

    fn is_entered(&self, state: &str) -> bool {
        self.trace.iter().any(|(_, to)| to == state)
    }

    fn is_taken(&self, from: &str, to: &str) -> bool {
        self.trace
            .iter()
            .any(|(left, entered)| left == from && entered == to)
    }
}

/// The transitions that leave a state, with where they lead.
fn leaving<'d, 'a>(
    definition: &'d Definition<'a>,
    position: usize,
) -> Vec<(&'d TransitionDefinition<'a>, usize)> {
    definition
        .transitions
        .iter()
        .filter(|transition| definition.sources(transition).contains(&position))
        .filter_map(|transition| {
            let name = match Destination::of(transition.dest) {
                Destination::History { parent, .. } => parent,
                _ => definition.point(transition.dest, true),
            };
            Some((transition, definition.position(name)?))
        })
        .collect()
}
