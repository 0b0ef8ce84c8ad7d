use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::chart::{Chart, NodeId, NodeKind, ROOT};
use super::data::Data;
use super::event::{Event, EventKind};
use super::fault::RunFault;
use super::plan::Order;
use super::run::Run;
use super::sending::PROCESSOR;
use super::undefined::defined;
use crate::{Key, Map, Value};

/// What a run asks of the world.
pub trait ChartHost {
    /// What a guard says that the host knows by name; `None` where it knows none.
    fn guard(&self, _name: &str, _values: &Map) -> Option<bool> {
        None
    }

    /// The time, in microseconds since 1970.
    fn now(&self) -> Option<i64> {
        None
    }

    /// A number from 0 to below 1, where chance is allowed.
    fn random(&self) -> Option<f64> {
        None
    }
}

fn settle(run: &mut Run<'_>) -> Result<(), RunFault> {
    run.settle()
}

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct Parameters {
    pub id: Arc<str>,
    /// The invocation that it was started by, for a child.
    pub invoke_id: Option<Arc<str>>,
    /// Values of the data model that take the place of the document's own.
    pub data: Map,
    /// Whether values may come in that the document doesn't declare.
    pub declares: bool,
    /// Kinds of `send` that the host knows beside SCXML's own.
    pub kinds: Vec<Arc<str>>,
    /// Microsteps of one macrostep.
    pub microsteps: usize,
}

impl Parameters {
    pub fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            invoke_id: None,
            data: Map::new(),
            declares: true,
            kinds: Vec::new(),
            microsteps: 10_000,
        }
    }
}

/// A child that runs.
#[derive(Clone, Debug)]
pub(super) struct Invoked {
    pub(super) node: NodeId,
    /// Its place among the state's.
    pub(super) place: usize,
    pub(super) id: Arc<str>,
}

/// Where a session is.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) parameters: Parameters,
    pub(super) configuration: BTreeSet<NodeId>,
    pub(super) to_invoke: BTreeSet<NodeId>,
    pub(super) history: BTreeMap<NodeId, Vec<NodeId>>,
    /// States that have been entered, where that is when their data get values.
    pub(super) entered: BTreeSet<NodeId>,
    pub(super) data: Data,
    pub(super) internal: VecDeque<Event>,
    pub(super) external: VecDeque<Event>,
    pub(super) invoked: Vec<Invoked>,
    /// Ids that were made up.
    pub(super) count: u64,
    pub(super) running: bool,
    pub(super) done: Option<Value>,
}

/// One run of a chart: where it is and what it knows. What fails leaves it as it was.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) chart: Arc<Chart>,
    pub(super) state: State,
}

impl Session {
    pub fn new(chart: Arc<Chart>, parameters: Parameters) -> Self {
        let id = parameters.id.clone();
        let address: Value = Value::map(
            [("location".into(), Value::text(format!("#_scxml_{id}")))]
                .into_iter()
                .collect(),
        );
        let processors: Map = [PROCESSOR, "scxml"]
            .into_iter()
            .map(|name| (Key::from(name), address.clone()))
            .collect();
        let mut data = Data::default();
        data.system.insert("_sessionid", Value::Text(id));
        data.system.insert("_name", Value::Text(chart.name.clone()));
        data.system.insert("_ioprocessors", Value::map(processors));
        Self {
            chart,
            state: State {
                parameters,
                configuration: BTreeSet::new(),
                to_invoke: BTreeSet::new(),
                history: BTreeMap::new(),
                entered: BTreeSet::new(),
                data,
                internal: VecDeque::new(),
                external: VecDeque::new(),
                invoked: Vec::new(),
                count: 0,
                running: false,
                done: None,
            },
        }
    }

    pub fn chart(&self) -> &Arc<Chart> {
        &self.chart
    }

    /// Enters the initial states and comes to rest.
    pub fn start(&mut self, host: &dyn ChartHost) -> Result<Vec<Order>, RunFault> {
        self.change(host, |run| {
            run.begin()?;
            run.settle()
        })
    }

    /// Puts an event at the end of the queue.
    pub fn post(&mut self, event: Event) {
        if self.state.running {
            self.state.external.push_back(event);
        }
    }

    /// Tells the chart that something went wrong that it had ordered.
    pub fn report(&mut self, name: &str, send_id: Option<Arc<str>>, message: &str) {
        let mut event = Event::new(name, EventKind::Platform).with_data(Some(Value::text(message)));
        event.send_id = send_id;
        self.state.internal.push_back(event);
    }

    /// Takes what waits: errors that were reported, else the next event. `None` when there is nothing. After a fault the
    /// session is as it was before, and what has led to it is forgotten.
    pub fn advance(&mut self, host: &dyn ChartHost) -> Result<Option<Vec<Order>>, RunFault> {
        if !self.state.running {
            self.state.external.clear();
            return Ok(None);
        }
        if !self.state.internal.is_empty() {
            let taken = self.change(host, settle);
            if taken.is_err() {
                self.state.internal.clear();
            }
            return taken.map(Some);
        }
        // An event that ends in a fault is gone all the same: it would end there again.
        let Some(event) = self.state.external.pop_front() else {
            return Ok(None);
        };
        self.change(host, |run| {
            run.receive(&event)?;
            run.settle()
        })
        .map(Some)
    }

    /// Takes what follows from the data model alone, after that was changed from outside.
    pub fn settle(&mut self, host: &dyn ChartHost) -> Result<Vec<Order>, RunFault> {
        if !self.state.running {
            return Ok(Vec::new());
        }
        self.change(host, settle)
    }

    /// Whether `advance` would do anything.
    pub fn has_work(&self) -> bool {
        self.state.running && !(self.state.internal.is_empty() && self.state.external.is_empty())
    }

    /// Ends the session: all states are left, nothing is told to whoever waits for it.
    pub fn cancel(&mut self, host: &dyn ChartHost) -> Result<Vec<Order>, RunFault> {
        self.change(host, |run| {
            if run.state.running {
                run.state.running = false;
                run.leave_all(false)?;
            }
            Ok(())
        })
    }

    fn change(
        &mut self,
        host: &dyn ChartHost,
        act: impl FnOnce(&mut Run<'_>) -> Result<(), RunFault>,
    ) -> Result<Vec<Order>, RunFault> {
        let mut run = Run::new(&self.chart, host, self.state.clone());
        act(&mut run)?;
        let (state, orders) = run.end();
        self.state = state;
        Ok(orders)
    }

    /// Whether it was started and has not ended.
    pub fn is_running(&self) -> bool {
        self.state.running
    }

    /// What it ended with.
    pub fn done_data(&self) -> Option<&Value> {
        self.state.done.as_ref()
    }

    /// All active states, in document order; where it ended, the last.
    pub fn configuration(&self) -> Vec<&str> {
        self.named(|node| node != ROOT)
    }

    /// The active states with nothing active in them.
    pub fn leaves(&self) -> Vec<&str> {
        self.named(|node| self.chart.is_atomic(node))
    }

    fn named(&self, wanted: impl Fn(NodeId) -> bool) -> Vec<&str> {
        self.state
            .configuration
            .iter()
            .filter(|node| wanted(**node))
            .map(|node| &**self.chart.id(*node))
            .collect()
    }

    pub fn is_active(&self, id: &str) -> bool {
        self.chart
            .ids
            .get(id)
            .is_some_and(|node| self.state.configuration.contains(node))
    }

    /// The innermost state that all active leaves are in: a leaf, or a parallel state.
    pub fn resting(&self) -> Option<&str> {
        let mut leaves = self
            .state
            .configuration
            .iter()
            .copied()
            .filter(|node| self.chart.is_atomic(*node));
        let first = leaves.next()?;
        let rest: Vec<_> = leaves.collect();
        let common = std::iter::once(first)
            .chain(self.chart.ancestors(first, None))
            .find(|node| {
                rest.iter()
                    .all(|leaf| leaf == node || self.chart.is_descendant(*leaf, *node))
            })?;
        (self.chart.kind(common) != NodeKind::Root).then(|| &**self.chart.id(common))
    }

    /// The variables of the data model, what is undefined as null.
    pub fn values(&self) -> Map {
        self.state
            .data
            .values
            .iter()
            .map(|(key, value)| (key.clone(), defined(value)))
            .collect()
    }

    /// Puts a value into the data model from outside.
    pub fn set(&mut self, name: &str, value: Value) {
        self.state.data.values.insert(name, value);
    }

    /// Takes a value out of the data model.
    pub fn unset(&mut self, name: &str) {
        self.state.data.values.remove(name);
    }

    /// The children that run, by their ids.
    pub fn children(&self) -> Vec<&str> {
        self.state
            .invoked
            .iter()
            .map(|invoked| &*invoked.id)
            .collect()
    }

    /// The descriptors of transitions that an event would be looked for in now, each once.
    pub fn descriptors(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for node in &self.state.configuration {
            for transition in &self.chart.nodes[*node].transitions {
                for event in &self.chart.transitions[*transition].events {
                    if !found.contains(&&**event) {
                        found.push(event);
                    }
                }
            }
        }
        found
    }
}
