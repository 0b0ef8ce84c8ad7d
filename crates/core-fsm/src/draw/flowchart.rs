use std::fmt::Write;

use super::DrawOptions;
use super::arrow::arrows;
use super::mermaid::{front_matter, id};
use super::nesting::{Nesting, steps};
use crate::config::{Definition, StateKind};

/// A `flowchart` of Mermaid: states as boxes, nested ones in frames.
pub fn to_mermaid_flowchart(definition: &Definition<'_>, options: &DrawOptions) -> String {
    let mut text = String::new();
    front_matter(&mut text, options.title.as_deref());
    let _ = writeln!(text, "flowchart {}", options.direction);
    let nesting = Nesting::of(definition);
    for root in &nesting.roots {
        node(definition, &nesting, *root, 1, &mut text);
    }
    for arrow in arrows(definition, options) {
        let shaft = if arrow.timeout { "-.->" } else { "-->" };
        let label = arrow.label.replace('"', "#quot;").replace('\n', " ");
        let (from, to) = (id(arrow.from), id(arrow.to));
        let _ = writeln!(text, "    {from} {shaft}|\"{label}\"| {to}");
    }
    for state in &definition.states {
        let style = if options.is_active(state.name) {
            "fill:#ffe082,stroke:#ff6f00,stroke-width:2px"
        } else if options.is_visited(state.name) {
            "fill:#dcedc8,stroke:#558b2f"
        } else {
            continue;
        };
        let _ = writeln!(text, "    style {} {style}", id(state.name));
    }
    text.truncate(text.trim_end().len());
    text
}

fn node(
    definition: &Definition<'_>,
    nesting: &Nesting,
    position: usize,
    depth: usize,
    text: &mut String,
) {
    let state = &definition.states[position];
    let name = id(state.name);
    let indent = steps(depth) * 4;
    if nesting.is_leaf(position) {
        let (open, close) = match state.kind {
            StateKind::Initial => ("([", "])"),
            StateKind::Terminal => ("{{", "}}"),
            StateKind::Choice => ("{", "}"),
            StateKind::Stable | StateKind::Error | StateKind::Parallel => ("[", "]"),
        };
        let _ = writeln!(text, "{:indent$}{name}{open}{}{close}", "", state.name);
        return;
    }
    let _ = writeln!(text, "{:indent$}subgraph {name}[{}]", "", state.name);
    for group in &nesting.groups[position] {
        let frame = group.region.map(|region| state.regions[region].name);
        if let Some(region) = frame {
            let _ = writeln!(
                text,
                "{:indent$}    subgraph {name}__{}[{region}]",
                "",
                id(region)
            );
        }
        for member in &group.members {
            let inner = depth + 1 + usize::from(frame.is_some());
            node(definition, nesting, *member, inner, text);
        }
        if frame.is_some() {
            let _ = writeln!(text, "{:indent$}    end", "");
        }
    }
    let _ = writeln!(text, "{:indent$}end", "");
}
