use super::code::Code;
use super::definition::{Definition, Destination, StateKind, TransitionDefinition};
use super::issue::Issues;
use super::path::Place;
use super::region_rules::{Regions, names};
use super::state_rules::undefined;

/// The rules of transitions: the states and regions they name, and who may leave whom.
pub(super) fn check(
    definition: &Definition<'_>,
    regions: &Regions<'_, '_>,
    transitions: &Place<'_>,
    issues: &mut Issues,
) {
    for (position, transition) in definition.transitions.iter().enumerate() {
        let place = transitions.index(position);
        let label = Label(transition.trigger, position);
        sources(definition, transition, &label, &place, issues);
        destination(definition, transition, &label, &place.key("dest"), issues);
        if let Some(region) = transition.region {
            within(regions, transition, region, &label, &place, issues);
        }
        let implicit = if transition.trigger.is_some() {
            None
        } else if transition.after.is_some() {
            Some("Delayed")
        } else if transition.auto {
            Some("Auto")
        } else {
            None
        };
        if let Some(what) = implicit
            && transition.sources.len() != 1
        {
            issues.hinted(
                Code::NoTrigger,
                &place,
                format!("{what} transition with implicit trigger must have exactly one source"),
                "name the event with 'trigger', or write one transition for each source",
            );
        }
    }
}

/// What messages call a transition.
struct Label<'a>(Option<&'a str>, usize);

impl std::fmt::Display for Label<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(trigger) => write!(formatter, "Transition '{trigger}'"),
            None => write!(formatter, "Transition 'transition[{}]'", self.1),
        }
    }
}

fn sources(
    definition: &Definition<'_>,
    transition: &TransitionDefinition<'_>,
    label: &Label<'_>,
    place: &Place<'_>,
    issues: &mut Issues,
) {
    let everywhere = transition.is_everywhere();
    for source in transition.sources.iter().filter(|_| !everywhere) {
        let name = definition.point(source, false);
        match definition.state(name) {
            None => undefined(
                definition,
                name,
                Code::SourceUndefined,
                &place.key("source"),
                format!("{label}: source state '{source}' not defined"),
                issues,
            ),
            Some(state) if state.kind == StateKind::Terminal => issues.hinted(
                Code::FromTerminal,
                &place.key("source"),
                format!("{label}: cannot have transitions from terminal state '{source}'"),
                "make the state stable, or take the transition away",
            ),
            Some(_) => {}
        }
    }
}

fn destination(
    definition: &Definition<'_>,
    transition: &TransitionDefinition<'_>,
    label: &Label<'_>,
    place: &Place<'_>,
    issues: &mut Issues,
) {
    let dest = transition.dest;
    let message = format!("{label}: destination state '{dest}' not defined");
    match Destination::of(dest) {
        Destination::History { parent, .. } => match definition.state(parent) {
            None => undefined(
                definition,
                parent,
                Code::DestinationUndefined,
                place,
                message,
                issues,
            ),
            Some(state) if !state.is_compound() => issues.hinted(
                Code::DestinationUndefined,
                place,
                format!(
                    "{label}: destination '{dest}' needs a compound state, '{parent}' has no initial_child"
                ),
                "history remembers which child was active",
            ),
            Some(_) => {}
        },
        Destination::Point { parent, point } => {
            if definition.state(definition.point(dest, true)).is_none() {
                let hint = if definition.state(parent).is_none() {
                    format!("add a state named '{parent}'")
                } else {
                    format!("list '{point}' in entry_points of '{parent}', and name a child of it so")
                };
                issues.hinted(Code::DestinationUndefined, place, message, hint);
            }
        }
        Destination::State(name) => {
            if definition.state(name).is_none() {
                undefined(
                    definition,
                    name,
                    Code::DestinationUndefined,
                    place,
                    message,
                    issues,
                );
            }
        }
    }
}

fn within(
    regions: &Regions<'_, '_>,
    transition: &TransitionDefinition<'_>,
    region: &str,
    label: &Label<'_>,
    place: &Place<'_>,
    issues: &mut Issues,
) {
    match regions.get(region).map(Vec::as_slice) {
        None | Some([]) => issues.add(
            Code::TransitionRegion,
            &place.key("region"),
            format!("{label}: region '{region}' is not defined on any parallel state"),
        ),
        Some([(state, region)]) => {
            // A region without a list has its initial state alone.
            let members = region.members();
            for source in &transition.sources {
                if !transition.is_everywhere() && !members.contains(source) {
                    issues.hinted(
                        Code::TransitionRegion,
                        &place.key("source"),
                        format!(
                            "{label}: source '{source}' is not in region '{}' of parallel state '{}'",
                            region.name, state.name
                        ),
                        format!("add {source} to the region's states"),
                    );
                }
            }
        }
        Some(owners) => issues.add(
            Code::TransitionRegion,
            &place.key("region"),
            format!(
                "{label}: region '{region}' is ambiguous (parallel states {})",
                names(owners)
            ),
        ),
    }
}
