use std::collections::{HashMap, HashSet};

use super::code::Code;
use super::definition::{Definition, RegionDefinition, StateDefinition, StateKind};
use super::issue::Issues;
use super::path::Place;
use super::state_rules::undefined;

/// The regions of a machine by name, each with the parallel states that have one so called.
pub(super) type Regions<'d, 'a> =
    HashMap<&'a str, Vec<(&'d StateDefinition<'a>, &'d RegionDefinition<'a>)>>;

/// The rules of regions, and which there are.
pub(super) fn check<'d, 'a>(
    definition: &'d Definition<'a>,
    states: &Place<'_>,
    issues: &mut Issues,
) -> Regions<'d, 'a> {
    let mut regions: Regions<'d, 'a> = HashMap::new();
    let mut order = Vec::new();
    for (position, state) in definition.states.iter().enumerate() {
        if state.regions.is_empty() {
            continue;
        }
        let place = states.index(position);
        let place = place.key("regions");
        if state.kind != StateKind::Parallel {
            issues.hinted(
                Code::RegionsNotAllowed,
                &place,
                format!(
                    "State '{}': regions are only allowed when type is 'parallel'",
                    state.name
                ),
                "add type: parallel",
            );
            continue;
        }
        let mut own = HashSet::new();
        for (index, region) in state.regions.iter().enumerate() {
            let place = place.index(index);
            if own.insert(region.name) {
                let owners = regions.entry(region.name).or_default();
                if owners.is_empty() {
                    order.push((region.name, place.path()));
                }
                owners.push((state, region));
            } else {
                issues.add(
                    Code::DuplicateRegion,
                    &place.key("name"),
                    format!(
                        "Parallel state '{}': duplicate region name '{}'",
                        state.name, region.name
                    ),
                );
            }
            members(definition, state, region, &place, issues);
        }
        join(definition, state, &place, issues);
    }
    for (name, _) in order {
        if let Some(owners) = regions.get(name).filter(|owners| owners.len() > 1) {
            issues.hinted(
                Code::DuplicateRegion,
                states,
                format!(
                    "Region name '{name}' is defined in multiple parallel states {}; region names must be unique across the machine",
                    names(owners)
                ),
                "name each region after its state",
            );
        }
    }
    regions
}

/// The names of parallel states, as a list in messages.
pub(super) fn names(owners: &[(&StateDefinition<'_>, &RegionDefinition<'_>)]) -> String {
    let mut names: Vec<_> = owners
        .iter()
        .map(|(state, _)| format!("'{}'", state.name))
        .collect();
    names.sort();
    format!("[{}]", names.join(", "))
}

fn members(
    definition: &Definition<'_>,
    state: &StateDefinition<'_>,
    region: &RegionDefinition<'_>,
    place: &Place<'_>,
    issues: &mut Issues,
) {
    let label = format!("Parallel state '{}' region '{}'", state.name, region.name);
    if definition.state(region.initial).is_none() {
        undefined(
            definition,
            region.initial,
            Code::RegionMember,
            &place.key("initial"),
            format!("{label}: initial state '{}' is not defined", region.initial),
            issues,
        );
    }
    if let Some(states) = &region.states {
        if !states.contains(&region.initial) {
            issues.hinted(
                Code::RegionMember,
                &place.key("initial"),
                format!(
                    "{label}: initial '{}' must appear in states list",
                    region.initial
                ),
                format!("add {} to states", region.initial),
            );
        }
        if let Some(last) = region.last.filter(|last| !states.contains(last)) {
            issues.hinted(
                Code::RegionMember,
                &place.key("final"),
                format!("{label}: final '{last}' must appear in states list"),
                format!("add {last} to states"),
            );
        }
    } else if let Some(last) = region.last.filter(|last| definition.state(last).is_none()) {
        undefined(
            definition,
            last,
            Code::RegionMember,
            &place.key("final"),
            format!("{label}: final state '{last}' is not defined"),
            issues,
        );
    }
    let list = place.key("states");
    for (index, member) in region
        .states
        .as_deref()
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let place = list.index(index);
        match definition.state(member) {
            None => undefined(
                definition,
                member,
                Code::RegionMember,
                &place,
                format!("{label}: state '{member}' is not defined"),
                issues,
            ),
            Some(inner) => {
                if let Some(parent) = inner
                    .parent
                    .filter(|parent| *parent != state.name && !region.members().contains(parent))
                    // What a submachine brought in stands beside its parallel state.
                    .filter(|parent| !(member.contains('.') && state.parent == Some(*parent)))
                {
                    issues.add(
                        Code::RegionMember,
                        &place,
                        format!(
                            "State '{member}' is listed in parallel state '{}' region '{}' but has parent '{parent}'",
                            state.name, region.name
                        ),
                    );
                }
            }
        }
    }
}

fn join(
    definition: &Definition<'_>,
    state: &StateDefinition<'_>,
    place: &Place<'_>,
    issues: &mut Issues,
) {
    if state.regions.iter().all(|region| region.last.is_none()) {
        return;
    }
    let joined = definition.transitions.iter().any(|transition| {
        transition
            .trigger
            .and_then(|trigger| trigger.strip_prefix("_join_"))
            == Some(state.name)
    });
    if !joined {
        issues.hinted(
            Code::JoinMissing,
            place,
            format!(
                "Parallel state '{0}' has regions with 'final' but no '_join_{0}' transition defined",
                state.name
            ),
            format!("add {{trigger: _join_{0}, source: {0}, dest: ...}}", state.name),
        );
    }
}
