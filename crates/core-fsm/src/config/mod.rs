//! Configurations of machines: what they may look like, what their parts must agree on, and what is wrong with one.
//!
//! - `path`, `code`, `issue`: where, what, and the whole of it
//! - `kind`, `root_shape`, `state_shape`, `transition_shape`, `guard_shape`, `condition_shape`, `action_shape`: the form of
//!   each part
//! - `definition`: a configuration read as states and transitions
//! - `state_rules`, `region_rules`, `transition_rules`: what the parts must agree on
//! - `submachine`: machines put into the machines that refer to them
//! - `schema`: the form as a JSON Schema
//! - `warnings`: what is allowed but probably not meant
mod action_shape;
mod code;
mod condition_shape;
mod definition;
mod guard_shape;
mod issue;
mod kind;
mod path;
mod region_rules;
mod root_shape;
mod schema;
mod state_rules;
mod state_shape;
mod submachine;
mod transition_rules;
mod transition_shape;
mod warnings;

pub use action_shape::ACTION_KEYS;
pub use code::{Code, Severity};
pub use definition::{
    Definition, Destination, RegionDefinition, StateDefinition, StateKind, TimeoutDefinition,
    TransitionDefinition,
};
pub use issue::Issue;
use issue::Issues;
pub use kind::{is_dotted_name, is_name};
use path::Place;
pub use path::{Path, PathStep};
pub use schema::schema;
pub use submachine::{Found, MAX_SUBMACHINES, SubmachineError, expand};

use crate::Value;

/// All that is wrong with a configuration: errors first, and warnings if there are none. The rules among the parts are
/// looked at only when each part has its form.
pub fn check(config: &Value) -> Vec<Issue> {
    let mut issues = Issues::default();
    root_shape::config(config, &mut issues);
    if issues.is_empty() {
        let definition = Definition::read(config);
        let root = Place::ROOT;
        let states = root.key("states");
        state_rules::variables(&definition, &root, &mut issues);
        state_rules::check(&definition, &states, &mut issues);
        fallback(&definition, &root, &mut issues);
        let regions = region_rules::check(&definition, &states, &mut issues);
        transition_rules::check(&definition, &regions, &root.key("transitions"), &mut issues);
        warnings::check(&definition, &mut issues);
    }
    issues.into_vec()
}

fn fallback(definition: &Definition<'_>, root: &Place<'_>, issues: &mut Issues) {
    let Some(fallback) = definition
        .config
        .and_then(|config| config.get("error_policy"))
        .and_then(Value::as_map)
        .and_then(|policy| policy.get("default_fallback"))
        .filter(|fallback| !fallback.is_null())
    else {
        return;
    };
    let name = match fallback {
        Value::Text(text) => text.to_string(),
        other => other.to_string(),
    };
    if !name.is_empty() && definition.state(&name).is_none() {
        state_rules::undefined(
            definition,
            &name,
            Code::FallbackUndefined,
            &root.key("error_policy").key("default_fallback"),
            format!("Error policy: fallback state '{name}' not defined"),
            issues,
        );
    }
}
