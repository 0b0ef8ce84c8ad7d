//! States and transitions of a document, and whether they fit together.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::actions::Writer;
use super::chart::{Node, NodeId, NodeKind, ROOT, Transition};
use super::event::plain_descriptor;
use super::fault::ChartError;
use super::xml::{Element, attribute, elements, name, wrong, wrong_at};

pub(super) type Ids = HashMap<Arc<str>, NodeId, RandomState>;

pub(super) struct Builder<'a, 'w> {
    writer: &'w Writer<'w>,
    nodes: Vec<Node>,
    /// The elements of the nodes.
    elements: Vec<Element<'a>>,
    transitions: Vec<Transition>,
    ids: Ids,
}

impl<'a, 'w> Builder<'a, 'w> {
    pub(super) fn new(root: Element<'a>, writer: &'w Writer<'w>) -> Self {
        Self {
            writer,
            nodes: vec![node("", NodeKind::Root, ROOT)],
            elements: vec![root],
            transitions: Vec::new(),
            ids: Ids::default(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Node>, Vec<Transition>, Ids) {
        (self.nodes, self.transitions, self.ids)
    }

    /// All states in document order, with what they do; where they lead is looked up when all have names.
    pub(super) fn read_states(&mut self, root: Element<'a>) -> Result<(), ChartError> {
        self.nodes[ROOT].data = self.writer.data(root)?;
        for child in elements(root) {
            match name(child) {
                "state" | "parallel" | "final" => self.read_state(child, ROOT)?,
                "datamodel" | "script" => {}
                other => return Err(unexpected(child, other, "scxml")),
            }
        }
        self.nodes[ROOT].last = self.nodes.len() - 1;
        Ok(())
    }

    fn read_state(&mut self, element: Element<'a>, parent: NodeId) -> Result<(), ChartError> {
        let kind = match name(element) {
            "parallel" => NodeKind::Parallel,
            "final" => NodeKind::Final,
            "history" => match attribute(element, "type") {
                None | Some("shallow") => NodeKind::ShallowHistory,
                Some("deep") => NodeKind::DeepHistory,
                Some(other) => {
                    return Err(wrong_at(
                        element,
                        "type",
                        format!("a history is shallow or deep, not '{other}'"),
                    ));
                }
            },
            _ if elements(element)
                .any(|child| matches!(name(child), "state" | "parallel" | "final")) =>
            {
                NodeKind::Compound
            }
            _ => NodeKind::Atomic,
        };
        let number = self.nodes.len();
        let id: Arc<str> = match attribute(element, "id") {
            Some(id) if id.contains(char::is_whitespace) => {
                return Err(wrong_at(
                    element,
                    "id",
                    format!("'{id}' is no id: it has blanks in it"),
                ));
            }
            Some(id) => id.into(),
            None => format!("{}.{number}", name(element)).into(),
        };
        if self.ids.insert(id.clone(), number).is_some() {
            return Err(wrong_at(
                element,
                "id",
                format!("there are two states with the id '{id}'"),
            ));
        }
        self.nodes.push(node(&id, kind, parent));
        self.elements.push(element);
        let is_history = self.nodes[number].is_history();
        if is_history {
            self.nodes[parent].histories.push(number);
        } else {
            self.nodes[parent].children.push(number);
        }
        for child in elements(element) {
            let tag = name(child);
            let fits = match tag {
                "state" | "parallel" => matches!(kind, NodeKind::Compound | NodeKind::Parallel),
                "final" | "initial" => kind == NodeKind::Compound,
                "history" => matches!(kind, NodeKind::Compound | NodeKind::Parallel),
                "onentry" | "onexit" => !is_history,
                "transition" => kind != NodeKind::Final,
                "invoke" | "datamodel" => !is_history && kind != NodeKind::Final,
                "donedata" => kind == NodeKind::Final,
                _ => false,
            };
            if !fits {
                return Err(unexpected(child, tag, name(element)));
            }
            match tag {
                "state" | "parallel" | "final" | "history" => self.read_state(child, number)?,
                "onentry" => {
                    let steps = self.writer.steps(child)?;
                    self.nodes[number].on_entry.push(steps);
                }
                "onexit" => {
                    let steps = self.writer.steps(child)?;
                    self.nodes[number].on_exit.push(steps);
                }
                "invoke" => {
                    let invoke = self.writer.invoke(child)?;
                    self.nodes[number].invokes.push(invoke);
                }
                "donedata" => {
                    let data = self.writer.payload(child)?;
                    self.nodes[number].done_data = Some(data);
                }
                _ => {}
            }
        }
        self.nodes[number].data = self.writer.data(element)?;
        self.nodes[number].last = self.nodes.len() - 1;
        Ok(())
    }

    /// Transitions, initial ones and defaults of histories among them.
    pub(super) fn read_transitions(&mut self, lenient: bool) -> Result<(), ChartError> {
        for number in 0..self.nodes.len() {
            let element = self.elements[number];
            match self.nodes[number].kind {
                NodeKind::Root | NodeKind::Compound => {
                    let initial = self.initial(number, element)?;
                    self.nodes[number].initial = Some(initial);
                }
                _ if attribute(element, "initial").is_some() => {
                    return Err(wrong_at(
                        element,
                        "initial",
                        format!("<{}> has nothing inside that it begins with", name(element)),
                    ));
                }
                NodeKind::ShallowHistory | NodeKind::DeepHistory => {
                    let default = self.default(number, element)?;
                    self.nodes[number].initial = default;
                    continue;
                }
                _ => {}
            }
            for child in elements(element).filter(|child| name(*child) == "transition") {
                let transition = self.transition(number, child, lenient)?;
                self.nodes[number].transitions.push(self.transitions.len());
                self.transitions.push(transition);
            }
        }
        Ok(())
    }

    fn initial(&self, number: NodeId, element: Element<'a>) -> Result<Transition, ChartError> {
        let mut written = elements(element).filter(|child| name(*child) == "initial");
        let (first, second) = (written.next(), written.next());
        if let Some(second) = second {
            return Err(wrong(
                second,
                "a state begins in one way: there are two <initial>",
            ));
        }
        let initial = match (first, attribute(element, "initial")) {
            (Some(inner), None) => {
                let mut inside = elements(inner).filter(|child| name(*child) == "transition");
                let Some(child) = inside.next() else {
                    return Err(wrong(inner, "<initial> needs a <transition>"));
                };
                let transition = self.transition(number, child, false)?;
                if !transition.events.is_empty() || transition.condition.is_some() {
                    return Err(wrong(
                        child,
                        "where a state begins depends on nothing: no 'event', no 'cond'",
                    ));
                }
                if transition.targets.is_empty() {
                    return Err(wrong(child, "<initial> needs a 'target'"));
                }
                transition
            }
            (Some(inner), Some(_)) => {
                return Err(wrong(
                    inner,
                    "the state has 'initial' and <initial>, which exclude each other",
                ));
            }
            (None, Some(targets)) => {
                let targets = self.targets(element, "initial", targets)?;
                plain(number, targets)
            }
            (None, None) => {
                let first = self.nodes[number].children.first().copied();
                plain(number, first.into_iter().collect())
            }
        };
        for target in &initial.targets {
            if !self.is_inside(*target, number) {
                return Err(wrong_at(
                    element,
                    "initial",
                    format!(
                        "'{}' is not inside of '{}', which cannot begin there",
                        self.nodes[*target].id, self.nodes[number].id
                    ),
                ));
            }
        }
        Ok(initial)
    }

    fn default(
        &self,
        number: NodeId,
        element: Element<'a>,
    ) -> Result<Option<Transition>, ChartError> {
        let parent = self.nodes[number].parent;
        let Some(child) = elements(element).find(|child| name(*child) == "transition") else {
            // Nothing remembered and no default: as the state itself begins.
            return Ok(match self.nodes[parent].kind {
                NodeKind::Compound => {
                    let element = self.elements[parent];
                    let targets = self.initial(parent, element)?.targets;
                    let itself = targets.contains(&number);
                    (!itself).then(|| plain(number, targets))
                }
                _ => Some(plain(number, self.nodes[parent].children.clone())),
            });
        };
        let transition = self.transition(number, child, false)?;
        if !transition.events.is_empty() || transition.condition.is_some() {
            return Err(wrong(
                child,
                "the default of a history depends on nothing: no 'event', no 'cond'",
            ));
        }
        if transition.targets.is_empty() {
            return Err(wrong(child, "the default of a history needs a 'target'"));
        }
        for target in &transition.targets {
            let node = &self.nodes[*target];
            if !self.is_inside(*target, parent) || (node.is_history() && node.parent == parent) {
                return Err(wrong_at(
                    child,
                    "target",
                    format!(
                        "'{}' is no state inside of '{}', whose history this is",
                        node.id, self.nodes[parent].id
                    ),
                ));
            }
        }
        Ok(Some(transition))
    }

    fn transition(
        &self,
        source: NodeId,
        element: Element<'a>,
        lenient: bool,
    ) -> Result<Transition, ChartError> {
        let events = attribute(element, "event")
            .into_iter()
            .flat_map(str::split_whitespace)
            .map(plain_descriptor)
            .collect();
        let internal = match attribute(element, "type") {
            None | Some("external") => false,
            Some("internal") => true,
            Some(other) => {
                return Err(wrong_at(
                    element,
                    "type",
                    format!("a transition is internal or external, not '{other}'"),
                ));
            }
        };
        let condition = self.writer.condition(element)?;
        let written = attribute(element, "target").unwrap_or_default();
        let lost = written
            .split_whitespace()
            .find(|target| lenient && !self.ids.contains_key(*target))
            .map(Arc::from);
        let targets = if lost.is_some() {
            Vec::new()
        } else {
            self.targets(element, "target", written)?
        };
        let steps = self.writer.steps(element)?;
        Ok(Transition {
            source,
            events,
            condition,
            targets,
            internal,
            steps,
            lost,
        })
    }

    fn targets(
        &self,
        element: Element<'a>,
        attribute: &str,
        written: &str,
    ) -> Result<Vec<NodeId>, ChartError> {
        let mut targets: Vec<NodeId> = Vec::new();
        for id in written.split_whitespace() {
            let target =
                self.ids.get(id).copied().ok_or_else(|| {
                    wrong_at(element, attribute, format!("there is no state '{id}'"))
                })?;
            for other in &targets {
                if !self.go_together(target, *other) {
                    return Err(wrong_at(
                        element,
                        attribute,
                        format!(
                            "'{}' and '{id}' are never active together",
                            self.nodes[*other].id
                        ),
                    ));
                }
            }
            targets.push(target);
        }
        Ok(targets)
    }

    fn is_inside(&self, node: NodeId, ancestor: NodeId) -> bool {
        ancestor < node && node <= self.nodes[ancestor].last
    }

    /// Whether two states can be active at the same time: one is in the other, or a parallel state has both.
    fn go_together(&self, one: NodeId, other: NodeId) -> bool {
        if one == other || self.is_inside(one, other) || self.is_inside(other, one) {
            return true;
        }
        let mut here = one;
        while here != ROOT {
            here = self.nodes[here].parent;
            if self.is_inside(other, here) {
                return self.nodes[here].kind == NodeKind::Parallel;
            }
        }
        false
    }
}

fn node(id: &str, kind: NodeKind, parent: NodeId) -> Node {
    Node {
        id: id.into(),
        kind,
        parent,
        last: 0,
        children: Vec::new(),
        histories: Vec::new(),
        initial: None,
        transitions: Vec::new(),
        on_entry: Vec::new(),
        on_exit: Vec::new(),
        invokes: Vec::new(),
        data: Vec::new(),
        done_data: None,
    }
}

fn plain(source: NodeId, targets: Vec<NodeId>) -> Transition {
    Transition {
        source,
        events: Vec::new(),
        condition: None,
        targets,
        internal: false,
        steps: Vec::new(),
        lost: None,
    }
}

fn unexpected(element: Element<'_>, tag: &str, parent: &str) -> ChartError {
    wrong(
        element,
        format!("<{tag}> has no place inside of <{parent}>"),
    )
}
