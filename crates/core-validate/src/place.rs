//! Where a value stands, as a list on the stack: it becomes a `loc` only when a fault is told.

use serde_json::Value;

use crate::fault::{Fault, FaultKind, Loc};
use crate::faults::Faults;

/// A place in the request, linked to the one around it.
#[derive(Clone, Copy)]
pub(crate) enum Place<'p> {
    Root(&'p [&'p str]),
    Key(&'p Place<'p>, &'p str),
    Index(&'p Place<'p>, usize),
}

impl<'p> Place<'p> {
    pub(crate) fn key(&'p self, key: &'p str) -> Place<'p> {
        Place::Key(self, key)
    }

    pub(crate) fn index(&'p self, index: usize) -> Place<'p> {
        Place::Index(self, index)
    }

    pub(crate) fn loc(&self) -> Vec<Loc> {
        let mut steps = Vec::new();
        let mut place = self;
        loop {
            match place {
                Place::Key(around, key) => {
                    steps.push(Loc::from(*key));
                    place = around;
                }
                Place::Index(around, index) => {
                    steps.push(Loc::Index(*index));
                    place = around;
                }
                Place::Root(root) => {
                    steps.extend(root.iter().rev().map(|step| Loc::from(*step)));
                    steps.reverse();
                    return steps;
                }
            }
        }
    }
}

/// What is done with faults: nothing, or all gathered.
pub(crate) enum Sink<'f> {
    Quiet,
    Gather(&'f mut Faults),
}

impl Sink<'_> {
    /// True when the first fault settles the matter.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Sink::Quiet => true,
            Sink::Gather(faults) => faults.is_full(),
        }
    }

    /// Tells a fault, made only when somebody listens.
    pub(crate) fn tell(
        &mut self,
        place: &Place<'_>,
        kind: FaultKind,
        fill: impl FnOnce(&mut Fault),
    ) {
        if let Sink::Gather(faults) = self {
            let mut fault = Fault::new(kind, place.loc(), "");
            fill(&mut fault);
            faults.push(fault);
        }
    }
}

/// The value for `input`: None when it is secret or longer than 1 KiB as JSON.
pub(crate) fn shown(value: &Value, secret: bool) -> Option<Value> {
    (!secret && is_short(value)).then(|| value.clone())
}

fn is_short(value: &Value) -> bool {
    match value {
        // Most are: told without writing them.
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) if text.len() < 160 => true,
        Value::String(text) if text.len() > SHOWN_BYTES => false,
        _ => serde_json::to_writer(Allowance(SHOWN_BYTES), value).is_ok(),
    }
}

/// The largest input an answer repeats.
const SHOWN_BYTES: usize = 1024;

/// A writer that keeps nothing and fails once too much was written.
struct Allowance(usize);

impl std::io::Write for Allowance {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
