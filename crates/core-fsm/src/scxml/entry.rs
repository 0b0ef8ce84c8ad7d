//! Which states are entered, and what happens then.

use std::collections::{BTreeMap, BTreeSet};

use super::chart::{Chart, Language, NodeId, NodeKind, ROOT, Transition};
use super::content::Step;
use super::event::{Event, EventKind};
use super::fault::RunFault;
use super::plan::Order;
use super::run::Run;

/// The states to enter, in document order, and what goes with that.
struct Entry<'a, 'h> {
    chart: &'a Chart,
    history: &'h BTreeMap<NodeId, Vec<NodeId>>,
    states: BTreeSet<NodeId>,
    /// Entered by their own initial transition.
    by_default: BTreeSet<NodeId>,
    /// Content of histories that remember nothing, by the state they are in.
    contents: BTreeMap<NodeId, &'a [Step]>,
}

impl Entry<'_, '_> {
    fn add(&mut self, state: NodeId) {
        let chart = self.chart;
        let node = &chart.nodes[state];
        match node.kind {
            NodeKind::ShallowHistory | NodeKind::DeepHistory => {
                let parent = node.parent;
                if let Some(remembered) = self.history.get(&state) {
                    self.add_all(remembered, parent);
                } else if let Some(default) = &node.initial {
                    self.contents.insert(parent, &default.steps);
                    self.add_all(&default.targets, parent);
                }
            }
            NodeKind::Compound => {
                self.states.insert(state);
                if let Some(initial) = &node.initial {
                    self.by_default.insert(state);
                    self.add_all(&initial.targets, state);
                }
            }
            NodeKind::Parallel => {
                self.states.insert(state);
                self.add_regions(state);
            }
            NodeKind::Atomic | NodeKind::Final | NodeKind::Root => {
                self.states.insert(state);
            }
        }
    }

    /// States with all that is on the way to them from an ancestor.
    fn add_all(&mut self, states: &[NodeId], ancestor: NodeId) {
        for state in states {
            self.add(*state);
        }
        for state in states {
            self.add_ancestors(*state, Some(ancestor));
        }
    }

    fn add_ancestors(&mut self, state: NodeId, end: Option<NodeId>) {
        let chart = self.chart;
        for ancestor in chart.ancestors(state, end) {
            if ancestor == ROOT {
                continue;
            }
            self.states.insert(ancestor);
            if chart.kind(ancestor) == NodeKind::Parallel {
                self.add_regions(ancestor);
            }
        }
    }

    /// The regions of a parallel state that nothing is entered in yet.
    fn add_regions(&mut self, parallel: NodeId) {
        let chart = self.chart;
        for region in &chart.nodes[parallel].children {
            let last = chart.nodes[*region].last;
            if self.states.range(*region..=last).next().is_none() {
                self.add(*region);
            }
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn enter(&mut self, transitions: &[&'a Transition]) -> Result<(), RunFault> {
        let chart = self.chart;
        let history = self.state.history.clone();
        let mut entry = Entry {
            chart,
            history: &history,
            states: BTreeSet::new(),
            by_default: BTreeSet::new(),
            contents: BTreeMap::new(),
        };
        for transition in transitions {
            for target in &transition.targets {
                entry.add(*target);
            }
        }
        for transition in transitions {
            let domain = if transition.source == ROOT {
                Some(ROOT)
            } else {
                self.domain(transition)
            };
            for state in self.effective_targets(transition) {
                entry.add_ancestors(state, domain);
            }
        }
        let (states, by_default, contents) = (entry.states, entry.by_default, entry.contents);
        for state in states {
            if !self.state.configuration.contains(&state) {
                let content = contents.get(&state).copied();
                self.enter_state(state, by_default.contains(&state), content)?;
            }
        }
        Ok(())
    }

    fn enter_state(
        &mut self,
        state: NodeId,
        by_default: bool,
        content: Option<&'a [Step]>,
    ) -> Result<(), RunFault> {
        let chart = self.chart;
        let node = &chart.nodes[state];
        self.state.configuration.insert(state);
        self.orders.push(Order::Entered(node.id.clone()));
        if !node.invokes.is_empty() {
            self.state.to_invoke.insert(state);
        }
        if chart.late && self.state.entered.insert(state) {
            for item in &node.data {
                self.initialize(item);
            }
        }
        for block in &node.on_entry {
            self.block(block)?;
        }
        if by_default && let Some(initial) = &node.initial {
            self.block(&initial.steps)?;
        }
        if let Some(content) = content {
            self.block(content)?;
        }
        if node.kind == NodeKind::Final {
            self.finish(state);
        }
        Ok(())
    }

    /// A final state was entered: its parent is done, and with it perhaps the parallel state around.
    fn finish(&mut self, state: NodeId) {
        let chart = self.chart;
        let node = &chart.nodes[state];
        let parent = node.parent;
        if parent == ROOT {
            self.state.running = false;
            return;
        }
        let data = match &node.done_data {
            Some(payload) => self.payload_or_empty(payload),
            None => None,
        };
        self.raise_done(parent, data);
        let grandparent = chart.nodes[parent].parent;
        if chart.kind(grandparent) == NodeKind::Parallel
            && chart.nodes[grandparent]
                .children
                .iter()
                .all(|region| self.is_done(*region))
        {
            self.raise_done(grandparent, None);
        }
    }

    fn raise_done(&mut self, state: NodeId, data: Option<crate::Value>) {
        let name = format!("done.state.{}", self.chart.id(state));
        let event = Event::new(&name, EventKind::Platform).with_data(data);
        self.state.internal.push_back(event);
    }

    /// Whether a state is in a final state: a compound one by its child, a parallel one by all regions.
    fn is_done(&self, state: NodeId) -> bool {
        let node = &self.chart.nodes[state];
        match node.kind {
            NodeKind::Compound => node.children.iter().any(|child| {
                self.chart.kind(*child) == NodeKind::Final
                    && self.state.configuration.contains(child)
            }),
            NodeKind::Parallel => node.children.iter().all(|child| self.is_done(*child)),
            _ => false,
        }
    }

    /// Gives variables their first values: all of them, or those of the document itself where binding is late.
    pub(super) fn declare(&mut self) {
        let chart = self.chart;
        let given = self.state.parameters.data.clone();
        if chart.language == Language::Null {
            return;
        }
        if self.state.parameters.declares {
            self.state.data.values = given.clone();
        }
        let nothing = super::code::literal(chart.language, "");
        for node in &chart.nodes {
            for item in &node.data {
                if self.state.data.values.get(&item.name).is_none() {
                    self.state.data.values.insert(&*item.name, nothing.clone());
                }
            }
        }
        for (number, node) in chart.nodes.iter().enumerate() {
            if chart.late && number != ROOT {
                break;
            }
            for item in &node.data {
                match given.get(&item.name).filter(|_| number == ROOT) {
                    Some(value) => {
                        self.state.data.values.insert(&*item.name, value.clone());
                    }
                    None => self.initialize(item),
                }
            }
        }
    }
}
