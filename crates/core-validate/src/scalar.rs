//! The constraints on one string or one number, the same for bytes, values and parameter text.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use crate::fault::FaultKind;
use crate::format::Format;
use crate::number::Num;
use crate::pattern::Pattern;

/// Takes the kind, message and context of each fault found.
pub(crate) type Report<'r> = dyn FnMut(FaultKind, String, Map<String, Value>) + 'r;

/// A context with one entry.
pub(crate) fn context(key: &str, value: impl Into<Value>) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert(key.to_owned(), value.into());
    map
}

/// `1 item`, `2 items`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What a string must be.
#[derive(Debug, Default)]
pub(crate) struct TextRules {
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) format: Option<Format>,
    pub(crate) no_null: bool,
}

impl TextRules {
    pub(crate) fn is_empty(&self) -> bool {
        self.min_length.is_none()
            && self.max_length.is_none()
            && self.pattern.is_none()
            && self.format.is_none()
            && !self.no_null
    }

    fn too_short(&self, text: &str) -> Option<usize> {
        self.min_length
            .filter(|min| text.len() < *min || (text.len() < *min * 4 && code_points(text) < *min))
    }

    fn too_long(&self, text: &str) -> Option<usize> {
        self.max_length
            .filter(|max| text.len() > *max && code_points(text) > *max)
    }

    #[inline]
    pub(crate) fn accepts(&self, text: &str) -> bool {
        self.accepts_but_format(text) && self.format.is_none_or(|format| format.accepts(text))
    }

    /// For texts whose format was judged when they were coerced.
    #[inline]
    pub(crate) fn accepts_but_format(&self, text: &str) -> bool {
        self.too_short(text).is_none()
            && self.too_long(text).is_none()
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(text))
            && !(self.no_null && text.contains('\0'))
    }

    /// All faults of a text. `format` is left out where coercion has judged it already.
    pub(crate) fn report(&self, text: &str, with_format: bool, report: &mut Report<'_>) {
        if let Some(min) = self.too_short(text) {
            let msg = format!(
                "String should have at least {}",
                counted(min, "character", "characters")
            );
            report(FaultKind::StringTooShort, msg, context("min_length", min));
        }
        if let Some(max) = self.too_long(text) {
            let msg = format!(
                "String should have at most {}",
                counted(max, "character", "characters")
            );
            report(FaultKind::StringTooLong, msg, context("max_length", max));
        }
        let mut null = self.no_null && text.contains('\0');
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(text)
        {
            if pattern.names_null() && text.contains('\0') {
                null = true;
            } else {
                let msg = format!("String should match pattern '{}'", pattern.source());
                report(
                    FaultKind::StringPatternMismatch,
                    msg,
                    context("pattern", pattern.source()),
                );
            }
        }
        if let Some(format) = self.format
            && with_format
            && !format.accepts(text)
        {
            let (kind, msg, ctx) = format.fault(text);
            report(kind, msg, ctx);
        }
        if null {
            report(
                FaultKind::NullByte,
                "String contains null byte character".into(),
                Map::new(),
            );
        }
    }
}

/// Code points of a text: all bytes but the continuations.
pub(crate) fn code_points(text: &str) -> usize {
    text.bytes().filter(|byte| (byte & 0xC0) != 0x80).count()
}

/// A number a value is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    shown: Number,
    num: Num<'static>,
}

impl Bound {
    pub(crate) fn new(number: &Number) -> Self {
        Self {
            shown: number.clone(),
            num: Num::of(number),
        }
    }
}

/// What a number must be.
#[derive(Debug, Default)]
pub(crate) struct NumberRules {
    pub(crate) above: Option<Bound>,
    pub(crate) least: Option<Bound>,
    pub(crate) below: Option<Bound>,
    pub(crate) most: Option<Bound>,
    pub(crate) step: Option<Bound>,
}

impl NumberRules {
    pub(crate) fn is_empty(&self) -> bool {
        self.above.is_none()
            && self.least.is_none()
            && self.below.is_none()
            && self.most.is_none()
            && self.step.is_none()
    }

    #[inline]
    pub(crate) fn accepts(&self, num: Num<'_>) -> bool {
        let compare = |bound: &Bound| num.compare(bound.num);
        self.above
            .as_ref()
            .is_none_or(|bound| compare(bound) == Ordering::Greater)
            && self
                .least
                .as_ref()
                .is_none_or(|bound| compare(bound) != Ordering::Less)
            && self
                .below
                .as_ref()
                .is_none_or(|bound| compare(bound) == Ordering::Less)
            && self
                .most
                .as_ref()
                .is_none_or(|bound| compare(bound) != Ordering::Greater)
            && self
                .step
                .as_ref()
                .is_none_or(|bound| num.is_multiple_of(bound.num))
    }

    pub(crate) fn report(&self, num: Num<'_>, report: &mut Report<'_>) {
        let mut judge =
            |bound: &Option<Bound>, holds: fn(Ordering) -> bool, kind, words: &str, key: &str| {
                if let Some(bound) = bound
                    && !holds(num.compare(bound.num))
                {
                    report(
                        kind,
                        format!("Input should be {words} {}", bound.shown),
                        context(key, bound.shown.clone()),
                    );
                }
            };
        judge(
            &self.above,
            Ordering::is_gt,
            FaultKind::GreaterThan,
            "greater than",
            "gt",
        );
        judge(
            &self.least,
            Ordering::is_ge,
            FaultKind::GreaterThanEqual,
            "greater than or equal to",
            "ge",
        );
        judge(
            &self.below,
            Ordering::is_lt,
            FaultKind::LessThan,
            "less than",
            "lt",
        );
        judge(
            &self.most,
            Ordering::is_le,
            FaultKind::LessThanEqual,
            "less than or equal to",
            "le",
        );
        if let Some(step) = &self.step
            && !num.is_multiple_of(step.num)
        {
            let msg = format!("Input should be a multiple of {}", step.shown);
            report(
                FaultKind::MultipleOf,
                msg,
                context("multiple_of", step.shown.clone()),
            );
        }
    }
}
