//! What differs between two versions of a machine, and what that means for entities that live in the older one.

use std::collections::HashMap;

use crate::Value;
use crate::config::{Definition, StateDefinition, TransitionDefinition};
use crate::lint::Conjunction;

/// How much a change asks of those who use the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeLevel {
    /// Only texts and metadata.
    Patch,
    /// Only something new.
    Minor,
    /// What was there is different.
    Major,
}

impl ChangeLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: &'static str,
    pub level: ChangeLevel,
    pub message: String,
    /// The state that it is about: of a transition its source.
    pub state: String,
}

/// All differences between an older and a newer version.
pub fn compare(old: &Definition<'_>, new: &Definition<'_>) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    let renamed = renamed(old, new);
    for state in &old.states {
        if let Some(other) = new.state(state.name) {
            changes.state(state, other);
        } else if let Some(name) = renamed.get(state.name) {
            changes.major(
                "state_renamed",
                state.name,
                format!("State '{}' is now '{name}'", state.name),
            );
            if let Some(other) = new.state(name) {
                changes.state(state, other);
            }
        } else {
            changes.major(
                "state_removed",
                state.name,
                format!("State '{}' is gone", state.name),
            );
        }
    }
    for state in &new.states {
        let known =
            old.state(state.name).is_some() || renamed.values().any(|name| *name == state.name);
        if !known {
            changes.add(
                "state_added",
                ChangeLevel::Minor,
                state.name,
                format!("State '{}' is new", state.name),
            );
        }
    }
    changes.transitions(old, new, &renamed);
    changes.0
}

/// The new names of states that were renamed: a state says its old ones in `metadata: {was: [old]}`.
fn renamed<'n>(old: &Definition<'_>, new: &Definition<'n>) -> HashMap<String, &'n str> {
    let mut renamed = HashMap::new();
    for state in &new.states {
        let was = state
            .config
            .get("metadata")
            .and_then(Value::as_map)
            .and_then(|metadata| metadata.get("was"));
        let names: Vec<&str> = match was {
            Some(Value::Text(name)) => vec![name],
            Some(other) => other
                .as_items()
                .unwrap_or_default()
                .iter()
                .filter_map(Value::as_text)
                .collect(),
            None => Vec::new(),
        };
        for name in names {
            if old.state(name).is_some() && new.state(name).is_none() {
                renamed.entry(name.to_owned()).or_insert(state.name);
            }
        }
    }
    renamed
}

struct Changes(Vec<Change>);

/// What an event of a state may do: its name, the state, and the region.
type Contest = (String, String, Option<String>);

impl Changes {
    fn add(&mut self, kind: &'static str, level: ChangeLevel, state: &str, message: String) {
        self.0.push(Change {
            kind,
            level,
            message,
            state: state.to_owned(),
        });
    }

    fn major(&mut self, kind: &'static str, state: &str, message: String) {
        self.add(kind, ChangeLevel::Major, state, message);
    }

    fn state(&mut self, old: &StateDefinition<'_>, new: &StateDefinition<'_>) {
        let name = old.name;
        if old.kind != new.kind {
            let message = format!(
                "State '{name}' was {} and is {}",
                old.kind.as_str(),
                new.kind.as_str()
            );
            self.major("state_type_changed", name, message);
        }
        if old.parent.is_some() != new.parent.is_some()
            || (old.parent != new.parent && old.name == new.name)
        {
            let message = format!("State '{name}' has another parent");
            self.major("parent_changed", name, message);
        }
        match (old.initial_child, new.initial_child) {
            (Some(_), None) => self.major(
                "history_removed",
                name,
                format!("State '{name}' is no compound state any more: what it remembers is lost"),
            ),
            (left, right) if left != right => self.major(
                "initial_child_changed",
                name,
                format!("State '{name}' begins with another child"),
            ),
            _ => {}
        }
        for region in &old.regions {
            if !new.regions.iter().any(|other| other.name == region.name) {
                let message = format!("Region '{}' of state '{name}' is gone", region.name);
                self.major("region_removed", name, message);
            }
        }
        for region in &new.regions {
            if !old.regions.is_empty() && !old.regions.iter().any(|other| other.name == region.name)
            {
                let message = format!("Region '{}' of state '{name}' is new", region.name);
                self.major("region_added", name, message);
            }
        }
        if old.timeout != new.timeout {
            let message = format!("The timeout of state '{name}' is another");
            self.major("timeout_changed", name, message);
        }
        for (key, left, right) in [
            ("on_enter", &old.on_enter, &new.on_enter),
            ("on_exit", &old.on_exit, &new.on_exit),
        ] {
            if left != right {
                let message = format!("State '{name}' does something else {key}");
                self.major("actions_changed", name, message);
            }
        }
        let metadata = |state: &StateDefinition<'_>| state.config.get("metadata").cloned();
        if old.description != new.description || metadata(old) != metadata(new) {
            self.add(
                "text_changed",
                ChangeLevel::Patch,
                name,
                format!("Texts or metadata of state '{name}' differ"),
            );
        }
    }

    fn transitions(
        &mut self,
        old: &Definition<'_>,
        new: &Definition<'_>,
        renamed: &HashMap<String, &str>,
    ) {
        let current = |name: &str| {
            renamed
                .get(name)
                .map_or_else(|| name.to_owned(), |name| (*name).to_owned())
        };
        let (before, _) = contests(old, &current);
        let (mut after, order) = contests(new, &|name| name.to_owned());
        let (_, old_order) = contests(old, &current);
        for contest in old_order {
            let left = before.get(&contest).map(Vec::as_slice).unwrap_or_default();
            let right = after.remove(&contest).unwrap_or_default();
            self.contest(&contest, left, &right, &current);
        }
        for contest in order {
            for transition in after.remove(&contest).unwrap_or_default() {
                self.added(&contest, transition);
            }
        }
    }

    fn contest(
        &mut self,
        contest: &Contest,
        old: &[&TransitionDefinition<'_>],
        new: &[&TransitionDefinition<'_>],
        current: &dyn Fn(&str) -> String,
    ) {
        let (trigger, source, _) = contest;
        let mut open: Vec<_> = new.to_vec();
        let mut unmatched = Vec::new();
        for transition in old {
            let dest = current(transition.dest);
            match open.iter().position(|other| other.dest == dest) {
                Some(place) => {
                    let other = open.remove(place);
                    self.transition(contest, transition, other);
                }
                None => unmatched.push(transition),
            }
        }
        for transition in unmatched {
            if open.is_empty() {
                self.major(
                    "transition_removed",
                    source,
                    format!(
                        "'{trigger}' from '{source}' to '{}' is gone",
                        transition.dest
                    ),
                );
                if transition.after.is_some() {
                    self.major(
                        "timer_removed",
                        source,
                        format!("Timers that wait for '{trigger}' from '{source}' lead nowhere"),
                    );
                }
            } else {
                let other = open.remove(0);
                self.major(
                    "target_changed",
                    source,
                    format!(
                        "'{trigger}' from '{source}' went to '{}' and goes to '{}'",
                        transition.dest, other.dest
                    ),
                );
            }
        }
        for transition in open {
            self.added(contest, transition);
        }
    }

    fn added(&mut self, (trigger, source, _): &Contest, transition: &TransitionDefinition<'_>) {
        self.add(
            "transition_added",
            ChangeLevel::Minor,
            source,
            format!(
                "'{trigger}' from '{source}' to '{}' is new",
                transition.dest
            ),
        );
    }

    fn transition(
        &mut self,
        (trigger, source, _): &Contest,
        old: &TransitionDefinition<'_>,
        new: &TransitionDefinition<'_>,
    ) {
        let what = format!("'{trigger}' from '{source}' to '{}'", new.dest);
        if old.guards != new.guards {
            let (left, right) = (Conjunction::of(&old.guards), Conjunction::of(&new.guards));
            let (kind, how) = match (right.implies(&left), left.implies(&right)) {
                (true, true) => ("text_changed", "says the same in other words"),
                (true, false) => ("guard_tightened", "lets less pass"),
                (false, true) => ("guard_relaxed", "lets more pass"),
                (false, false) => ("guard_changed", "is guarded in another way"),
            };
            let level = if kind == "text_changed" {
                ChangeLevel::Patch
            } else {
                ChangeLevel::Major
            };
            self.add(kind, level, source, format!("{what} {how}"));
        }
        if old.actions != new.actions {
            self.major(
                "actions_changed",
                source,
                format!("{what} does something else"),
            );
        }
        if old.priority != new.priority || old.internal != new.internal {
            self.major(
                "order_changed",
                source,
                format!("{what} has another place or kind"),
            );
        }
        if old.description != new.description {
            self.add(
                "text_changed",
                ChangeLevel::Patch,
                source,
                format!("{what} is described in other words"),
            );
        }
    }
}

type Contests<'d, 'a> = HashMap<Contest, Vec<&'d TransitionDefinition<'a>>>;

/// The transitions of a machine by what they compete for, and the order in which that is written.
fn contests<'d, 'a>(
    definition: &'d Definition<'a>,
    current: &dyn Fn(&str) -> String,
) -> (Contests<'d, 'a>, Vec<Contest>) {
    let mut contests: Contests<'d, 'a> = HashMap::new();
    let mut order = Vec::new();
    for transition in &definition.transitions {
        let trigger = match (transition.trigger, transition.after) {
            (Some(trigger), _) => trigger.to_owned(),
            (None, Some(after)) => format!("after {after}"),
            (None, None) => "auto".to_owned(),
        };
        for source in definition.sources(transition) {
            let contest = (
                trigger.clone(),
                current(definition.states[source].name),
                transition.region.map(str::to_owned),
            );
            let members = contests.entry(contest.clone()).or_default();
            if members.is_empty() {
                order.push(contest);
            }
            members.push(transition);
        }
    }
    (contests, order)
}
