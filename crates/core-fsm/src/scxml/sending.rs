//! Events on their way out, and what they take along.

use std::sync::Arc;

use super::content::{Param, Payload, Send, Text};
use super::event::{Event, EventKind};
use super::execute::Trouble;
use super::plan::Order;
use super::run::Run;
use crate::{Key, Map, Value, parse_delay};

/// The processor that every session has.
pub(super) const PROCESSOR: &str = "http://www.w3.org/TR/scxml/#SCXMLEventProcessor";

pub(super) fn is_scxml(kind: &str) -> bool {
    matches!(
        kind,
        "" | "scxml" | PROCESSOR | "http://www.w3.org/TR/scxml" | "http://www.w3.org/TR/scxml/"
    )
}

/// Milliseconds of a delay as charts write it: `1s`, `.5s`, `250ms`.
pub(super) fn milliseconds(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    if text.starts_with('.') {
        return parse_delay(&format!("0{text}"));
    }
    parse_delay(text)
}

impl Run<'_> {
    pub(super) fn send(&mut self, send: &Send) -> Result<(), Trouble> {
        let id = match (&send.id, &send.id_location) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(location)) => {
                let id = self.fresh("send");
                self.assign(location, Value::Text(id.clone()), false)?;
                Some(id)
            }
            (None, None) => None,
        };
        self.dispatch(send, id.as_ref()).map_err(|(name, message)| {
            self.raise_error(name, message, id.clone());
            Trouble::Told
        })
    }

    fn dispatch(
        &mut self,
        send: &Send,
        id: Option<&Arc<str>>,
    ) -> Result<(), (&'static str, String)> {
        let wrong = |message: String| ("error.execution", message);
        let text = |text: &Option<Text>| -> Result<Option<String>, _> {
            text.as_ref()
                .map(|text| self.text(text))
                .transpose()
                .map_err(wrong)
        };
        let name = text(&send.event)?;
        let target = text(&send.target)?.filter(|target| !target.is_empty());
        let kind = text(&send.kind)?.unwrap_or_default();
        let delay = match text(&send.delay)? {
            Some(delay) => milliseconds(&delay).map_err(wrong)?,
            None => 0,
        };
        let own = is_scxml(&kind);
        let known = own
            || self
                .state
                .parameters
                .kinds
                .iter()
                .any(|known| **known == *kind);
        if !known {
            return Err(wrong(format!("there is no way to send by '{kind}'")));
        }
        let data = self.payload(&send.payload).map_err(wrong)?;
        let name = match name {
            Some(name) if !name.is_empty() => name,
            _ if own => return Err(wrong("an event without a name".to_owned())),
            _ => String::new(),
        };
        let mut event = Event::new(&name, EventKind::External).with_data(data);
        event.send_id = id.cloned();
        let here = format!("#_scxml_{}", self.state.parameters.id);
        if !own {
            self.order_send(event, target, kind, delay);
            return Ok(());
        }
        match target.as_deref() {
            Some("#_internal") if delay > 0 => {
                return Err(wrong("an internal event cannot be delayed".to_owned()));
            }
            Some("#_internal") => {
                event.kind = EventKind::Internal;
                self.state.internal.push_back(event);
                return Ok(());
            }
            Some("#_parent") if self.state.parameters.invoke_id.is_none() => {
                return Err((
                    "error.communication",
                    "the session has no parent".to_owned(),
                ));
            }
            Some(target) if !target.starts_with("#_") => {
                return Err(wrong(format!("'{target}' is no address of sessions")));
            }
            _ => {}
        }
        event.origin = Some(here.as_str().into());
        event.origin_type = Some(PROCESSOR.into());
        let target = target.filter(|target| *target != here);
        if target.as_deref() == Some("#_parent") {
            event.invoke_id.clone_from(&self.state.parameters.invoke_id);
        }
        if target.is_none() && delay == 0 {
            self.state.external.push_back(event);
        } else {
            self.order_send(event, target, PROCESSOR.to_owned(), delay);
        }
        Ok(())
    }

    fn order_send(&mut self, event: Event, target: Option<String>, kind: String, delay: i64) {
        self.orders.push(Order::Send {
            event,
            target: target.map(Into::into),
            kind: kind.into(),
            delay,
        });
    }

    /// What an event takes along. A parameter that has no value is left out, which the chart is told; a name that has none is an error.
    pub(super) fn payload(&mut self, payload: &Payload) -> Result<Option<Value>, String> {
        if let Some(content) = &payload.content {
            return Ok(match self.content(content) {
                Ok(value) => Some(value),
                Err(message) => {
                    self.raise_error("error.execution", message, None);
                    None
                }
            });
        }
        if payload.names.is_empty() && payload.params.is_empty() {
            return Ok(None);
        }
        let values = self.named_values(payload)?;
        Ok((!values.is_empty()).then(|| Value::map(values)))
    }

    pub(super) fn named_values(&mut self, payload: &Payload) -> Result<Map, String> {
        let mut values = Map::new();
        for (name, location) in &payload.names {
            let value = self.look(|view| location.read(view))?;
            values.insert(Key::Text(name.clone()), value);
        }
        for (name, param) in &payload.params {
            let value = match param {
                Param::Value(code) => self.eval(code),
                Param::Place(location) => self.look(|view| location.read(view)),
            };
            match value {
                Ok(value) => {
                    values.insert(Key::Text(name.clone()), value);
                }
                Err(message) => self.raise_error("error.execution", message, None),
            }
        }
        Ok(values)
    }

    /// The payload of a final state; what is wrong with it is told, and it is empty.
    pub(super) fn payload_or_empty(&mut self, payload: &Payload) -> Option<Value> {
        self.payload(payload).unwrap_or_else(|message| {
            self.raise_error("error.execution", message, None);
            None
        })
    }
}
