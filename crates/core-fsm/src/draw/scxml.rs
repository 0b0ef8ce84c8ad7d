use std::fmt::Write;

use super::label::{action_label, guard_label};
use super::nesting::{Nesting, steps};
use crate::config::{Definition, Destination, StateDefinition, StateKind, TransitionDefinition};
use crate::scxml::{EXTENSION, to_json};
use crate::{EFFECTS, Value, parse_delay};

/// An SCXML document: what SCXML can say in its own words, guards and actions that it has none for as JSON in a namespace of ours.
pub fn to_scxml(definition: &Definition<'_>, name: Option<&str>) -> String {
    let mut text = String::from("<?xml version='1.0' encoding='utf-8'?>\n");
    let name = name.or(definition.name).unwrap_or("unnamed");
    let initial = definition.initial().map_or("", |state| state.name);
    let _ = writeln!(
        text,
        "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" xmlns:fsm=\"{EXTENSION}\" version=\"1.0\" datamodel=\"python\" name=\"{}\" initial=\"{}\">",
        escape(name),
        escape(initial)
    );
    let writer = Writer {
        definition,
        nesting: Nesting::of(definition),
    };
    for root in &writer.nesting.roots {
        writer.state(*root, 2, &mut text);
    }
    text.push_str("</scxml>");
    text
}

/// Text as XML takes it.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(' '),
            // Characters that XML has no way to write.
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

struct Writer<'d, 'a> {
    definition: &'d Definition<'a>,
    nesting: Nesting,
}

/// An event that comes after a while in a state.
struct Timer {
    event: String,
    delay: String,
}

impl Writer<'_, '_> {
    fn state(&self, position: usize, indent: usize, text: &mut String) {
        let state = &self.definition.states[position];
        let tag = match state.kind {
            StateKind::Parallel => "parallel",
            StateKind::Terminal => "final",
            _ if self.ends_region(position) => "final",
            _ => "state",
        };
        let initial = match state.initial_child {
            Some(child) if state.kind != StateKind::Parallel => {
                format!(" initial=\"{}\"", escape(child))
            }
            _ => String::new(),
        };
        let id = escape(state.name);
        let _ = write!(text, "{:indent$}<{tag} id=\"{id}\"{initial}", "");
        let begun = text.len();
        text.push_str(">\n");
        // Written in place: copied outwards from state to state it would take ever longer.
        self.body(position, indent, text);
        if text.len() == begun + 2 {
            text.truncate(begun);
            text.push_str(" />\n");
        } else {
            let _ = writeln!(text, "{:indent$}</{tag}>", "");
        }
    }

    fn body(&self, position: usize, indent: usize, body: &mut String) {
        let state = &self.definition.states[position];
        let deeper = (indent + 2).min(2 * steps(usize::MAX));
        let timers = self.timers(position);
        handlers(state, &timers, deeper, body);
        for transition in self.leaving(position) {
            self.transition(position, transition, deeper, body);
        }
        if let Some(timeout) = state.timeout {
            let _ = writeln!(
                body,
                "{:indent$}  <transition event=\"{}\" target=\"{}\" />",
                "",
                escape(&self.timeout_event(position)),
                escape(timeout.destination)
            );
        }
        self.histories(state.name, deeper, body);
        for group in &self.nesting.groups[position] {
            let region = group.region.map(|region| &state.regions[region]);
            let mut inner = deeper;
            if let Some(region) = region {
                let _ = writeln!(
                    body,
                    "{:inner$}<state id=\"{}\" initial=\"{}\">",
                    "",
                    escape(region.name),
                    escape(region.initial)
                );
                inner += 2;
            }
            for member in &group.members {
                self.state(*member, inner, body);
            }
            if region.is_some() {
                let _ = writeln!(body, "{:indent$}  </state>", "");
            }
        }
    }

    /// Whether a region is done in this state, which nothing leaves.
    fn ends_region(&self, position: usize) -> bool {
        let name = self.definition.states[position].name;
        let last = self
            .definition
            .states
            .iter()
            .flat_map(|state| &state.regions)
            .any(|region| region.last == Some(name));
        last && self.nesting.groups[position].is_empty()
            && self.definition.states[position].timeout.is_none()
            && self.leaving(position).is_empty()
    }

    /// The transitions of a state, in the order in which they are tried.
    fn leaving(&self, position: usize) -> Vec<&TransitionDefinition<'_>> {
        let mut found: Vec<_> = self
            .definition
            .transitions
            .iter()
            .filter(|transition| self.definition.sources(transition).contains(&position))
            .collect();
        found.sort_by_key(|transition| transition.priority);
        found
    }

    fn timeout_event(&self, position: usize) -> String {
        let declared = self
            .leaving(position)
            .iter()
            .any(|transition| transition.trigger == Some("timeout"));
        if declared {
            return "timeout".to_owned();
        }
        format!("_timeout_{}", self.definition.states[position].name)
    }

    fn timers(&self, position: usize) -> Vec<Timer> {
        let state = &self.definition.states[position];
        let mut timers: Vec<Timer> = Vec::new();
        for transition in self.leaving(position) {
            let Some(after) = transition.after else {
                continue;
            };
            let delay = match after {
                Value::Map(map) => match map.get("expr") {
                    Some(Value::Text(seconds)) => {
                        let expression = escape(&format!("str(1000 * ({seconds})) + 'ms'"));
                        format!("delayexpr=\"{expression}\"")
                    }
                    _ => continue,
                },
                _ => match milliseconds(after) {
                    Some(delay) => format!("delay=\"{delay}ms\""),
                    None => continue,
                },
            };
            timers.push(Timer {
                event: self.event(position, transition),
                delay,
            });
        }
        if let Some(timeout) = state.timeout {
            timers.push(Timer {
                event: self.timeout_event(position),
                delay: format!("delay=\"{}ms\"", timeout.seconds * 1000.0),
            });
        }
        timers
    }

    /// The event of a transition; nothing for one that needs none.
    fn event(&self, position: usize, transition: &TransitionDefinition<'_>) -> String {
        let state = &self.definition.states[position];
        let join = format!("_join_{}", state.name);
        match (transition.trigger, transition.after) {
            _ if transition.auto || state.kind == StateKind::Choice => String::new(),
            (Some(trigger), _) if trigger == join => format!("done.state.{}", state.name),
            (Some(trigger), _) => trigger.to_owned(),
            (None, Some(after)) => {
                let delay =
                    milliseconds(after).map_or_else(String::new, |delay| format!("_{delay}_ms"));
                format!("_after_{}{delay}", state.name)
            }
            (None, None) => String::new(),
        }
    }

    fn transition(
        &self,
        position: usize,
        transition: &TransitionDefinition<'_>,
        indent: usize,
        body: &mut String,
    ) {
        let state = &self.definition.states[position];
        let event = match self.event(position, transition) {
            event if event.is_empty() => event,
            event => format!(" event=\"{}\"", escape(&event)),
        };
        let condition = if transition.guards.is_empty() {
            String::new()
        } else {
            condition(&transition.guards)
        };
        let dest = match Destination::of(transition.dest) {
            Destination::History { parent, deep } => history_id(parent, deep),
            _ => self.definition.point(transition.dest, true).to_owned(),
        };
        let reenters = self
            .definition
            .meta
            .and_then(|meta| meta.get("self_transition"))
            .and_then(Value::as_text)
            == Some("reenter");
        let stays = transition.internal
            || (dest == state.name && self.nesting.is_leaf(position) && !reenters);
        let target = if stays {
            String::new()
        } else {
            format!(" target=\"{}\"", escape(&dest))
        };
        // A transition of a compound state to something inside stays inside.
        let kind = if !stays && self.is_inside(&dest, state.name) {
            " type=\"internal\""
        } else {
            ""
        };
        let opened = format!("<transition{event}{condition}{target}{kind}");
        if transition.actions.is_empty() {
            let _ = writeln!(body, "{:indent$}{opened} />", "");
            return;
        }
        let _ = writeln!(body, "{:indent$}{opened}>", "");
        for action in &transition.actions {
            write_action(action, indent + 2, body);
        }
        let _ = writeln!(body, "{:indent$}</transition>", "");
    }

    fn is_inside(&self, name: &str, ancestor: &str) -> bool {
        let mut here = self.definition.position(name);
        for _ in 0..self.definition.states.len() {
            let Some(parent) = here.and_then(|position| self.definition.states[position].parent)
            else {
                return false;
            };
            if parent == ancestor {
                return true;
            }
            here = self.definition.position(parent);
        }
        false
    }

    /// The history elements of a state that transitions go back to.
    fn histories(&self, name: &str, indent: usize, body: &mut String) {
        for deep in [false, true] {
            let used = self.definition.transitions.iter().any(|transition| {
                Destination::of(transition.dest) == Destination::History { parent: name, deep }
            });
            if used {
                let id = escape(&history_id(name, deep));
                let kind = if deep { "deep" } else { "shallow" };
                let _ = writeln!(
                    body,
                    "{:indent$}<history id=\"{id}\" type=\"{kind}\" />",
                    ""
                );
            }
        }
    }
}

/// What is done when a state is entered and left, with the timers that live as long as it is active.
fn handlers(state: &StateDefinition<'_>, timers: &[Timer], indent: usize, body: &mut String) {
    for (tag, actions) in [("onentry", &state.on_enter), ("onexit", &state.on_exit)] {
        if actions.is_empty() && timers.is_empty() {
            continue;
        }
        let _ = writeln!(body, "{:indent$}<{tag}>", "");
        for timer in timers {
            let id = escape(&format!("{}.{}", state.name, timer.event));
            let _ = if tag == "onentry" {
                writeln!(
                    body,
                    "{:indent$}  <send event=\"{}\" id=\"{id}\" {} />",
                    "",
                    escape(&timer.event),
                    timer.delay
                )
            } else {
                writeln!(body, "{:indent$}  <cancel sendid=\"{id}\" />", "")
            };
        }
        for action in actions {
            write_action(action, indent + 2, body);
        }
        let _ = writeln!(body, "{:indent$}</{tag}>", "");
    }
}

fn milliseconds(after: &Value) -> Option<i64> {
    match after {
        Value::Int(delay) => Some(*delay),
        Value::Text(text) => parse_delay(text).ok(),
        _ => None,
    }
}

fn history_id(parent: &str, deep: bool) -> String {
    format!("{parent}.{}history", if deep { "deep_" } else { "" })
}

/// Guards as attributes: a condition that people read, and beside it the guards themselves where that says less than they do.
fn condition(guards: &[&Value]) -> String {
    let labels: Vec<_> = guards.iter().map(|guard| guard_label(guard)).collect();
    let label = match labels.as_slice() {
        [only] => only.clone(),
        _ => labels
            .iter()
            .map(|label| {
                if label
                    .chars()
                    .all(|letter| letter == '_' || letter.is_alphanumeric())
                {
                    label.clone()
                } else {
                    format!("({label})")
                }
            })
            .collect::<Vec<_>>()
            .join(" and "),
    };
    let said = guards.iter().all(|guard| match guard {
        Value::Text(_) => true,
        Value::Map(map) => matches!(map.get("expr"), Some(Value::Text(_))),
        _ => false,
    });
    if said {
        return format!(" cond=\"{}\"", escape(&label));
    }
    let written = to_json(&Value::list(
        guards.iter().map(|guard| (*guard).clone()).collect(),
    ));
    format!(
        " cond=\"{}\" fsm:guards=\"{}\"",
        escape(&label),
        escape(&written)
    )
}

/// An action in SCXML's own words, or else as JSON.
fn write_action(action: &Value, indent: usize, body: &mut String) {
    let Value::Map(map) = action else {
        let script = escape(&action_label(action));
        let _ = writeln!(body, "{:indent$}<script>{script}</script>", "");
        return;
    };
    if let Some(when) = map.get("when").filter(|when| !when.is_null()) {
        let mut plain = map.as_ref().clone();
        plain.remove("when");
        let _ = writeln!(body, "{:indent$}<if{}>", "", test(when));
        write_action(&Value::map(plain), indent + 2, body);
        let _ = writeln!(body, "{:indent$}</if>", "");
        return;
    }
    if map.get("name").is_none() {
        if let Some(Value::Text(event)) = map.get("raise") {
            let _ = writeln!(body, "{:indent$}<raise event=\"{}\" />", "", escape(event));
            return;
        }
        if let Some(Value::Text(id)) = map.get("cancel") {
            let _ = writeln!(body, "{:indent$}<cancel sendid=\"{}\" />", "", escape(id));
            return;
        }
        if let Some(Value::Map(send)) = map.get("send")
            && let Some(Value::Text(event)) = send.get("event")
        {
            let mut attributes = format!(" event=\"{}\"", escape(event));
            if let Some(Value::Text(to)) = send.get("to") {
                let _ = write!(attributes, " target=\"{}\"", escape(to));
            }
            if let Some(delay) = send.get("delay").and_then(milliseconds) {
                let _ = write!(attributes, " delay=\"{delay}ms\"");
            }
            if let Some(Value::Text(id)) = send.get("id") {
                let _ = write!(attributes, " id=\"{}\"", escape(id));
            }
            let _ = writeln!(body, "{:indent$}<send{attributes} />", "");
            return;
        }
        if let Some(Value::Map(branch)) = map.get("branch")
            && let Some(when) = branch.get("when")
        {
            let _ = writeln!(body, "{:indent$}<if{}>", "", test(when));
            for (key, tag) in [("then", None), ("else", Some("else"))] {
                let items = branch
                    .get(key)
                    .and_then(Value::as_items)
                    .unwrap_or_default();
                if let (Some(tag), false) = (tag, items.is_empty()) {
                    let _ = writeln!(body, "{:indent$}  <{tag} />", "");
                }
                for item in items {
                    write_action(item, indent + 2, body);
                }
            }
            let _ = writeln!(body, "{:indent$}</if>", "");
            return;
        }
    }
    let known = map.iter().any(|(key, _)| {
        key.as_text().is_some_and(|key| {
            EFFECTS.contains(&key)
                || ["name", "custom", "http", "code", "emit", "branch", "send"].contains(&key)
        })
    });
    let written = escape(&to_json(action));
    let _ = if known {
        writeln!(body, "{:indent$}<fsm:action>{written}</fsm:action>", "")
    } else {
        writeln!(
            body,
            "{:indent$}<script>{}</script>",
            "",
            escape(&action_label(action))
        )
    };
}

/// The condition of an action: an expression, or a check.
fn test(when: &Value) -> String {
    match when {
        Value::Text(expression) => format!(" cond=\"{}\"", escape(expression)),
        check => condition(&[check]),
    }
}
