//! Which members and items some keyword has judged already, for `unevaluatedProperties` and `unevaluatedItems`.

use serde_json::{Map, Value};

use crate::check::accepts;
use crate::object::Additional;
use crate::schema::{Node, NodeId, Rules, Schema};

/// One flag per item of the list, without the `unevaluatedItems` of `rules` itself.
pub(crate) fn evaluated_items(
    schema: &Schema,
    rules: &Rules,
    value: &Value,
    items: &[Value],
) -> Vec<bool> {
    let mut known = vec![false; items.len()];
    mark(
        schema,
        rules,
        value,
        &mut |rules, own| mark_items(schema, rules, own, items, &mut known),
        true,
    );
    known
}

/// One flag per member of the object, without the `unevaluatedProperties` of `rules` itself.
pub(crate) fn evaluated_members(
    schema: &Schema,
    rules: &Rules,
    value: &Value,
    members: &Map<String, Value>,
) -> Vec<bool> {
    let mut known = vec![false; members.len()];
    mark(
        schema,
        rules,
        value,
        &mut |rules, own| mark_members(rules, own, members, &mut known),
        true,
    );
    known
}

/// Calls `note` for the rules and all that apply in place and pass.
fn mark(
    schema: &Schema,
    rules: &Rules,
    value: &Value,
    note: &mut dyn FnMut(&Rules, bool),
    own: bool,
) {
    note(rules, own);
    let mut also: Vec<NodeId> = rules.reference.into_iter().chain(rules.optional).collect();
    also.extend(
        rules
            .all_of
            .iter()
            .chain(&rules.any_of)
            .chain(&rules.one_of),
    );
    if let Some((when, then, otherwise)) = rules.condition {
        also.push(when);
        also.extend(if accepts(schema, when, value) {
            then
        } else {
            otherwise
        });
    }
    if let (Some(object), Value::Object(members)) = (&rules.object, value) {
        let applies = |slot: usize| members.contains_key(&*object.members[slot].name);
        also.extend(
            object
                .dependent_schemas
                .iter()
                .filter(|(slot, _)| applies(*slot))
                .map(|(_, node)| *node),
        );
    }
    for node in also {
        if let Node::Rules(inner) = &schema.nodes[node]
            && accepts(schema, node, value)
        {
            mark(schema, inner, value, note, false);
        }
    }
}

fn mark_items(schema: &Schema, rules: &Rules, own: bool, items: &[Value], known: &mut [bool]) {
    let Some(array) = &rules.array else { return };
    let all = array.items.is_some() || (!own && array.unevaluated.is_some());
    for (index, known) in known.iter_mut().enumerate() {
        *known |= all
            || index < array.prefix.len()
            || array
                .contains
                .is_some_and(|(node, _, _)| accepts(schema, node, &items[index]));
    }
}

fn mark_members(rules: &Rules, own: bool, members: &Map<String, Value>, known: &mut [bool]) {
    let Some(object) = &rules.object else { return };
    let all = object.additional != Additional::Free || (!own && object.unevaluated.is_some());
    for ((guess, (key, _)), known) in members.iter().enumerate().zip(known) {
        *known |= all
            || object
                .find(key, guess)
                .is_some_and(|slot| object.members[slot].node.is_some())
            || object
                .patterns
                .iter()
                .any(|(pattern, _)| pattern.is_match(key));
    }
}
