use std::fmt::Write;

use super::DrawOptions;
use super::arrow::{arrows, seconds};
use super::mermaid::id;
use super::nesting::{Nesting, steps};
use crate::config::{Definition, StateKind};

/// A state diagram for `PlantUML`.
pub fn to_plantuml(definition: &Definition<'_>, options: &DrawOptions) -> String {
    let mut text = String::from("@startuml\n");
    if let Some(title) = &options.title {
        let _ = writeln!(text, "title {}", title.replace('\n', " "));
    }
    if matches!(options.direction.as_str(), "LR" | "RL") {
        text.push_str("left to right direction\n");
    }
    if let Some(initial) = definition.initial() {
        let _ = writeln!(text, "[*] --> {}", id(initial.name));
    }
    let nesting = Nesting::of(definition);
    for root in &nesting.roots {
        state(definition, &nesting, options, *root, 0, &mut text);
    }
    for arrow in arrows(definition, options) {
        if arrow.timeout && !options.timeouts {
            continue;
        }
        let label = match definition.state(arrow.from).and_then(|state| state.timeout) {
            Some(timeout) if arrow.timeout => format!("timeout ({})", seconds(timeout.seconds)),
            _ => arrow.label.replace('\n', " "),
        };
        let to = match arrow.history {
            Some(true) => format!("{}[H*]", id(arrow.to)),
            Some(false) => format!("{}[H]", id(arrow.to)),
            None => id(arrow.to),
        };
        let shaft = match (arrow.timeout, options.is_taken(arrow.from, arrow.to)) {
            (true, _) => "-[dashed]->",
            (false, true) => "-[#558b2f,bold]->",
            (false, false) => "-->",
        };
        let _ = writeln!(text, "{} {shaft} {to} : {label}", id(arrow.from));
    }
    text.push_str("@enduml");
    text
}

fn state(
    definition: &Definition<'_>,
    nesting: &Nesting,
    options: &DrawOptions,
    position: usize,
    depth: usize,
    text: &mut String,
) {
    let state = &definition.states[position];
    let indent = steps(depth) * 2;
    let kind = if state.kind == StateKind::Choice {
        " <<choice>>"
    } else {
        ""
    };
    let colour = if options.is_active(state.name) {
        " #ffe082"
    } else if options.is_visited(state.name) {
        " #dcedc8"
    } else {
        ""
    };
    let name = id(state.name);
    let framed = !nesting.is_leaf(position);
    let open = if framed { " {" } else { "" };
    let _ = writeln!(
        text,
        "{:indent$}state \"{}\" as {name}{kind}{colour}{open}",
        "", state.name
    );
    for (number, group) in nesting.groups[position].iter().enumerate() {
        if number > 0 {
            let _ = writeln!(text, "{:indent$}  --", "");
        }
        let first = match group.region {
            Some(region) => Some(state.regions[region].initial),
            None => state.initial_child,
        };
        if let Some(first) = first {
            let _ = writeln!(text, "{:indent$}  [*] --> {}", "", id(first));
        }
        for member in &group.members {
            self::state(definition, nesting, options, *member, depth + 1, text);
        }
    }
    if framed {
        let _ = writeln!(text, "{:indent$}}}", "");
    }
    if !state.description.is_empty() {
        let description = state.description.replace('\n', "\\n");
        let _ = writeln!(text, "{:indent$}{name} : {description}", "");
    }
    if state.kind == StateKind::Terminal {
        let _ = writeln!(text, "{:indent$}{name} --> [*]", "");
    }
}
