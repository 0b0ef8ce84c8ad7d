//! What is known about the nodes once all are there: loops, optional shapes, secrets, how bytes are checked.

use std::collections::HashMap;

use serde_json::Value;

use crate::error::SchemaError;
use crate::number::Num;
use crate::schema::{Flow, Node, NodeId, Rules, Schema, kind};

pub(crate) fn finish(
    schema: &mut Schema,
    places: &HashMap<String, NodeId>,
) -> Result<(), SchemaError> {
    refuse_loops(schema, places)?;
    let kinds = all_kinds(schema);
    find_optionals(schema, &kinds);
    spread_secrets(schema);
    for id in 0..schema.nodes.len() {
        let flow = match &schema.nodes[id] {
            Node::Rules(rules) => flow_of(rules, &kinds),
            Node::Any | Node::Never => continue,
        };
        if let Node::Rules(rules) = &mut schema.nodes[id] {
            rules.flow = flow;
        }
    }
    schema.kinds = kinds;
    Ok(())
}

/// A schema that applies itself to the same value would never end.
fn refuse_loops(schema: &Schema, places: &HashMap<String, NodeId>) -> Result<(), SchemaError> {
    const FRESH: u8 = 0;
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![FRESH; schema.nodes.len()];
    for start in 0..schema.nodes.len() {
        if state[start] != FRESH {
            continue;
        }
        state[start] = OPEN;
        let mut open = vec![(start, in_place(schema, start))];
        while let Some((id, rest)) = open.last_mut() {
            let Some(next) = rest.pop() else {
                state[*id] = DONE;
                open.pop();
                continue;
            };
            match state[next] {
                FRESH => {
                    state[next] = OPEN;
                    open.push((next, in_place(schema, next)));
                }
                OPEN => {
                    let place = places
                        .iter()
                        .find(|(_, id)| **id == next)
                        .map_or("", |(place, _)| place.as_str());
                    return Err(SchemaError::new(
                        place,
                        "the schema refers to itself without going into the value",
                    ));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn in_place(schema: &Schema, id: NodeId) -> Vec<NodeId> {
    schema.rules(id).map(Rules::in_place).unwrap_or_default()
}

/// The kinds of values each node may accept; perhaps too many, never too few.
fn all_kinds(schema: &Schema) -> Vec<u8> {
    let mut kinds = vec![None; schema.nodes.len()];
    for id in 0..schema.nodes.len() {
        kinds_of(schema, id, &mut kinds);
    }
    kinds
        .into_iter()
        .map(|known| known.unwrap_or(kind::ALL))
        .collect()
}

fn kinds_of(schema: &Schema, id: NodeId, known: &mut Vec<Option<u8>>) -> u8 {
    if let Some(kinds) = known[id] {
        return kinds;
    }
    let kinds = match &schema.nodes[id] {
        Node::Any => kind::ALL,
        Node::Never => 0,
        Node::Rules(rules) => {
            let mut kinds = rules.types;
            if let Some(choices) = &rules.choices {
                kinds &= choices
                    .values
                    .iter()
                    .fold(0, |all, value| all | kind_of(value));
            }
            if let Some(constant) = &rules.constant {
                kinds &= kind_of(constant);
            }
            for node in rules.reference.iter().chain(&rules.all_of) {
                kinds &= kinds_of(schema, *node, known);
            }
            for branches in [&rules.any_of, &rules.one_of] {
                if !branches.is_empty() {
                    kinds &= branches
                        .iter()
                        .fold(0, |all, node| all | kinds_of(schema, *node, known));
                }
            }
            if rules.nullable {
                kinds | kind::NULL
            } else {
                kinds
            }
        }
    };
    known[id] = Some(kinds);
    kinds
}

/// The bit of a value.
pub(crate) fn kind_of(value: &Value) -> u8 {
    match value {
        Value::Null => kind::NULL,
        Value::Bool(_) => kind::BOOL,
        Value::Number(number) if Num::of(number).is_integer() => kind::INTEGER,
        Value::Number(_) => kind::FRACTION,
        Value::String(_) => kind::STRING,
        Value::Array(_) => kind::ARRAY,
        Value::Object(_) => kind::OBJECT,
    }
}

fn find_optionals(schema: &mut Schema, kinds: &[u8]) {
    // `{"type": "null"}` alone accepts null for certain.
    let nulls: Vec<bool> = (0..schema.nodes.len())
        .map(|id| {
            schema.rules(id).is_some_and(|rules| {
                rules.types == kind::NULL
                    && rules.is_plain()
                    && rules.choices.is_none()
                    && rules.constant.is_none()
            })
        })
        .collect();
    let split = |branches: &[NodeId]| match branches {
        [inner, null] | [null, inner] if nulls[*null] && !nulls[*inner] => Some(*inner),
        _ => None,
    };
    for node in &mut schema.nodes {
        let Node::Rules(rules) = node else { continue };
        if rules.one_of.is_empty() {
            if let Some(inner) = split(&rules.any_of) {
                rules.any_of.clear();
                rules.optional = Some(inner);
            }
        } else if rules.any_of.is_empty()
            && let Some(inner) = split(&rules.one_of)
            && kinds[inner] & kind::NULL == 0
        {
            rules.one_of.clear();
            rules.optional = Some(inner);
        }
    }
}

fn spread_secrets(schema: &mut Schema) {
    let mut holds: Vec<bool> = (0..schema.nodes.len())
        .map(|id| schema.rules(id).is_some_and(|rules| rules.secret))
        .collect();
    loop {
        let mut changed = false;
        for id in 0..schema.nodes.len() {
            if !holds[id]
                && let Some(rules) = schema.rules(id)
                && rules
                    .in_place()
                    .into_iter()
                    .chain(rules.inside())
                    .any(|node| holds[node])
            {
                holds[id] = true;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for (node, holds) in schema.nodes.iter_mut().zip(holds) {
        if let Node::Rules(rules) = node {
            rules.holds_secret = holds;
        }
    }
}

fn flow_of(rules: &Rules, kinds: &[u8]) -> Flow {
    if rules.is_plain() {
        let scalar = |value: &Value| !value.is_array() && !value.is_object();
        let streams = rules
            .array
            .as_ref()
            .is_none_or(super::schema::ArrayRules::streams)
            && rules
                .object
                .as_ref()
                .is_none_or(super::object::ObjectRules::streams)
            && rules
                .choices
                .as_ref()
                .is_none_or(|choices| choices.values.iter().all(scalar))
            && rules.constant.as_ref().is_none_or(scalar);
        return if streams { Flow::Direct } else { Flow::Buffer };
    }
    if !rules.says_nothing_itself() || rules.not.is_some() || rules.condition.is_some() {
        return Flow::Buffer;
    }
    let lone: Vec<NodeId> = rules
        .reference
        .iter()
        .chain(&rules.all_of)
        .copied()
        .collect();
    match (
        lone.as_slice(),
        rules.optional,
        rules.any_of.as_slice(),
        rules.one_of.as_slice(),
    ) {
        ([only], None, [], []) => Flow::Jump(*only),
        ([], Some(inner), [], []) => Flow::Optional(inner),
        ([], None, branches, []) | ([], None, [], branches) => dispatch(branches, kinds),
        _ => Flow::Buffer,
    }
}

/// Branches that share no kind of value can be chosen by its first byte.
fn dispatch(branches: &[NodeId], kinds: &[u8]) -> Flow {
    const GROUPS: [u8; 6] = [
        kind::NULL,
        kind::BOOL,
        kind::NUMBER,
        kind::STRING,
        kind::ARRAY,
        kind::OBJECT,
    ];
    let mut table = [None; 6];
    for branch in branches {
        for (entry, group) in table.iter_mut().zip(GROUPS) {
            if kinds[*branch] & group != 0 {
                if entry.is_some() {
                    return Flow::Buffer;
                }
                *entry = Some(*branch);
            }
        }
    }
    Flow::Dispatch(table)
}
