use super::code::Code;
use super::definition::{Definition, StateKind};
use super::issue::Issues;
use super::path::Place;
use crate::{Map, Value};

/// Finds what is allowed but probably not meant.
pub(super) fn check(definition: &Definition<'_>, issues: &mut Issues) {
    let root = Place::ROOT;
    let policy = definition
        .config
        .and_then(|config| config.get("error_policy"))
        .and_then(Value::as_map);
    if let Some(policy) = policy {
        policy_keys(policy, &root.key("error_policy"), issues);
    }
    if let Some(meta) = definition.meta {
        fallback(meta, policy, &root.key("meta"), issues);
        if let Some(Value::Int(_) | Value::Float(_)) = meta.get("version") {
            issues.hinted(
                Code::VersionIsNumber,
                &root.key("meta").key("version"),
                "meta.version is a number; it is taken as text, which may lose zeros",
                "put the version in quotes",
            );
        }
    }
    choices(definition, &root.key("states"), issues);
}

fn policy_keys(policy: &Map, place: &Place<'_>, issues: &mut Issues) {
    for (key, _) in policy.iter() {
        let Some(key) = key.as_text() else { continue };
        let message = match key {
            "default_fallback" | "retry_attempts" => continue,
            "strict_mode" => "error_policy.strict_mode is ignored; use meta.strict_mode, and optionally \
                 meta.reject_invalid_events / meta.strict_guard_registry to decide about invalid events and \
                 unregistered guards apart."
                .to_owned(),
            "on_invalid_trigger" => "error_policy.on_invalid_trigger is not used by the engine; use \
                 meta.strict_mode or meta.reject_invalid_events for invalid events."
                .to_owned(),
            other => {
                issues.add(
                    Code::PolicyKeyUnknown,
                    &place.key(other),
                    format!("error_policy key '{other}' is not recognized and is ignored."),
                );
                continue;
            }
        };
        issues.add(Code::PolicyKeyElsewhere, &place.key(key), message);
    }
}

fn fallback(meta: &Map, policy: Option<&Map>, place: &Place<'_>, issues: &mut Issues) {
    let place = place.key("orchestrator_default_fallback");
    let mode = match meta.get("orchestrator_default_fallback") {
        Some(Value::Bool(flag)) => {
            issues.add(
                Code::FallbackIsBoolean,
                &place,
                "meta.orchestrator_default_fallback is a boolean; use the string enum 'off', 'hint', or 'persist'. \
                 True is treated as 'persist' at runtime; False as 'off'.",
            );
            if *flag { "persist" } else { "off" }
        }
        Some(Value::Text(mode)) => mode,
        _ => "off",
    };
    let state = policy
        .and_then(|policy| policy.get("default_fallback"))
        .and_then(Value::as_text)
        .filter(|state| !state.is_empty());
    if mode != "off" && state.is_none() {
        issues.add(
            Code::FallbackWithoutState,
            &place,
            format!(
                "meta.orchestrator_default_fallback is '{mode}' but error_policy.default_fallback is missing or \
                 empty; the orchestrator will not apply hints or recovery."
            ),
        );
    }
}

/// A choice of which every way out is guarded may have none.
fn choices(definition: &Definition<'_>, states: &Place<'_>, issues: &mut Issues) {
    for (position, state) in definition.states.iter().enumerate() {
        if state.kind != StateKind::Choice {
            continue;
        }
        let otherwise = definition.transitions.iter().any(|transition| {
            transition.guards.is_empty() && transition.sources.contains(&state.name)
        });
        if !otherwise {
            issues.hinted(
                Code::ChoiceWithoutElse,
                &states.index(position),
                format!(
                    "Choice state '{}' has no unguarded transition; when no guard passes, the event is refused",
                    state.name
                ),
                "add a last transition without guards",
            );
        }
    }
}
