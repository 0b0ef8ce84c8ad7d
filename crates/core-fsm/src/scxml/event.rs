use std::sync::Arc;

use super::undefined::undefined;
use crate::{Map, Value};

/// Where an event comes from: `_event.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// From the algorithm itself: `done.state.x`, `error.execution`.
    Platform,
    /// Raised by the chart.
    Internal,
    External,
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

/// An event as `_event` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: Arc<str>,
    pub kind: EventKind,
    /// The id of the `send` it comes from, where that has one.
    pub send_id: Option<Arc<str>>,
    /// Where an answer can be sent to, and by which way.
    pub origin: Option<Arc<str>>,
    pub origin_type: Option<Arc<str>>,
    /// The invocation of the child it comes from.
    pub invoke_id: Option<Arc<str>>,
    pub data: Option<Value>,
}

impl Event {
    pub fn new(name: &str, kind: EventKind) -> Self {
        Self {
            name: name.into(),
            kind,
            send_id: None,
            origin: None,
            origin_type: None,
            invoke_id: None,
            data: None,
        }
    }

    #[must_use]
    pub fn with_data(mut self, data: Option<Value>) -> Self {
        self.data = data;
        self
    }

    /// The fields under the names they have in charts; what is not there is null, or undefined.
    pub(super) fn to_value(&self, undefines: bool) -> Value {
        let absent = || if undefines { undefined() } else { Value::Null };
        let text = |text: &Option<Arc<str>>| {
            text.as_ref()
                .map_or_else(absent, |text| Value::Text(text.clone()))
        };
        let mut fields = Map::new();
        fields.insert("name", Value::Text(self.name.clone()));
        fields.insert("type", Value::text(self.kind.as_str()));
        fields.insert("sendid", text(&self.send_id));
        fields.insert("origin", text(&self.origin));
        fields.insert("origintype", text(&self.origin_type));
        fields.insert("invokeid", text(&self.invoke_id));
        fields.insert("data", self.data.clone().unwrap_or_else(absent));
        Value::map(fields)
    }
}

/// Whether a descriptor of a transition (`a.b`, `a.*`, `*`) means an event: their tokens agree as far as the descriptor goes.
pub(super) fn describes(descriptor: &str, event: &str) -> bool {
    descriptor == "*"
        || event
            .strip_prefix(descriptor)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A descriptor without what changes nothing: the dot or the `.*` at its end.
pub(super) fn plain_descriptor(written: &str) -> Arc<str> {
    let plain = written.strip_suffix(".*").unwrap_or(written);
    match plain.strip_suffix('.').unwrap_or(plain) {
        "" => "*".into(),
        plain => plain.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_prefixes_of_tokens() {
        for (descriptor, event, meant) in [
            ("error", "error", true),
            ("error", "error.execution", true),
            ("error", "errors.my", false),
            ("error.", "error.execution", true),
            ("error.*", "error", true),
            ("error.*", "error.a.b", true),
            ("a.b", "a", false),
            ("*", "anything.at.all", true),
            ("a.*", "ab", false),
        ] {
            assert_eq!(
                describes(&plain_descriptor(descriptor), event),
                meant,
                "{descriptor} {event}"
            );
        }
    }
}
