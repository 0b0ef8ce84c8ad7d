use super::DrawOptions;
use super::label::{action_label, delay_label, guard_label};
use crate::config::{Definition, Destination, TransitionDefinition};

/// One arrow of a drawing.
#[derive(Clone, Debug)]
pub(super) struct Arrow<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) label: String,
    /// Whether time alone follows it.
    pub(super) timeout: bool,
    pub(super) history: Option<bool>,
    /// The transition that leaves every state, if it is one of those.
    pub(super) wildcard: Option<usize>,
}

/// The arrows of a machine in the order of its transitions, then those of timeouts.
pub(super) fn arrows<'a>(definition: &Definition<'a>, options: &DrawOptions) -> Vec<Arrow<'a>> {
    let mut arrows = Vec::new();
    for (number, transition) in definition.transitions.iter().enumerate() {
        let wildcard = transition.sources.contains(&"*").then_some(number);
        let label = transition_label(transition, options);
        let (to, history) = match Destination::of(transition.dest) {
            Destination::History { parent, deep } => (parent, Some(deep)),
            _ => (point(definition, transition.dest), None),
        };
        for source in definition.sources(transition) {
            arrows.push(Arrow {
                from: definition.states[source].name,
                to,
                label: match history {
                    Some(deep) => format!("{label} {}", if deep { "(H*)" } else { "(H)" }),
                    None => label.clone(),
                },
                timeout: false,
                history,
                wildcard,
            });
        }
    }
    for state in &definition.states {
        if let Some(timeout) = state.timeout {
            arrows.push(Arrow {
                from: state.name,
                to: timeout.destination,
                label: "timeout".to_owned(),
                timeout: true,
                history: None,
                wildcard: None,
            });
        }
    }
    arrows
}

fn point<'a>(definition: &Definition<'a>, dest: &'a str) -> &'a str {
    definition
        .position(definition.point(dest, true))
        .map_or(dest, |position| definition.states[position].name)
}

/// What is written on the arrow of a transition.
pub(super) fn transition_label(
    transition: &TransitionDefinition<'_>,
    options: &DrawOptions,
) -> String {
    let generated = transition
        .trigger
        .is_none_or(|trigger| trigger.starts_with("_after_") || trigger.starts_with("_auto_"));
    let mut label = match (transition.trigger, transition.after) {
        (_, Some(after)) if generated => format!("after {}", delay_label(after)),
        (Some(trigger), _) if !generated => trigger.to_owned(),
        _ => "auto".to_owned(),
    };
    if options.guards && !transition.guards.is_empty() {
        let guards: Vec<_> = transition
            .guards
            .iter()
            .map(|guard| guard_label(guard))
            .collect();
        label = format!("{label} [{}]", guards.join(", "));
    }
    if options.actions && !transition.actions.is_empty() {
        let actions: Vec<_> = transition
            .actions
            .iter()
            .map(|action| action_label(action))
            .collect();
        label = format!("{label} / {}", actions.join(", "));
    }
    label
}

/// A number of seconds as it is read: at least one digit behind the point.
pub(super) fn seconds(number: f64) -> String {
    format!("{number:?}s")
}
