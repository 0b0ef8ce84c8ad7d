use std::fmt::Write;

use super::DrawOptions;
use super::arrow::{arrows, seconds};
use super::nesting::{Nesting, steps};
use crate::config::{Definition, StateKind};

/// A directed graph for Graphviz.
pub fn to_dot(definition: &Definition<'_>, options: &DrawOptions) -> String {
    let mut text = String::new();
    let name = options.title.as_deref().map_or_else(
        || id(definition.name.unwrap_or("unnamed")),
        |title| id(&graph_name(title)),
    );
    let _ = writeln!(text, "digraph {name} {{");
    let _ = writeln!(text, "    rankdir={};", options.direction);
    let _ = writeln!(text, "    node [shape=rectangle, style=rounded];");
    if let Some(title) = &options.title {
        let _ = writeln!(text, "    label={};", quoted(title));
        let _ = writeln!(text, "    labelloc=t;");
    }
    let nesting = Nesting::of(definition);
    if nesting.groups.iter().any(|groups| !groups.is_empty()) {
        let _ = writeln!(text, "    compound=true;");
    }
    if let Some(initial) = definition.initial() {
        let _ = writeln!(text, "    __start__ [shape=point, width=0.2, label=\"\"];");
        let _ = writeln!(text, "    __start__ -> {};", id(initial.name));
    }
    let mut ends = 0;
    for root in &nesting.roots {
        node(
            definition, &nesting, options, *root, 1, &mut ends, &mut text,
        );
    }
    for arrow in arrows(definition, options) {
        if arrow.timeout && !options.timeouts {
            continue;
        }
        let label = match definition.state(arrow.from).and_then(|state| state.timeout) {
            Some(timeout) if arrow.timeout => format!("timeout ({})", seconds(timeout.seconds)),
            _ => arrow.label.clone(),
        };
        let mut style = String::new();
        if arrow.timeout {
            style.push_str(", style=dashed");
        }
        if options.is_taken(arrow.from, arrow.to) {
            style.push_str(", color=\"#558b2f\", penwidth=2");
        }
        let (from, to) = (id(arrow.from), id(arrow.to));
        let _ = writeln!(
            text,
            "    {from} -> {to} [label={}{style}];",
            quoted(&label)
        );
    }
    text.push('}');
    text
}

fn node(
    definition: &Definition<'_>,
    nesting: &Nesting,
    options: &DrawOptions,
    position: usize,
    depth: usize,
    ends: &mut usize,
    text: &mut String,
) {
    let state = &definition.states[position];
    let indent = steps(depth) * 4;
    let name = id(state.name);
    let framed = !nesting.is_leaf(position);
    if framed {
        let _ = writeln!(text, "{:indent$}subgraph \"cluster_{}\" {{", "", state.name);
        let _ = writeln!(text, "{:indent$}    label={};", "", quoted(state.name));
        for group in &nesting.groups[position] {
            let region = group.region.map(|region| state.regions[region].name);
            if let Some(region) = region {
                let frame = format!("cluster_{}_{region}", state.name);
                let _ = writeln!(text, "{:indent$}    subgraph {} {{", "", quoted(&frame));
                let _ = writeln!(
                    text,
                    "{:indent$}        label={}; style=dashed;",
                    "",
                    quoted(region)
                );
            }
            for member in &group.members {
                let inner = depth + 1 + usize::from(region.is_some());
                node(definition, nesting, options, *member, inner, ends, text);
            }
            if region.is_some() {
                let _ = writeln!(text, "{:indent$}    }}", "");
            }
        }
    }
    let mut attributes = Vec::new();
    match state.kind {
        StateKind::Terminal => attributes.push("shape=doublecircle".to_owned()),
        StateKind::Choice => attributes.push("shape=diamond".to_owned()),
        StateKind::Initial => attributes.push("style=\"rounded,bold\"".to_owned()),
        StateKind::Error => attributes.push("color=red".to_owned()),
        StateKind::Stable | StateKind::Parallel => {}
    }
    if options.is_active(state.name) {
        attributes.push("fillcolor=\"#ffe082\", style=\"rounded,filled,bold\"".to_owned());
    } else if options.is_visited(state.name) {
        attributes.push("fillcolor=\"#dcedc8\", style=\"rounded,filled\"".to_owned());
    }
    if !state.description.is_empty() {
        attributes.push(format!("tooltip={}", quoted(state.description)));
    }
    let inner = if framed { indent + 4 } else { indent };
    if !attributes.is_empty() {
        let _ = writeln!(text, "{:inner$}{name} [{}];", "", attributes.join(", "));
    } else if framed || depth > 1 {
        let _ = writeln!(text, "{:inner$}{name};", "");
    }
    if framed {
        let _ = writeln!(text, "{:indent$}}}", "");
    }
    if state.kind == StateKind::Terminal {
        let _ = writeln!(
            text,
            "{:indent$}__end{ends}__ [shape=point, width=0.2, label=\"\"];",
            ""
        );
        let _ = writeln!(text, "{:indent$}{name} -> __end{ends}__;", "");
        *ends += 1;
    }
}

/// A name as Graphviz takes it: quoted unless it is a plain word.
fn id(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let word = ["node", "edge", "graph", "digraph", "subgraph", "strict"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(name));
    if plain && !word {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

/// A title as the name of a graph: what names cannot have becomes `_`.
fn graph_name(title: &str) -> String {
    title
        .chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() {
                one
            } else {
                '_'
            }
        })
        .collect()
}
