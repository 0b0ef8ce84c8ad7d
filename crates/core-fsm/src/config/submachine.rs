use std::collections::HashSet;
use std::sync::Arc;

use super::definition::Destination;
use crate::{Key, Map, Value};

/// How deep machines may stand in machines.
pub const MAX_SUBMACHINES: usize = 10;

/// A machine that was found for a reference, and where references inside it start from.
#[derive(Debug)]
pub struct Found {
    pub config: Value,
    pub base: String,
}

/// Why a submachine can't be put in.
#[derive(Debug, thiserror::Error)]
pub enum SubmachineError<E> {
    #[error("SubMachine nesting depth exceeds {MAX_SUBMACHINES}; possible circular reference")]
    TooDeep,
    #[error("submachine must be a string (file path) or dict, got {0}")]
    Form(String),
    #[error("submachine of state '{0}' must be a mapping with a list of states")]
    NoMachine(String),
    #[error("the machine that a reference names can't be had")]
    Load(E),
}

/// Puts submachines into the machine that refers to them: their states become `parent.child`. `load` gets a reference and
/// where it starts from.
pub fn expand<E>(
    config: &Value,
    base: &str,
    load: &mut dyn FnMut(&str, &str) -> Result<Found, E>,
) -> Result<Value, SubmachineError<E>> {
    expand_at(config, base, load, 0)
}

fn expand_at<E>(
    config: &Value,
    base: &str,
    load: &mut dyn FnMut(&str, &str) -> Result<Found, E>,
    depth: usize,
) -> Result<Value, SubmachineError<E>> {
    if depth > MAX_SUBMACHINES {
        return Err(SubmachineError::TooDeep);
    }
    let Some(map) = config.as_map() else {
        return Ok(config.clone());
    };
    let Some(states) = map.get("states").and_then(Value::as_items) else {
        return Ok(config.clone());
    };
    let has_one = |state: &Value| {
        state
            .as_map()
            .and_then(|state| state.get("submachine"))
            .is_some_and(|reference| !reference.is_null())
    };
    if !states.iter().any(has_one) {
        return Ok(config.clone());
    }
    let mut all_states = Vec::with_capacity(states.len());
    let mut all_transitions = Vec::new();
    let mut hosts = Vec::new();
    for state in states {
        if !has_one(state) {
            all_states.push(state.clone());
            continue;
        }
        let Some(host) = state.as_map() else { continue };
        let inner = machine_of(host, base, load, depth)?;
        let grafted = Graft::of(host, &inner)?;
        all_states.push(Value::map(grafted.host));
        all_states.extend(grafted.states);
        all_transitions.extend(grafted.transitions);
        hosts.push(grafted.scope);
    }
    for transition in map
        .get("transitions")
        .and_then(Value::as_items)
        .unwrap_or_default()
    {
        all_transitions.push(outer_transition(transition, &hosts));
    }
    let mut expanded = map.clone();
    expanded.insert("states", Value::list(all_states));
    if map.get("transitions").is_some() || !all_transitions.is_empty() {
        expanded.insert("transitions", Value::list(all_transitions));
    }
    Ok(Value::map(expanded))
}

/// The machine that a state refers to, with its own submachines put in.
fn machine_of<E>(
    host: &Map,
    base: &str,
    load: &mut dyn FnMut(&str, &str) -> Result<Found, E>,
    depth: usize,
) -> Result<Value, SubmachineError<E>> {
    match host.get("submachine") {
        Some(Value::Text(reference)) => {
            if depth >= MAX_SUBMACHINES {
                return Err(SubmachineError::TooDeep);
            }
            let found = load(reference, base).map_err(SubmachineError::Load)?;
            expand_at(&found.config, &found.base, load, depth + 1)
        }
        Some(inline @ Value::Map(_)) => expand_at(inline, base, load, depth + 1),
        Some(other) => Err(SubmachineError::Form(other.type_name())),
        None => Ok(Value::Null),
    }
}

/// The names that a submachine brings in, and the prefix they get.
struct Scope {
    prefix: String,
    states: HashSet<Arc<str>>,
    regions: HashSet<Arc<str>>,
    live: Vec<Value>,
}

struct Graft {
    host: Map,
    states: Vec<Value>,
    transitions: Vec<Value>,
    scope: Scope,
}

impl Graft {
    fn of<E>(host: &Map, machine: &Value) -> Result<Self, SubmachineError<E>> {
        let name = host
            .get("name")
            .and_then(Value::as_text)
            .unwrap_or_default()
            .to_owned();
        let inner: Vec<&Map> = machine
            .as_map()
            .and_then(|machine| machine.get("states"))
            .and_then(Value::as_items)
            .ok_or_else(|| SubmachineError::NoMachine(name.clone()))?
            .iter()
            .filter_map(Value::as_map)
            .collect();
        let initial = inner
            .iter()
            .find(|state| {
                kind(state) == Some("initial") && state.get("parent").is_none_or(Value::is_null)
            })
            .and_then(|state| state.get("name")?.as_text())
            .map(str::to_owned);
        let scope = Scope::of(&name, &inner);
        let mut outer = host.clone();
        outer.remove("submachine");
        if let Some(initial) = initial {
            outer.insert("initial_child", Value::text(scope.state(&initial)));
        }
        for key in ["entry_points", "exit_points"] {
            if let Some(points) = outer.get(key).cloned() {
                outer.insert(key, scope.texts(&points));
            }
        }
        Ok(Self {
            host: outer,
            states: inner.iter().map(|state| scope.inner_state(state)).collect(),
            transitions: machine
                .as_map()
                .and_then(|machine| machine.get("transitions"))
                .and_then(Value::as_items)
                .unwrap_or_default()
                .iter()
                .map(|transition| scope.inner_transition(transition))
                .collect(),
            scope,
        })
    }
}

fn kind(state: &Map) -> Option<&str> {
    state.get("type").and_then(Value::as_text)
}

impl Scope {
    fn of(prefix: &str, states: &[&Map]) -> Self {
        let name = |map: &Map| match map.get("name") {
            Some(Value::Text(name)) => Some(Arc::clone(name)),
            _ => None,
        };
        let mut scope = Self {
            prefix: prefix.to_owned(),
            states: states.iter().filter_map(|state| name(state)).collect(),
            regions: states
                .iter()
                .filter_map(|state| state.get("regions")?.as_items())
                .flatten()
                .filter_map(|region| name(region.as_map()?))
                .collect(),
            live: Vec::new(),
        };
        scope.live = states
            .iter()
            .filter(|state| kind(state) != Some("terminal"))
            .filter_map(|state| name(state))
            .map(|name| Value::text(scope.state(&name)))
            .collect();
        scope
    }

    /// A state's name with the prefix, if it is a state of the submachine.
    fn state(&self, name: &str) -> String {
        if self.states.contains(name) {
            format!("{}.{name}", self.prefix)
        } else {
            name.to_owned()
        }
    }

    fn text(&self, value: &Value) -> Value {
        match value {
            Value::Text(name) => Value::text(self.state(name)),
            other => other.clone(),
        }
    }

    fn texts(&self, value: &Value) -> Value {
        match value.as_items() {
            Some(items) => Value::list(items.iter().map(|item| self.text(item)).collect()),
            None => value.clone(),
        }
    }

    /// A source or a destination: a state, history or a point of one.
    fn target(&self, text: &str) -> String {
        match Destination::of(text) {
            Destination::State(name) => self.state(name),
            Destination::History { parent, deep } => {
                format!("H{}({})", if deep { "*" } else { "" }, self.state(parent))
            }
            Destination::Point { parent, point } => {
                format!("{}:{}", self.state(parent), self.state(point))
            }
        }
    }

    fn inner_state(&self, state: &Map) -> Value {
        let mut inner = Map::new();
        for (key, value) in state.iter() {
            let value = match key.as_text() {
                Some("name" | "initial_child") => self.text(value),
                Some("parent") if !value.is_null() => self.text(value),
                // The machine around has the one initial state.
                Some("type") if value.as_text() == Some("initial") => Value::text("stable"),
                Some("entry_points" | "exit_points") => self.texts(value),
                Some("timeout") => self.timeout(value),
                Some("regions") => self.region_list(value),
                _ => value.clone(),
            };
            inner.insert(key.clone(), value);
        }
        if state.get("parent").is_none_or(Value::is_null) {
            inner.insert("parent", Value::text(&self.prefix));
        }
        Value::map(inner)
    }

    fn timeout(&self, value: &Value) -> Value {
        match value.as_map() {
            Some(timeout) => Value::map(replaced(timeout, "destination", |dest| self.text(dest))),
            None => value.clone(),
        }
    }

    fn region_list(&self, value: &Value) -> Value {
        let Some(regions) = value.as_items() else {
            return value.clone();
        };
        let region = |region: &Value| match region.as_map() {
            Some(map) => {
                let mut map = replaced(map, "name", |name| self.region(name));
                for key in ["initial", "final"] {
                    map = replaced(&map, key, |name| self.text(name));
                }
                Value::map(replaced(&map, "states", |states| self.texts(states)))
            }
            None => region.clone(),
        };
        Value::list(regions.iter().map(region).collect())
    }

    fn region(&self, value: &Value) -> Value {
        match value {
            Value::Text(name) if self.regions.contains(name) => {
                Value::text(format!("{}.{name}", self.prefix))
            }
            other => other.clone(),
        }
    }

    fn inner_transition(&self, transition: &Value) -> Value {
        let Some(map) = transition.as_map() else {
            return transition.clone();
        };
        let mut inner = Map::new();
        for (key, value) in map.iter() {
            let value = match (key.as_text(), value) {
                // A star means every state of the machine it is written in.
                (Some("source"), Value::Text(source)) if &**source == "*" => {
                    Value::list(self.live.clone())
                }
                (Some("source" | "dest"), Value::Text(text)) => Value::text(self.target(text)),
                (Some("source"), Value::List(items)) => Value::list(
                    items
                        .iter()
                        .flat_map(|item| match item {
                            Value::Text(source) if &**source == "*" => self.live.clone(),
                            Value::Text(source) => vec![Value::text(self.target(source))],
                            other => vec![other.clone()],
                        })
                        .collect(),
                ),
                (Some("region"), value) => self.region(value),
                (Some("trigger"), Value::Text(trigger)) => match trigger.strip_prefix("_join_") {
                    Some(state) => Value::text(format!("_join_{}", self.state(state))),
                    None => value.clone(),
                },
                _ => value.clone(),
            };
            inner.insert(key.clone(), value);
        }
        Value::map(inner)
    }
}

fn replaced(map: &Map, key: &str, change: impl FnOnce(&Value) -> Value) -> Map {
    let mut changed = map.clone();
    if let Some(value) = map.get(key) {
        changed.insert(Key::from(key), change(value));
    }
    changed
}

/// Points of a state that has become a machine name its states by their new names.
fn outer_transition(transition: &Value, hosts: &[Scope]) -> Value {
    let Some(map) = transition.as_map() else {
        return transition.clone();
    };
    let point = |text: &str| match Destination::of(text) {
        Destination::Point { parent, point } => hosts
            .iter()
            .find(|scope| scope.prefix == parent)
            .map(|scope| format!("{parent}:{}", scope.state(point))),
        _ => None,
    };
    let changed = |value: &Value| match value {
        Value::Text(text) => point(text).map_or_else(|| value.clone(), Value::text),
        Value::List(items) => Value::list(
            items
                .iter()
                .map(|item| {
                    item.as_text()
                        .and_then(point)
                        .map_or_else(|| item.clone(), Value::text)
                })
                .collect(),
        ),
        other => other.clone(),
    };
    let map = replaced(map, "source", changed);
    Value::map(replaced(&map, "dest", changed))
}
