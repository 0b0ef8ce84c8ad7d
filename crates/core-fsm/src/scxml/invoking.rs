//! Children: started when the chart is at rest, told what they ask to be told, ended with the state they belong to.

use std::sync::Arc;

use super::chart::NodeId;
use super::content::{Content, Invoke, Param};
use super::event::Event;
use super::fault::RunFault;
use super::plan::{Invocation, InvokeSource, Order};
use super::run::Run;
use super::session::Invoked;
use crate::Value;

impl Run<'_> {
    /// Starts the children of states that were entered and not left since.
    pub(super) fn start_children(&mut self) {
        let chart = self.chart;
        for node in std::mem::take(&mut self.state.to_invoke) {
            for (place, invoke) in chart.nodes[node].invokes.iter().enumerate() {
                if let Err(message) = self.start_child(node, place, invoke) {
                    self.raise_error("error.execution", message, None);
                }
            }
        }
    }

    fn start_child(&mut self, node: NodeId, place: usize, invoke: &Invoke) -> Result<(), String> {
        let id = match &invoke.id {
            Some(id) => id.clone(),
            None => self.fresh(&self.chart.id(node).clone()),
        };
        if let Some(location) = &invoke.id_location {
            self.assign(location, Value::Text(id.clone()), false)?;
        }
        let kind = match &invoke.kind {
            Some(kind) => self.text(kind)?,
            None => String::new(),
        };
        let source = match (&invoke.child, &invoke.source, &invoke.payload.content) {
            (Some(child), ..) => InvokeSource::Chart(child.clone()),
            (None, Some(source), _) => InvokeSource::Address(self.text(source)?.into()),
            (None, None, Some(Content::Text(text) | Content::Markup(text))) => {
                InvokeSource::Content(Value::Text(text.clone()))
            }
            (None, None, Some(content)) => InvokeSource::Content(self.content(content)?),
            (None, None, None) => return Err("an invocation of nothing".to_owned()),
        };
        let data = self.named_values(&invoke.payload)?;
        self.state.invoked.push(Invoked {
            node,
            place,
            id: id.clone(),
        });
        self.orders.push(Order::Start(Box::new(Invocation {
            id,
            kind: kind.into(),
            source,
            data,
        })));
        Ok(())
    }

    /// Ends the children of a state that is left.
    pub(super) fn stop_children(&mut self, node: NodeId) {
        let orders = &mut self.orders;
        self.state.invoked.retain(|invoked| {
            if invoked.node == node {
                orders.push(Order::Stop(invoked.id.clone()));
            }
            invoked.node != node
        });
    }

    /// What children have to do with an event: the one it comes from has a last word, some get a copy of it.
    pub(super) fn pass_on(&mut self, event: &Event) -> Result<(), RunFault> {
        let chart = self.chart;
        let mut invoked = self.state.invoked.clone();
        invoked.sort_by_key(|invoked| invoked.node);
        for one in invoked {
            let invoke = &chart.nodes[one.node].invokes[one.place];
            let is_source = event.invoke_id.as_ref() == Some(&one.id);
            if is_source && let Some(finalize) = &invoke.finalize {
                if finalize.is_empty() {
                    self.take_back(invoke, event);
                } else {
                    self.block(finalize)?;
                }
            }
            if is_source && *event.name == *format!("done.invoke.{}", one.id) {
                self.state.invoked.retain(|other| other.id != one.id);
            } else if invoke.forwards {
                self.orders
                    .push(Order::Forward(one.id.clone(), event.clone()));
            }
        }
        Ok(())
    }

    /// An empty `finalize`: what the child sends under the names it was given goes back to where that came from.
    fn take_back(&mut self, invoke: &Invoke, event: &Event) {
        let Some(data) = event.data.as_ref().and_then(|data| data.as_map().cloned()) else {
            return;
        };
        let places = invoke
            .payload
            .names
            .iter()
            .map(|(name, location)| (name, location))
            .chain(
                invoke
                    .payload
                    .params
                    .iter()
                    .filter_map(|(name, param)| match param {
                        Param::Place(location) => Some((name, location)),
                        Param::Value(_) => None,
                    }),
            );
        for (name, location) in places {
            if let Some(value) = data.get(name)
                && let Err(message) = self.assign(location, value.clone(), false)
            {
                self.raise_error("error.execution", message, None);
            }
        }
    }
}

impl super::session::Session {
    /// A child has ended; its last event.
    pub fn child_done(id: &str, data: Option<Value>) -> Event {
        let mut event = Event::new(
            &format!("done.invoke.{id}"),
            super::event::EventKind::External,
        )
        .with_data(data);
        event.invoke_id = Some(Arc::from(id));
        event
    }
}
