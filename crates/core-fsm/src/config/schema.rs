use serde_json::{Value as Json, json};

use super::action_shape::ACTION_KEYS;
use super::state_shape::STATE_TYPES;
use crate::CheckOp;

/// The JSON Schema of configurations (draft 2020-12), for editors. It says what `check` says of the form of each part;
/// what the parts must agree on is beyond it.
pub fn schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:spikard:fsm:machine:1",
        "title": "State machine",
        "type": "object",
        "required": ["states", "transitions"],
        "properties": {
            "meta": {"$ref": "#/$defs/meta"},
            "states": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/state"}},
            "transitions": {"type": "array", "items": {"$ref": "#/$defs/transition"}},
            "groups": {"type": ["object", "null"]},
            "error_policy": {"$ref": "#/$defs/errorPolicy"},
            "state_variables": {"type": ["array", "null"], "items": {"$ref": "#/$defs/stateVariable"}},
            "context_invariants": {"type": ["array", "null"], "items": {"$ref": "#/$defs/contextInvariant"}},
            "events": {"type": ["array", "null"], "items": {"type": "object"}},
            "migrations": {"type": ["array", "null"], "items": {"$ref": "#/$defs/migration"}},
        },
        "$defs": {
            "name": {"type": "string", "pattern": "^[a-z0-9_]+$"},
            "optionalText": {"type": ["string", "null"]},
            "switch": {"enum": [true, false, 0, 1, "true", "false", "yes", "no", "on", "off", "1", "0"]},
            "checkItem": check_item(),
            "whenItem": when_item(),
            "guardItem": guard_item(),
            "guards": one_or_many("guardItem"),
            "actionItem": action_item(),
            "actions": one_or_many("actionItem"),
            "delay": {"anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^\\s*([0-9]+|([0-9]+(\\.[0-9]+)?\\s*(ms|[smhdwSMHDW])\\s*)+|[Pp].+)\\s*$"},
                {"type": "object", "required": ["expr"]},
            ]},
            "region": region(),
            "state": state(),
            "transition": transition(),
            "meta": meta(),
            "errorPolicy": {
                "type": ["object", "null"],
                "properties": {
                    "default_fallback": {"$ref": "#/$defs/optionalText"},
                    "retry_attempts": {"type": ["integer", "null"], "minimum": 0},
                },
            },
            "migration": migration(),
            "stateVariable": {"oneOf": [
                {"$ref": "#/$defs/name"},
                {
                    "type": "object",
                    "required": ["key"],
                    "properties": {
                        "key": {"$ref": "#/$defs/name"},
                        "type": {"enum": ["string", "number", "boolean", "object", null]},
                        "description": {"$ref": "#/$defs/optionalText"},
                        "default": true,
                        "required": {"type": "boolean"},
                    },
                },
            ]},
            "contextInvariant": {
                "type": "object",
                "properties": {
                    "name": {"$ref": "#/$defs/optionalText"},
                    "description": {"$ref": "#/$defs/optionalText"},
                },
                "anyOf": [
                    {"required": ["field", "op"]},
                    {"required": ["check"], "properties": {"check": {"type": "object"}}},
                    {"required": ["all_of"], "properties": {"all_of": {"type": "array"}}},
                    {"required": ["any_of"], "properties": {"any_of": {"type": "array"}}},
                    {"required": ["negate"], "properties": {"negate": {"type": "object"}}},
                ],
            },
        },
    })
}

fn one_or_many(item: &str) -> Json {
    let item = json!({"$ref": format!("#/$defs/{item}")});
    json!({"anyOf": [{"type": "null"}, item, {"type": "array", "items": item}]})
}

fn check_item() -> Json {
    json!({
        "type": "object",
        "required": ["field", "op"],
        "properties": {
            "field": {"type": "string"},
            "op": {"enum": CheckOp::names().collect::<Vec<_>>()},
            "value": true,
            "values": {"type": ["array", "null"]},
            "allow_backtracking": {"type": "boolean"},
        },
    })
}

fn composite(key: &str, items: &Json) -> Json {
    json!({"type": "object", "required": [key], "properties": {key: items}})
}

fn when_item() -> Json {
    let item = json!({"$ref": "#/$defs/whenItem"});
    let list = json!({"type": "array", "minItems": 1, "items": item});
    json!({"oneOf": [
        {"$ref": "#/$defs/checkItem"},
        composite("any_of", &list),
        composite("all_of", &list),
        composite("negate", &item),
    ]})
}

fn guard_item() -> Json {
    let item = json!({"$ref": "#/$defs/guardItem"});
    let list = json!({"type": "array", "items": item});
    json!({"anyOf": [
        {"$ref": "#/$defs/name"},
        {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"$ref": "#/$defs/name"}, "params": {"type": ["object", "null"]}},
        },
        composite("expr", &json!({"type": "string"})),
        composite("check", &json!({"$ref": "#/$defs/checkItem"})),
        composite("allOf", &list),
        composite("anyOf", &list),
        composite("not", &item),
    ]})
}

fn action_item() -> Json {
    let mut forms = vec![json!({"required": ["name"]})];
    forms.extend(ACTION_KEYS.iter().map(|key| json!({"required": [key]})));
    let list = json!({"type": ["array", "null"], "items": {"$ref": "#/$defs/actionItem"}});
    json!({"anyOf": [
        {"$ref": "#/$defs/name"},
        {
            "type": "object",
            "anyOf": forms,
            "properties": {
                "name": {"$ref": "#/$defs/name"},
                "params": true,
                "custom": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"$ref": "#/$defs/name"}, "params": {"type": ["object", "null"]}},
                },
                "branch": {
                    "type": "object",
                    "properties": {"when": true, "then": list, "else": list},
                },
                "when": true,
                "timeout": true,
                "retry": true,
                "retry_backoff": true,
            },
        },
    ]})
}

fn region() -> Json {
    json!({
        "type": "object",
        "required": ["name", "initial"],
        "properties": {
            "name": {"$ref": "#/$defs/name"},
            "initial": {"type": "string"},
            "states": {"type": "array", "items": {"type": "string"}},
            "description": {"type": "string"},
            "final": {"$ref": "#/$defs/optionalText"},
        },
    })
}

fn state() -> Json {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"$ref": "#/$defs/name"},
            "type": {"enum": STATE_TYPES},
            "description": {"type": "string"},
            "group": {"$ref": "#/$defs/optionalText"},
            "parent": {"$ref": "#/$defs/optionalText"},
            "initial_child": {"$ref": "#/$defs/optionalText"},
            "regions": {"type": "array", "items": {"$ref": "#/$defs/region"}},
            "on_enter": {"$ref": "#/$defs/actions"},
            "on_exit": {"$ref": "#/$defs/actions"},
            "invoke": {"type": "array", "items": {
                "type": "object",
                "required": ["id", "src"],
                "properties": {
                    "id": {"type": "string"},
                    "src": {"type": "string"},
                    "on_done": {"$ref": "#/$defs/optionalText"},
                },
            }},
            "timeout": {
                "type": ["object", "null"],
                "required": ["seconds", "destination"],
                "properties": {
                    "seconds": {"type": "number", "exclusiveMinimum": 0},
                    "destination": {"type": "string"},
                },
            },
            "entry_points": texts,
            "exit_points": texts,
            "submachine": {"type": ["string", "object", "null"]},
            "when": {"type": "array", "items": {"$ref": "#/$defs/whenItem"}},
            "metadata": {"type": "object"},
        },
        "if": {"properties": {"type": {"const": "parallel"}}, "required": ["type"]},
        "then": {"required": ["regions"], "properties": {"regions": {"minItems": 1}}},
    })
}

fn transition() -> Json {
    json!({
        "type": "object",
        "required": ["source", "dest"],
        "properties": {
            "trigger": {"type": ["string", "null"], "pattern": "^[a-z0-9_]*$"},
            "source": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "dest": {"type": "string"},
            "region": {"$ref": "#/$defs/optionalText"},
            "guards": {"$ref": "#/$defs/guards"},
            "actions": {"$ref": "#/$defs/actions"},
            "after": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/delay"}]},
            "internal": {"$ref": "#/$defs/switch"},
            "auto": {"$ref": "#/$defs/switch"},
            "priority": {"type": ["integer", "null"]},
            "description": {"type": "string"},
            "ref": {"$ref": "#/$defs/optionalText"},
            "refs": {"type": "array", "items": {"type": "string"}},
            "metadata": {"type": "object"},
        },
        "anyOf": [
            {"required": ["trigger"], "properties": {"trigger": {"type": "string", "minLength": 1}}},
            {"required": ["after"]},
            {"required": ["at"]},
            {"required": ["auto"]},
        ],
    })
}

fn meta() -> Json {
    json!({
        "type": "object",
        "properties": {
            "machine_name": {"$ref": "#/$defs/optionalText"},
            "version": {"type": ["string", "number", "null"]},
            "description": {"$ref": "#/$defs/optionalText"},
            "strict_mode": {"$ref": "#/$defs/switch"},
            "reject_invalid_events": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/switch"}]},
            "strict_guard_registry": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/switch"}]},
            "event_normalizer": {"enum": ["lower", "upper", null]},
            "validate_context": {"$ref": "#/$defs/switch"},
            "orchestrator_default_fallback": {"enum": ["off", "hint", "persist", true, false]},
            "self_transition": {"enum": ["quiet", "reenter", null]},
            "auto_depth": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000},
            "semantics": {"enum": ["classic", "scxml", null]},
            "classification": true,
        },
    })
}

/// How entities of former versions come to this one.
fn migration() -> Json {
    let names = json!({"type": ["object", "null"], "additionalProperties": {"type": "string"}});
    json!({
        "type": "object",
        "required": ["from", "to"],
        "additionalProperties": false,
        "properties": {
            "from": {"type": ["string", "number"]},
            "to": {"type": ["string", "number"]},
            "states": names,
            "regions": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "null"]}},
            "rename": names,
            "remove": {"type": ["string", "array", "null"], "items": {"type": "string"}},
            "set": {"type": ["object", "null"]},
            "compute": {"type": ["object", "null"], "additionalProperties": {"type": ["string", "number", "boolean"]}},
            "when": {"anyOf": [
                {"type": "null"},
                {"$ref": "#/$defs/whenItem"},
                {"type": "array", "items": {"$ref": "#/$defs/whenItem"}},
            ]},
            "description": {"$ref": "#/$defs/optionalText"},
        },
    })
}
