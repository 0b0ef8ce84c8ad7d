use std::collections::{BTreeMap, BTreeSet};

use super::domain::Domain;
use crate::{Map, Value};

/// The guards of one transition, all of which must pass: for each field the values that do, and the guards that can only
/// be compared by their text.
#[derive(Debug, Default)]
pub struct Conjunction {
    fields: BTreeMap<String, Domain>,
    opaque: BTreeSet<String>,
}

impl Conjunction {
    pub fn of(guards: &[&Value]) -> Self {
        let mut conjunction = Self::default();
        for guard in guards {
            conjunction.add(guard);
        }
        conjunction
    }

    fn add(&mut self, guard: &Value) {
        let map = guard.as_map();
        let all = map.and_then(|map| map.get("allOf").or_else(|| map.get("all_of")));
        let precedence =
            map.is_some_and(|map| map.get("expr").or_else(|| map.get("name")).is_some());
        if let (false, Some(parts)) = (precedence, all.and_then(Value::as_items)) {
            for part in parts {
                self.add(part);
            }
            return;
        }
        let known = (!precedence)
            .then(|| map?.get("check").and_then(Value::as_map).or(map))
            .flatten()
            .and_then(|check| Some((field(check)?, Domain::of(check)?)));
        match known {
            Some((field, domain)) => {
                let joined = match self.fields.get(field) {
                    Some(other) => other.intersection(&domain),
                    None => domain,
                };
                self.fields.insert(field.to_owned(), joined);
            }
            None => {
                self.opaque.insert(guard.to_string());
            }
        }
    }

    /// Whether whatever passes these guards passes the others.
    pub fn implies(&self, other: &Self) -> bool {
        other.opaque.is_subset(&self.opaque)
            && other.fields.iter().all(|(field, outer)| {
                self.fields
                    .get(field)
                    .is_some_and(|inner| inner.is_within(outer))
            })
    }

    /// Whether both can pass, as far as checks of a field that both look at tell.
    pub fn overlaps(&self, other: &Self) -> Option<bool> {
        if !self.opaque.is_empty() || !other.opaque.is_empty() {
            return None;
        }
        let mut shared = self
            .fields
            .iter()
            .filter_map(|(field, domain)| Some((domain, other.fields.get(field)?)))
            .peekable();
        shared.peek()?;
        Some(shared.all(|(left, right)| !left.intersection(right).is_empty()))
    }

    /// The one field that the guards look at, if that is all they do.
    pub(super) fn single(&self) -> Option<(&str, &Domain)> {
        if !self.opaque.is_empty() || self.fields.len() != 1 {
            return None;
        }
        self.fields
            .first_key_value()
            .map(|(field, domain)| (field.as_str(), domain))
    }
}

fn field(check: &Map) -> Option<&str> {
    check.get("field")?.as_text()
}
