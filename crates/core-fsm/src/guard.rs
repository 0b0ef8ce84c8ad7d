//! Guards, compiled: all guards of a machine in one table, composites by position.

use std::sync::Arc;

use crate::{Condition, Env, Fault, GuardSpec, Scope};

/// How deep guards may be put into each other.
pub(crate) const MAX_DEPTH: usize = 64;

/// What kind of guard a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardKind {
    Name,
    Expression,
    Check,
    Composite,
}

#[derive(Debug)]
enum Form {
    Asked(usize),
    Condition(Box<Condition>),
    All(Box<[u32]>),
    Any(Box<[u32]>),
    Not(u32),
}

#[derive(Debug)]
struct Guard {
    label: Arc<str>,
    kind: GuardKind,
    form: Form,
}

/// What conditions see.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub scope: &'a dyn Scope,
    pub env: Env<'a>,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("View").finish_non_exhaustive()
    }
}

/// One guard that was looked at, by its position in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub guard: u32,
    pub passed: bool,
}

/// Whoever knows what the context does not say.
pub trait GuardHost {
    type Error;

    /// Whether a guard passes, by the number that its definition gave it.
    fn ask(&mut self, number: usize) -> Result<bool, Self::Error>;
}

/// All guards of a machine.
#[derive(Debug, Default)]
pub struct Guards(Vec<Guard>);

impl Guards {
    /// Takes the guards of a transition in, and gives their positions.
    pub(crate) fn add(
        &mut self,
        specs: &[GuardSpec],
        trigger: &Arc<str>,
    ) -> Result<Box<[u32]>, Fault> {
        specs
            .iter()
            .map(|spec| self.add_one(spec, trigger, 0))
            .collect()
    }

    fn add_one(
        &mut self,
        spec: &GuardSpec,
        trigger: &Arc<str>,
        depth: usize,
    ) -> Result<u32, Fault> {
        if depth == MAX_DEPTH {
            return Err(Fault::GuardsTooDeep {
                trigger: trigger.clone(),
            });
        }
        let mut several = |specs: &[GuardSpec]| {
            specs
                .iter()
                .map(|spec| self.add_one(spec, trigger, depth + 1))
                .collect::<Result<Box<[u32]>, Fault>>()
        };
        let (label, kind, form) = match spec {
            GuardSpec::Asked {
                label,
                kind,
                number,
            } => (label.clone(), *kind, Form::Asked(*number)),
            GuardSpec::Condition {
                label,
                kind,
                condition,
            } => (label.clone(), *kind, Form::Condition(condition.clone())),
            GuardSpec::All(inner) => (
                "allOf".into(),
                GuardKind::Composite,
                Form::All(several(inner)?),
            ),
            GuardSpec::Any(inner) => (
                "anyOf".into(),
                GuardKind::Composite,
                Form::Any(several(inner)?),
            ),
            GuardSpec::Not(inner) => {
                let inner = self.add_one(inner, trigger, depth + 1)?;
                ("not".into(), GuardKind::Composite, Form::Not(inner))
            }
        };
        let position = u32::try_from(self.0.len()).map_err(|_| Fault::TooLarge)?;
        self.0.push(Guard { label, kind, form });
        Ok(position)
    }

    /// What records call a guard, and its kind.
    pub fn describe(&self, guard: u32) -> (&Arc<str>, GuardKind) {
        let guard = &self.0[guard as usize];
        (&guard.label, guard.kind)
    }

    /// The names that conditions look up, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .0
            .iter()
            .filter_map(|guard| match &guard.form {
                Form::Condition(condition) => Some(condition.names()),
                _ => None,
            })
            .flatten()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether all of a transition's guards pass. The first that doesn't ends it.
    pub(crate) fn pass<H: GuardHost>(
        &self,
        guards: &[u32],
        view: View<'_>,
        host: &mut H,
        records: &mut Vec<Record>,
    ) -> Result<bool, H::Error> {
        for &guard in guards {
            if !self.passes(guard, view, host, records)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // As deep as guards are put into each other, which `add` has a limit for.
    fn passes<H: GuardHost>(
        &self,
        guard: u32,
        view: View<'_>,
        host: &mut H,
        records: &mut Vec<Record>,
    ) -> Result<bool, H::Error> {
        let passed = match &self.0[guard as usize].form {
            Form::Asked(number) => host.ask(*number)?,
            Form::Condition(condition) => condition.holds(view.scope, &view.env),
            Form::All(inner) => self.pass(inner, view, host, records)?,
            Form::Any(inner) => {
                let mut any = false;
                for &guard in inner {
                    any = self.passes(guard, view, host, records)?;
                    if any {
                        break;
                    }
                }
                any
            }
            Form::Not(inner) => !self.passes(*inner, view, host, records)?,
        };
        records.push(Record { guard, passed });
        Ok(passed)
    }
}
