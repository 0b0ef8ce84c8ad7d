use serde_json::{Map as Json, Value as JsonValue, json};

use super::label::{action_label, guard_label};
use super::leaving;
use crate::config::{Definition, StateDefinition, StateKind};

/// A machine as a definition for Step Functions, in its language of 2020: each state waits for its event with a task
/// token, and a choice follows that goes where the event leads. Guards are comments, for the service has no functions.
pub fn to_asl(definition: &Definition<'_>) -> JsonValue {
    let mut states = Json::new();
    for (position, state) in definition.states.iter().enumerate() {
        let edges = leaving(definition, position);
        if state.kind == StateKind::Terminal {
            states.insert(
                state.name.to_owned(),
                described(json!({"Type": "Succeed"}), state),
            );
            continue;
        }
        if edges.is_empty() {
            let failed = json!({"Type": "Fail", "Error": state.name});
            states.insert(state.name.to_owned(), described(failed, state));
            continue;
        }
        let decide = format!("{}.decide", state.name);
        let actions: Vec<_> = state
            .on_enter
            .iter()
            .map(|action| action_label(action))
            .collect();
        let mut wait = json!({
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {
                "QueueUrl.$": "$$.Execution.Input.queue_url",
                "MessageBody": {
                    "state": state.name,
                    "actions": actions,
                    "token.$": "$$.Task.Token",
                },
            },
            "ResultPath": "$.event",
            "Next": decide,
        });
        if let (Some(timeout), Some(map)) = (state.timeout, wait.as_object_mut()) {
            map.insert(
                "TimeoutSeconds".into(),
                json!(timeout.seconds.max(1.0).round() as i64),
            );
            map.insert(
                "Catch".into(),
                json!([{"ErrorEquals": ["States.Timeout"], "Next": timeout.destination}]),
            );
        }
        states.insert(state.name.to_owned(), described(wait, state));
        let choices: Vec<_> = edges
            .iter()
            .map(|(transition, target)| {
                let mut choice = json!({
                    "Variable": "$.event.trigger",
                    "StringEquals": transition.trigger.unwrap_or("auto"),
                    "Next": definition.states[*target].name,
                });
                if let (false, Some(map)) = (transition.guards.is_empty(), choice.as_object_mut()) {
                    let guards: Vec<_> = transition
                        .guards
                        .iter()
                        .map(|guard| guard_label(guard))
                        .collect();
                    map.insert(
                        "Comment".into(),
                        json!(format!("if {}", guards.join(" and "))),
                    );
                }
                choice
            })
            .collect();
        states.insert(
            decide,
            json!({"Type": "Choice", "Choices": choices, "Default": state.name}),
        );
    }
    json!({
        "Comment": definition.name.unwrap_or("unnamed"),
        "StartAt": definition.initial().map_or("", |state| state.name),
        "States": states,
    })
}

fn described(mut node: JsonValue, state: &StateDefinition<'_>) -> JsonValue {
    if let (false, Some(map)) = (state.description.is_empty(), node.as_object_mut()) {
        map.insert("Comment".into(), json!(state.description));
    }
    node
}
