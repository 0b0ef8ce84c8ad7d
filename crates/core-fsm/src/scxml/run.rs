//! Macrosteps: what happens from one event until the chart is at rest.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::chart::{Chart, NodeId, NodeKind, ROOT};
use super::code::Code;
use super::condition::Condition;
use super::data::View;
use super::event::{Event, EventKind};
use super::fault::RunFault;
use super::plan::Order;
use super::session::{ChartHost, State};
use crate::Value;

/// Elements of executable content that one macrostep may carry out.
pub(super) const MAX_ACTIONS: u64 = 1_000_000;

pub(super) struct Run<'a> {
    pub(super) chart: &'a Chart,
    pub(super) host: &'a dyn ChartHost,
    pub(super) state: State,
    pub(super) orders: Vec<Order>,
    /// Conditions that failed since the last microstep: each is told once, or it would be told forever.
    pub(super) told: BTreeSet<usize>,
    microsteps: usize,
    pub(super) actions: u64,
}

impl<'a> Run<'a> {
    pub(super) fn new(chart: &'a Arc<Chart>, host: &'a dyn ChartHost, state: State) -> Self {
        Self {
            chart,
            host,
            state,
            orders: Vec::new(),
            told: BTreeSet::new(),
            microsteps: 0,
            actions: 0,
        }
    }

    pub(super) fn end(self) -> (State, Vec<Order>) {
        (self.state, self.orders)
    }

    /// Gives the variables their first values and enters the initial states.
    pub(super) fn begin(&mut self) -> Result<(), RunFault> {
        let chart = self.chart;
        self.state.running = true;
        self.declare();
        self.block(&chart.scripts)?;
        if let Some(initial) = &chart.nodes[ROOT].initial {
            self.enter(&[initial])?;
        }
        Ok(())
    }

    /// Goes on until there is nothing more to do without another event from outside.
    pub(super) fn settle(&mut self) -> Result<(), RunFault> {
        loop {
            self.macrostep()?;
            if !self.state.running {
                return self.leave_all(true);
            }
            self.start_children();
            if self.state.internal.is_empty() {
                return Ok(());
            }
        }
    }

    fn macrostep(&mut self) -> Result<(), RunFault> {
        while self.state.running {
            let mut enabled = self.select(None);
            if enabled.is_empty() {
                let Some(event) = self.state.internal.pop_front() else {
                    return Ok(());
                };
                self.count()?;
                self.see(&event);
                enabled = self.select(Some(&event.name));
                if enabled.is_empty() {
                    continue;
                }
            }
            self.microstep(&enabled)?;
        }
        Ok(())
    }

    /// One event from outside: children see it first, then transitions.
    pub(super) fn receive(&mut self, event: &Event) -> Result<(), RunFault> {
        self.see(event);
        self.pass_on(event)?;
        let enabled = self.select(Some(&event.name));
        if enabled.is_empty() {
            return Ok(());
        }
        self.microstep(&enabled)
    }

    fn see(&mut self, event: &Event) {
        let undefines = self.chart.language == super::chart::Language::Ecma;
        self.state.data.event = Some(event.to_value(undefines));
    }

    fn count(&mut self) -> Result<(), RunFault> {
        self.microsteps += 1;
        let limit = self.state.parameters.microsteps;
        if self.microsteps <= limit {
            return Ok(());
        }
        let names: Vec<_> = self
            .state
            .configuration
            .iter()
            .filter(|node| self.chart.is_atomic(**node))
            .map(|node| self.chart.id(*node).to_string())
            .collect();
        Err(RunFault::TooManyMicrosteps {
            chart: self.chart.name.to_string(),
            limit,
            configuration: names.join(", "),
        })
    }

    fn microstep(&mut self, enabled: &[usize]) -> Result<(), RunFault> {
        self.count()?;
        self.told.clear();
        let chart = self.chart;
        let taken: Vec<_> = enabled
            .iter()
            .map(|number| &chart.transitions[*number])
            .collect();
        let left = self.exit_set(&taken);
        self.leave(&left)?;
        let event = self
            .state
            .data
            .event
            .as_ref()
            .and_then(|event| event.member("name"))
            .and_then(|name| name.as_text().map(Arc::from));
        for transition in &taken {
            self.orders.push(Order::Took {
                source: chart.id(transition.source).clone(),
                event: event.clone().filter(|_| !transition.events.is_empty()),
                targets: transition
                    .targets
                    .iter()
                    .map(|target| chart.id(*target).clone())
                    .collect(),
            });
            self.block(&transition.steps)?;
        }
        self.enter(&taken)
    }

    /// Leaves states, innermost first; histories remember what was active.
    fn leave(&mut self, left: &[NodeId]) -> Result<(), RunFault> {
        let chart = self.chart;
        for node in left {
            self.state.to_invoke.remove(node);
            for history in &chart.nodes[*node].histories {
                let deep = chart.kind(*history) == NodeKind::DeepHistory;
                let remembered = self
                    .state
                    .configuration
                    .iter()
                    .copied()
                    .filter(|active| {
                        if deep {
                            chart.is_atomic(*active) && chart.is_descendant(*active, *node)
                        } else {
                            *active != ROOT && chart.nodes[*active].parent == *node
                        }
                    })
                    .collect();
                self.state.history.insert(*history, remembered);
            }
        }
        for node in left {
            for block in &chart.nodes[*node].on_exit {
                self.block(block)?;
            }
            self.stop_children(*node);
            self.state.configuration.remove(node);
            self.orders.push(Order::Left(chart.id(*node).clone()));
        }
        Ok(())
    }

    /// Leaves everything; the final state at the top stays visible, and is told to whoever waits where `tells`.
    pub(super) fn leave_all(&mut self, tells: bool) -> Result<(), RunFault> {
        let chart = self.chart;
        let active: Vec<_> = self.state.configuration.iter().rev().copied().collect();
        let last = active
            .iter()
            .copied()
            .find(|node| chart.kind(*node) == NodeKind::Final && chart.nodes[*node].parent == ROOT);
        self.state.to_invoke.clear();
        for node in active {
            for block in &chart.nodes[node].on_exit {
                self.block(block)?;
            }
            self.stop_children(node);
            self.state.configuration.remove(&node);
            self.orders.push(Order::Left(chart.id(node).clone()));
        }
        if let Some(last) = last {
            if tells {
                let data = match &chart.nodes[last].done_data {
                    Some(payload) => self.payload_or_empty(payload),
                    None => None,
                };
                self.state.done.clone_from(&data);
                self.orders.push(Order::Done(data));
            }
            self.state.configuration.insert(last);
        }
        self.state.internal.clear();
        self.state.external.clear();
        Ok(())
    }

    /// Puts an error of the run into the queue of the chart.
    pub(super) fn raise_error(&mut self, name: &str, message: String, send_id: Option<Arc<str>>) {
        let mut event =
            Event::new(name, EventKind::Platform).with_data(Some(Value::text(&message)));
        event.send_id = send_id;
        self.orders.push(Order::Error {
            event: event.name.clone(),
            message,
        });
        self.state.internal.push_back(event);
    }

    /// What expressions see now.
    pub(super) fn look<T>(&self, act: impl FnOnce(&View<'_>) -> T) -> T {
        let is_active = |id: &str| {
            self.chart
                .ids
                .get(id)
                .is_some_and(|node| self.state.configuration.contains(node))
        };
        act(&View {
            chart: self.chart,
            data: &self.state.data,
            is_active: &is_active,
            host: self.host,
        })
    }

    pub(super) fn eval(&self, code: &Code) -> Result<Value, String> {
        self.look(|view| code.eval(view))
    }

    pub(super) fn holds(&self, condition: &Condition) -> Result<bool, String> {
        self.look(|view| condition.holds(view))
    }

    /// An id that nothing else in this session has.
    pub(super) fn fresh(&mut self, what: &str) -> Arc<str> {
        self.state.count += 1;
        format!("{what}.{}", self.state.count).into()
    }
}
