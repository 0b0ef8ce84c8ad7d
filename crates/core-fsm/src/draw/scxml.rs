use std::fmt::Write;

use super::label::{action_label, guard_label};
use super::nesting::Nesting;
use crate::config::{Definition, Destination, StateKind, TransitionDefinition};

/// An SCXML document: states, nested and parallel ones as such, guards and actions as their texts.
pub fn to_scxml(definition: &Definition<'_>, name: Option<&str>) -> String {
    let mut text = String::from("<?xml version='1.0' encoding='utf-8'?>\n");
    let name = name.or(definition.name).unwrap_or("unnamed");
    let initial = definition.initial().map_or("", |state| state.name);
    let _ = writeln!(
        text,
        "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" version=\"1.0\" name=\"{}\" initial=\"{}\">",
        escape(name),
        escape(initial)
    );
    let nesting = Nesting::of(definition);
    for root in &nesting.roots {
        element(definition, &nesting, *root, 1, &mut text);
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

fn element(
    definition: &Definition<'_>,
    nesting: &Nesting,
    position: usize,
    depth: usize,
    text: &mut String,
) {
    let state = &definition.states[position];
    let indent = depth * 2;
    let tag = match state.kind {
        StateKind::Parallel => "parallel",
        StateKind::Terminal => "final",
        _ => "state",
    };
    let initial = match state.initial_child {
        Some(child) if state.kind != StateKind::Parallel => {
            format!(" initial=\"{}\"", escape(child))
        }
        _ => String::new(),
    };
    let mut body = String::new();
    for (key, actions) in [("onentry", &state.on_enter), ("onexit", &state.on_exit)] {
        if !actions.is_empty() {
            let _ = writeln!(body, "{:indent$}  <{key}>", "");
            for action in actions {
                let script = escape(&action_label(action));
                let _ = writeln!(body, "{:indent$}    <script>{script}</script>", "");
            }
            let _ = writeln!(body, "{:indent$}  </{key}>", "");
        }
    }
    for transition in &definition.transitions {
        if definition.sources(transition).contains(&position) {
            transition_element(definition, transition, indent + 2, &mut body);
        }
    }
    if let Some(timeout) = state.timeout {
        let _ = writeln!(
            body,
            "{:indent$}  <transition event=\"timeout\" target=\"{}\" />",
            "",
            escape(timeout.destination)
        );
    }
    history(definition, state.name, indent + 2, &mut body);
    for group in &nesting.groups[position] {
        let region = group.region.map(|region| &state.regions[region]);
        let mut inner = depth + 1;
        if let Some(region) = region {
            let _ = writeln!(
                body,
                "{:indent$}  <state id=\"{}\" initial=\"{}\">",
                "",
                escape(region.name),
                escape(region.initial)
            );
            inner += 1;
        }
        for member in &group.members {
            element(definition, nesting, *member, inner, &mut body);
        }
        if region.is_some() {
            let _ = writeln!(body, "{:indent$}  </state>", "");
        }
    }
    let id = escape(state.name);
    if body.is_empty() {
        let _ = writeln!(text, "{:indent$}<{tag} id=\"{id}\"{initial} />", "");
    } else {
        let _ = write!(
            text,
            "{:indent$}<{tag} id=\"{id}\"{initial}>\n{body}{:indent$}</{tag}>\n",
            "", ""
        );
    }
}

fn transition_element(
    definition: &Definition<'_>,
    transition: &TransitionDefinition<'_>,
    indent: usize,
    body: &mut String,
) {
    let event = match transition.trigger {
        Some(trigger) if !transition.auto => format!(" event=\"{}\"", escape(trigger)),
        _ => String::new(),
    };
    let condition = if transition.guards.is_empty() {
        String::new()
    } else {
        let guards: Vec<_> = transition
            .guards
            .iter()
            .map(|guard| guard_label(guard))
            .collect();
        format!(" cond=\"{}\"", escape(&guards.join(" and ")))
    };
    let target = match Destination::of(transition.dest) {
        Destination::History { parent, deep } => history_id(parent, deep),
        _ => definition.point(transition.dest, true).to_owned(),
    };
    let kind = if transition.internal {
        " type=\"internal\""
    } else {
        ""
    };
    let opened = format!(
        "<transition{event}{condition} target=\"{}\"{kind}",
        escape(&target)
    );
    if transition.actions.is_empty() {
        let _ = writeln!(body, "{:indent$}{opened} />", "");
        return;
    }
    let _ = writeln!(body, "{:indent$}{opened}>", "");
    for action in &transition.actions {
        let script = escape(&action_label(action));
        let _ = writeln!(body, "{:indent$}  <script>{script}</script>", "");
    }
    let _ = writeln!(body, "{:indent$}</transition>", "");
}

fn history_id(parent: &str, deep: bool) -> String {
    format!("{parent}.{}history", if deep { "deep_" } else { "" })
}

/// The history elements of a state that transitions go back to.
fn history(definition: &Definition<'_>, name: &str, indent: usize, body: &mut String) {
    for deep in [false, true] {
        let used = definition.transitions.iter().any(|transition| {
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
