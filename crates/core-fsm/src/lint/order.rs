use std::collections::HashMap;

use super::conjunction::Conjunction;
use super::domain::Domain;
use super::finding::{Finding, LintSeverity};
use crate::Value;
use crate::config::Definition;

/// What competes: the same event, from the same state, in the same region.
type Contest<'a> = (String, usize, Option<&'a str>);

/// Looks at the transitions that compete for one event, in the order in which they are tried.
pub(super) fn check(definition: &Definition<'_>, findings: &mut Vec<Finding>) {
    let mut order: Vec<Contest<'_>> = Vec::new();
    let mut contests: HashMap<Contest<'_>, Vec<usize>> = HashMap::new();
    for (position, transition) in definition.transitions.iter().enumerate() {
        let trigger = match (transition.trigger, transition.after) {
            (Some(trigger), _) => trigger.to_owned(),
            // Two delays are two events.
            (None, Some(after)) => format!("after {after}"),
            (None, None) => "auto".to_owned(),
        };
        for source in definition.sources(transition) {
            let contest = (trigger.clone(), source, transition.region);
            let members = contests.entry(contest.clone()).or_default();
            if members.is_empty() {
                order.push(contest);
            }
            if members.last() != Some(&position) {
                members.push(position);
            }
        }
    }
    for contest in order {
        let mut members = contests.remove(&contest).unwrap_or_default();
        if members.len() < 2 && definition.transitions[members[0]].guards.is_empty() {
            continue;
        }
        members.sort_by_key(|position| definition.transitions[*position].priority);
        let source = definition.states[contest.1].name;
        let contest = Contested {
            definition,
            trigger: &contest.0,
            source,
            members: &members,
        };
        contest.unguarded_before_others(findings);
        contest.compare_guards(findings);
    }
}

struct Contested<'d, 'a> {
    definition: &'d Definition<'a>,
    trigger: &'d str,
    source: &'d str,
    members: &'d [usize],
}

impl Contested<'_, '_> {
    fn context(&self, more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
        let mut context = vec![
            ("trigger", Value::text(self.trigger)),
            ("source", Value::text(self.source)),
        ];
        context.extend_from_slice(more);
        context
    }

    /// An unguarded transition takes every event; those after it have none left.
    fn unguarded_before_others(&self, findings: &mut Vec<Finding>) {
        let unguarded: Vec<_> = self
            .members
            .iter()
            .filter(|position| self.definition.transitions[**position].guards.is_empty())
            .collect();
        let first = unguarded.first().copied();
        if first.is_some() && first != self.members.last() {
            findings.push(Finding::of_transition(
                "nondeterministic",
                LintSeverity::Error,
                *first.unwrap_or(&0),
                format!(
                    "Nondeterministic: {} transitions for trigger '{}' from '{}', {} without guards",
                    self.members.len(),
                    self.trigger,
                    self.source,
                    unguarded.len()
                ),
                &self.context(&[
                    ("total", Value::Int(self.members.len() as i64)),
                    ("unguarded", Value::Int(unguarded.len() as i64)),
                ]),
            ));
        }
    }

    fn compare_guards(&self, findings: &mut Vec<Finding>) {
        let guarded: Vec<_> = self
            .members
            .iter()
            .filter(|position| !self.definition.transitions[**position].guards.is_empty())
            .map(|position| {
                let guards = &self.definition.transitions[*position].guards;
                (*position, Conjunction::of(guards))
            })
            .collect();
        for (rank, (later, narrow)) in guarded.iter().enumerate() {
            for (earlier, wide) in &guarded[..rank] {
                let (code, severity, message) = if narrow.implies(wide) {
                    (
                        "shadowed",
                        LintSeverity::Warning,
                        format!(
                            "Transition to '{}' on '{}' from '{}' never fires: whatever passes its guards goes to '{}' first",
                            self.definition.transitions[*later].dest,
                            self.trigger,
                            self.source,
                            self.definition.transitions[*earlier].dest,
                        ),
                    )
                } else if narrow.overlaps(wide) == Some(true) {
                    (
                        "overlap",
                        LintSeverity::Info,
                        format!(
                            "Guards on '{}' from '{}' to '{}' and to '{}' can both pass; the first one wins",
                            self.trigger,
                            self.source,
                            self.definition.transitions[*earlier].dest,
                            self.definition.transitions[*later].dest,
                        ),
                    )
                } else {
                    continue;
                };
                findings.push(Finding::of_transition(
                    code,
                    severity,
                    *later,
                    message,
                    &self.context(&[
                        ("first", Value::Int(*earlier as i64)),
                        ("second", Value::Int(*later as i64)),
                    ]),
                ));
                break;
            }
        }
        if guarded.len() == self.members.len()
            && let Some((field, missed)) = gap(&guarded)
        {
            findings.push(Finding::of_transition(
                "gap",
                LintSeverity::Info,
                self.members[0],
                format!(
                    "No guard on '{}' from '{}' passes for {field} = {missed}",
                    self.trigger, self.source
                ),
                &self.context(&[("field", Value::text(&field)), ("example", missed.clone())]),
            ));
        }
    }
}

/// A value for which none of several checks of one field passes.
fn gap(guarded: &[(usize, Conjunction)]) -> Option<(String, Value)> {
    let checks: Vec<(&str, &Domain)> = guarded
        .iter()
        .map(|(_, conjunction)| conjunction.single())
        .collect::<Option<_>>()?;
    let field = checks.first()?.0;
    if checks.len() < 2 || checks.iter().any(|(other, _)| *other != field) {
        return None;
    }
    let edges: Vec<Value> = checks
        .iter()
        .flat_map(|(_, domain)| domain.edges())
        .collect();
    let mut numbers: Vec<f64> = edges.iter().filter_map(number).collect();
    numbers.sort_by(f64::total_cmp);
    let mut samples = Vec::new();
    if let (Some(first), Some(last)) = (numbers.first(), numbers.last()) {
        samples.extend([first - 1.0, last + 1.0]);
        samples.extend(
            numbers
                .windows(2)
                .map(|pair| f64::midpoint(pair[0], pair[1])),
        );
        samples.extend(&numbers);
    }
    let texts = edges.iter().any(|edge| edge.as_text().is_some());
    samples
        .into_iter()
        .map(|number| {
            if number.fract() == 0.0 && number.abs() < 1e15 {
                Value::Int(number as i64)
            } else {
                Value::Float(number)
            }
        })
        .chain(texts.then(|| Value::text("something else")))
        .find(|value| !checks.iter().any(|(_, domain)| domain.contains(value)))
        .map(|value| (field.to_owned(), value))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) if number.is_finite() => Some(*number),
        _ => None,
    }
}
