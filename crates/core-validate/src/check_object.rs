//! The check of an object and its members.

use serde_json::{Map, Value};

use crate::check::{Check, Subject, accepts, every};
use crate::fault::FaultKind;
use crate::object::{Additional, ObjectRules};
use crate::place::{Place, shown};
use crate::scalar::{context, counted};
use crate::schema::NodeId;

/// An object under judgement.
pub(crate) struct Members<'s, 'v> {
    pub(crate) object: &'s ObjectRules,
    pub(crate) members: &'v Map<String, Value>,
    pub(crate) subject: Subject<'v>,
}

impl Members<'_, '_> {
    pub(crate) fn check(&self, run: &mut Check<'_, '_>) -> bool {
        every!(run; self.required(run), self.each(run), self.whole(run))
    }

    /// A member that must be there and is not; the object around it is shown.
    fn required(&self, run: &mut Check<'_, '_>) -> bool {
        let mut fits = true;
        for slot in &self.object.required {
            let name = &*self.object.members[*slot].name;
            if self.members.contains_key(name) {
                continue;
            }
            fits = false;
            run.sink
                .tell(&self.subject.place.key(name), FaultKind::Missing, |fault| {
                    fault.msg = "Field required".into();
                    fault.input = self.subject.shown();
                });
            if run.sink.is_done() {
                return false;
            }
        }
        fits
    }

    fn each(&self, run: &mut Check<'_, '_>) -> bool {
        let mut fits = true;
        for (position, (key, value)) in self.members.iter().enumerate() {
            let place = self.subject.place.key(key);
            fits &= self.member(run, position, key, value, &place);
            if !fits && run.sink.is_done() {
                return false;
            }
        }
        fits
    }

    fn member(
        &self,
        run: &mut Check<'_, '_>,
        guess: usize,
        key: &str,
        value: &Value,
        place: &Place<'_>,
    ) -> bool {
        let secret = self.subject.secret;
        let named = self
            .object
            .find(key, guess)
            .and_then(|slot| self.object.members[slot].node);
        let mut fits = named.is_none_or(|node| run.node(node, value, place, secret));
        let mut known = named.is_some();
        for (pattern, node) in &self.object.patterns {
            if pattern.is_match(key) {
                known = true;
                fits &= run.node(*node, value, place, secret);
            }
        }
        match self.object.additional {
            Additional::Forbidden if !known => {
                fits = false;
                Self::tell_extra(
                    run,
                    key,
                    Subject {
                        value,
                        place,
                        secret,
                        hidden: secret,
                    },
                );
            }
            Additional::Judged(node) if !known => fits &= run.node(node, value, place, secret),
            _ => {}
        }
        if let Some(names) = self.object.names
            && !accepts(run.schema, names, &Value::String(key.to_owned()))
        {
            fits = false;
            run.keyword(
                FaultKind::PropertyNames,
                "propertyNames",
                place,
                Some(Value::String(key.to_owned())),
            );
        }
        fits
    }

    /// A member nobody declared.
    pub(crate) fn tell_extra(run: &mut Check<'_, '_>, key: &str, subject: Subject<'_>) {
        run.sink
            .tell(subject.place, FaultKind::ExtraForbidden, |fault| {
                fault.msg = "Additional properties are not allowed".into();
                fault.ctx = context("additional_properties", false);
                fault.ctx.insert("unexpected_field".into(), key.into());
                fault.input = subject.shown();
            });
    }

    /// What is said about the object as a whole.
    pub(crate) fn whole(&self, run: &mut Check<'_, '_>) -> bool {
        every!(run;
            self.count(run),
            self.dependent_required(run),
            self.dependent_schemas(run),
        )
    }

    fn count(&self, run: &mut Check<'_, '_>) -> bool {
        let actual = self.members.len();
        let limits = [
            (
                self.object.min_properties.filter(|min| actual < *min),
                FaultKind::MinProperties,
                "at least",
            ),
            (
                self.object.max_properties.filter(|max| actual > *max),
                FaultKind::MaxProperties,
                "at most",
            ),
        ];
        let mut fits = true;
        for (limit, kind, words) in limits {
            let Some(limit) = limit else { continue };
            fits = false;
            run.sink.tell(self.subject.place, kind, |fault| {
                fault.msg = format!(
                    "Object must have {words} {}",
                    counted(limit, "property", "properties")
                );
                fault.ctx = context(kind.code(), limit);
                fault.ctx.insert("actual_properties".into(), actual.into());
                fault.input = self.subject.shown();
            });
        }
        fits
    }

    fn name(&self, slot: usize) -> &str {
        &self.object.members[slot].name
    }

    fn dependent_required(&self, run: &mut Check<'_, '_>) -> bool {
        let mut fits = true;
        for (trigger, needed) in &self.object.dependent_required {
            let trigger = self.name(*trigger);
            if !self.members.contains_key(trigger) {
                continue;
            }
            let missing: Vec<&str> = needed
                .iter()
                .map(|slot| self.name(*slot))
                .filter(|name| !self.members.contains_key(*name))
                .collect();
            if missing.is_empty() {
                continue;
            }
            fits = false;
            run.sink
                .tell(self.subject.place, FaultKind::DependentRequired, |fault| {
                    let verb = if missing.len() == 1 { "is" } else { "are" };
                    let names: Vec<String> =
                        missing.iter().map(|name| format!("'{name}'")).collect();
                    fault.msg = format!(
                        "When '{trigger}' is present, {} {verb} required",
                        names.join(", ")
                    );
                    fault.ctx = context("dependency", trigger);
                    fault.ctx.insert("required_fields".into(), missing.into());
                    fault.input = self.subject.shown();
                });
        }
        fits
    }

    fn dependent_schemas(&self, run: &mut Check<'_, '_>) -> bool {
        let mut fits = true;
        for (trigger, node) in &self.object.dependent_schemas {
            if self.members.contains_key(self.name(*trigger)) {
                fits &= run.node(
                    *node,
                    self.subject.value,
                    self.subject.place,
                    self.subject.secret,
                );
            }
        }
        fits
    }

    /// Members no keyword has judged.
    pub(crate) fn unevaluated(
        &self,
        run: &mut Check<'_, '_>,
        node: NodeId,
        known: &[bool],
    ) -> bool {
        let mut fits = true;
        for ((key, value), known) in self.members.iter().zip(known) {
            if !known && !accepts(run.schema, node, value) {
                fits = false;
                let input = shown(value, self.subject.hidden);
                run.keyword(
                    FaultKind::Unevaluated,
                    "unevaluatedProperties",
                    &self.subject.place.key(key),
                    input,
                );
            }
        }
        fits
    }
}
