//! A session as plain data, from which it goes on elsewhere or later.

use std::sync::Arc;

use super::chart::{Chart, NodeId};
use super::fault::RunFault;
use super::session::{Invoked, Parameters, Session};
use super::undefined::defined;
use crate::{Map, Value};

impl Session {
    /// Where it is and what it knows. What waits in its queues is not part of it: a session at rest has nothing there.
    pub fn remember(&self) -> Map {
        let chart = &self.chart;
        let state = &self.state;
        let ids = |nodes: &mut dyn Iterator<Item = &NodeId>| {
            Value::list(
                nodes
                    .map(|node| Value::Text(chart.id(*node).clone()))
                    .collect(),
            )
        };
        let history: Map = state
            .history
            .iter()
            .map(|(node, states)| ((&**chart.id(*node)).into(), ids(&mut states.iter())))
            .collect();
        let invoked = state
            .invoked
            .iter()
            .map(|invoked| {
                Value::list(vec![
                    Value::Text(chart.id(invoked.node).clone()),
                    Value::Int(invoked.place as i64),
                    Value::Text(invoked.id.clone()),
                ])
            })
            .collect();
        let mut memory = Map::new();
        let mut active = state.configuration.iter();
        memory.insert("configuration", ids(&mut active));
        memory.insert("history", Value::map(history));
        memory.insert("entered", ids(&mut state.entered.iter()));
        memory.insert("data", Value::map(self.values()));
        memory.insert(
            "event",
            state.data.event.as_ref().map_or(Value::Null, defined),
        );
        memory.insert("invoked", Value::list(invoked));
        memory.insert("count", Value::Int(state.count as i64));
        memory.insert("running", Value::Bool(state.running));
        memory.insert("done", state.done.as_ref().map_or(Value::Null, defined));
        memory
    }

    /// The session that was remembered.
    pub fn recall(
        chart: Arc<Chart>,
        parameters: Parameters,
        memory: &Map,
    ) -> Result<Self, RunFault> {
        let mut session = Self::new(chart, parameters);
        let chart = session.chart.clone();
        let state = &mut session.state;
        let node = |value: &Value| match value.as_text() {
            Some(id) => chart
                .ids
                .get(id)
                .copied()
                .ok_or_else(|| RunFault::UnknownState(id.to_owned())),
            None => Err(RunFault::Memory(format!("{value} is no state"))),
        };
        let items = |key: &str| match memory.get(key) {
            None => Ok(&[][..]),
            Some(value) => value
                .as_items()
                .ok_or_else(|| RunFault::Memory(format!("'{key}' is no list"))),
        };
        for active in items("configuration")? {
            state.configuration.insert(node(active)?);
        }
        for entered in items("entered")? {
            state.entered.insert(node(entered)?);
        }
        if let Some(history) = memory.get("history").and_then(Value::as_map) {
            for (key, states) in history.iter() {
                let key = Value::text(key.as_text().unwrap_or_default());
                let states = states
                    .as_items()
                    .unwrap_or_default()
                    .iter()
                    .map(node)
                    .collect::<Result<_, _>>()?;
                state.history.insert(node(&key)?, states);
            }
        }
        if let Some(values) = memory.get("data").and_then(Value::as_map) {
            state.data.values = values.clone();
        }
        state.data.event = memory
            .get("event")
            .filter(|event| !event.is_null())
            .cloned();
        for invoked in items("invoked")? {
            let [owner, Value::Int(place), Value::Text(id)] =
                invoked.as_items().unwrap_or_default()
            else {
                return Err(RunFault::Memory(format!("{invoked} is no child")));
            };
            let owner = node(owner)?;
            let place = usize::try_from(*place).unwrap_or(usize::MAX);
            if place >= chart.nodes[owner].invokes.len() {
                return Err(RunFault::Memory(format!("{invoked} is no child")));
            }
            state.invoked.push(Invoked {
                node: owner,
                place,
                id: id.clone(),
            });
        }
        if let Some(Value::Int(count)) = memory.get("count") {
            state.count = count.unsigned_abs();
        }
        state.running = memory.get("running") == Some(&Value::Bool(true));
        state.done = memory.get("done").filter(|done| !done.is_null()).cloned();
        check(&chart, state.configuration.iter().copied().collect())?;
        Ok(session)
    }
}

/// Refuses active states that can't be active together: each is in one that is active, and none is alone inside.
fn check(chart: &Chart, active: Vec<NodeId>) -> Result<(), RunFault> {
    for node in &active {
        let parent = chart.nodes[*node].parent;
        if parent != super::chart::ROOT && !active.contains(&parent) {
            return Err(RunFault::Memory(format!(
                "'{}' is active, the state around it is not",
                chart.id(*node)
            )));
        }
        let inside = chart.nodes[*node]
            .children
            .iter()
            .filter(|child| active.contains(child))
            .count();
        let wanted = match chart.kind(*node) {
            super::chart::NodeKind::Compound => 1,
            super::chart::NodeKind::Parallel => chart.nodes[*node].children.len(),
            _ => 0,
        };
        if inside != wanted {
            return Err(RunFault::Memory(format!(
                "'{}' has {inside} active states in it, not {wanted}",
                chart.id(*node)
            )));
        }
    }
    Ok(())
}
