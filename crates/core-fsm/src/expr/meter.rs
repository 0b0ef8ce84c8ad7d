use std::cell::Cell;

use super::error::ExprError;
use super::host::Limits;
use crate::Value;

/// Counts what an evaluation costs, and ends it when that is too much.
pub(super) struct Meter {
    limits: Limits,
    left: Cell<u64>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            left: Cell::new(limits.steps),
        }
    }

    /// Takes steps from what is left.
    pub(super) fn charge(&self, steps: u64) -> Result<(), ExprError> {
        match self.left.get().checked_sub(steps) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(ExprError::limit(format!(
                "the expression takes more than {} steps",
                self.limits.steps
            ))),
        }
    }

    /// Steps for work on every character or item of something long.
    pub(super) fn charge_length(&self, length: usize) -> Result<(), ExprError> {
        self.charge(length as u64 / 256)
    }

    /// Refuses a text or list that would be too long.
    pub(super) fn check_length(&self, length: usize) -> Result<(), ExprError> {
        if length > self.limits.length {
            return Err(ExprError::limit(format!(
                "the result is longer than {}",
                self.limits.length
            )));
        }
        self.charge_length(length)
    }

    /// Refuses a whole number that would be too large.
    pub(super) fn check_bits(&self, bits: u64) -> Result<(), ExprError> {
        if bits > self.limits.bits {
            return Err(ExprError::limit(format!(
                "the number has more than {} bits",
                self.limits.bits
            )));
        }
        // A word is 64 bits, and eight of them cost about as much as a step.
        self.charge(bits / 512)
    }

    pub(super) fn text(&self, text: String) -> Result<Value, ExprError> {
        self.check_length(text.len() / 4)?;
        if text.len() > self.limits.length {
            self.check_length(text.chars().count())?;
        }
        Ok(Value::Text(text.into()))
    }

    pub(super) fn longest(&self) -> usize {
        self.limits.length
    }
}
