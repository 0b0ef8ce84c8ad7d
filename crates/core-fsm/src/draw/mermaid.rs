use std::fmt::Write;

use super::DrawOptions;
use super::arrow::{arrows, seconds};
use super::nesting::{Nesting, steps};
use crate::config::{Definition, StateKind};

/// A `stateDiagram-v2` of Mermaid.
pub fn to_mermaid(definition: &Definition<'_>, options: &DrawOptions) -> String {
    let mut text = String::new();
    front_matter(&mut text, options.title.as_deref());
    line(&mut text, 0, "stateDiagram-v2");
    line(&mut text, 1, &format!("direction {}", options.direction));
    if let Some(initial) = definition.initial() {
        line(&mut text, 1, &format!("[*] --> {}", id(initial.name)));
    }
    let nesting = Nesting::of(definition);
    for root in &nesting.roots {
        state(definition, &nesting, *root, 1, &mut text);
    }
    for state in definition.states.iter().filter(|_| options.timeouts) {
        if let Some(timeout) = state.timeout {
            line(&mut text, 1, &format!("note right of {}", id(state.name)));
            let note = format!(
                "timeout: {} -> {}",
                seconds(timeout.seconds),
                timeout.destination
            );
            line(&mut text, 2, &note);
            line(&mut text, 1, "end note");
        }
    }
    for root in &nesting.roots {
        let state = &definition.states[*root];
        if state.kind == StateKind::Terminal {
            line(&mut text, 1, &format!("{} --> [*]", id(state.name)));
        }
    }
    for arrow in arrows(definition, options) {
        if arrow.timeout && !options.timeouts {
            continue;
        }
        let drawn = format!(
            "{} --> {} : {}",
            id(arrow.from),
            id(arrow.to),
            escaped(&arrow.label)
        );
        line(&mut text, 1, &drawn);
    }
    classes(definition, options, &mut text);
    text.truncate(text.trim_end().len());
    text
}

fn line(text: &mut String, depth: usize, content: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "{:width$}{content}", "", width = steps(depth) * 4);
}

/// The head of a Mermaid document that has a title.
pub(super) fn front_matter(text: &mut String, title: Option<&str>) {
    if let Some(title) = title {
        let quoted = if title.contains([':', '#', '\'', '"', '\n', '[', '{']) {
            format!(
                "\"{}\"",
                title
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', " ")
            )
        } else {
            title.to_owned()
        };
        let _ = write!(text, "---\ntitle: {quoted}\n---\n");
    }
}

/// A name that Mermaid takes for one.
pub(super) fn id(name: &str) -> String {
    let id: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    // A word of the language is no name.
    if matches!(
        id.as_str(),
        "end" | "state" | "note" | "direction" | "class" | "classDef" | "as"
    ) {
        format!("{id}_")
    } else {
        id
    }
}

/// Text that ends no line and begins no other part.
fn escaped(text: &str) -> String {
    text.replace('\n', " ")
        .replace(';', "#59;")
        .replace(':', "#58;")
}

fn state(
    definition: &Definition<'_>,
    nesting: &Nesting,
    position: usize,
    depth: usize,
    text: &mut String,
) {
    let state = &definition.states[position];
    let name = id(state.name);
    if name != state.name {
        line(text, depth, &format!("state \"{}\" as {name}", state.name));
    }
    if !state.description.is_empty() {
        line(
            text,
            depth,
            &format!("{name} : {}", escaped(state.description)),
        );
    }
    if state.kind == StateKind::Choice {
        line(text, depth, &format!("state {name} <<choice>>"));
    }
    if nesting.is_leaf(position) {
        let alone = state.description.is_empty()
            && state.kind != StateKind::Choice
            && name == state.name
            && !is_named(definition, state.name);
        if alone || depth > 1 {
            line(text, depth, &name);
        }
        return;
    }
    line(text, depth, &format!("state {name} {{"));
    for (number, group) in nesting.groups[position].iter().enumerate() {
        if number > 0 {
            line(text, depth + 1, "--");
        }
        let first = match group.region {
            Some(region) => Some(state.regions[region].initial),
            None => state.initial_child,
        };
        if let Some(first) = first {
            line(text, depth + 1, &format!("[*] --> {}", id(first)));
        }
        for member in &group.members {
            self::state(definition, nesting, *member, depth + 1, text);
            let inner = &definition.states[*member];
            if inner.kind == StateKind::Terminal {
                line(text, depth + 1, &format!("{} --> [*]", id(inner.name)));
            }
        }
    }
    line(text, depth, "}");
}

/// Whether an arrow names a state, which draws it.
fn is_named(definition: &Definition<'_>, name: &str) -> bool {
    definition.initial().is_some_and(|state| state.name == name)
        || definition
            .state(name)
            .is_some_and(|state| state.kind == StateKind::Terminal || state.timeout.is_some())
        || definition.transitions.iter().any(|transition| {
            transition.dest == name
                || transition.sources.contains(&name)
                || transition.sources.contains(&"*")
        })
}

fn classes(definition: &Definition<'_>, options: &DrawOptions, text: &mut String) {
    let named = |wanted: &dyn Fn(&str) -> bool| -> Vec<String> {
        definition
            .states
            .iter()
            .filter(|state| wanted(state.name))
            .map(|state| id(state.name))
            .collect()
    };
    let visited = named(&|name| options.is_visited(name) && !options.is_active(name));
    if !visited.is_empty() {
        line(text, 1, "classDef visited fill:#dcedc8,stroke:#558b2f");
        line(text, 1, &format!("class {} visited", visited.join(",")));
    }
    let active = named(&|name| options.is_active(name));
    if !active.is_empty() {
        line(
            text,
            1,
            "classDef active fill:#ffe082,stroke:#ff6f00,stroke-width:2px",
        );
        line(text, 1, &format!("class {} active", active.join(",")));
    }
}
