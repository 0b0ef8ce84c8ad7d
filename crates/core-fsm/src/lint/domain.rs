use std::cmp::Ordering;

use crate::{Map, Value};

/// The values of one field that a check lets pass.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    null: bool,
    rest: Rest,
}

/// The values other than null.
#[derive(Clone, Debug)]
enum Rest {
    Only(Vec<Value>),
    /// All save some; if there is a bound, only numbers.
    Span {
        low: Option<Bound>,
        high: Option<Bound>,
        holes: Vec<Value>,
    },
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    at: f64,
    inclusive: bool,
}

impl Rest {
    const ALL: Self = Self::Span {
        low: None,
        high: None,
        holes: Vec::new(),
    };

    fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Only(values) => values.contains(value),
            Self::Span { low, high, holes } => {
                !holes.contains(value)
                    && low.is_none_or(|low| beyond(value, low, Ordering::Greater))
                    && high.is_none_or(|high| beyond(value, high, Ordering::Less))
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Only(values) => values.is_empty(),
            Self::Span {
                low: Some(low),
                high: Some(high),
                holes,
            } => match low.at.partial_cmp(&high.at) {
                Some(Ordering::Less) => false,
                Some(Ordering::Equal) => {
                    !(low.inclusive && high.inclusive) || holes.contains(&Value::Float(low.at))
                }
                _ => true,
            },
            Self::Span { .. } => false,
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(values), rest) | (rest, Self::Only(values)) => Self::Only(
                values
                    .iter()
                    .filter(|value| rest.contains(value))
                    .cloned()
                    .collect(),
            ),
            (
                Self::Span { low, high, holes },
                Self::Span {
                    low: other_low,
                    high: other_high,
                    holes: other_holes,
                },
            ) => Self::Span {
                low: tighter(*low, *other_low, Ordering::Greater),
                high: tighter(*high, *other_high, Ordering::Less),
                holes: holes.iter().chain(other_holes).cloned().collect(),
            },
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        if self.is_empty() {
            return true;
        }
        match (self, other) {
            (Self::Only(values), other) => values.iter().all(|value| other.contains(value)),
            (Self::Span { .. }, Self::Only(_)) => false,
            (
                Self::Span { low, high, .. },
                Self::Span {
                    low: other_low,
                    high: other_high,
                    holes,
                },
            ) => {
                bound_within(*low, *other_low, Ordering::Greater)
                    && bound_within(*high, *other_high, Ordering::Less)
                    // A bound of one side alone still means numbers only.
                    && (other_low.is_none() && other_high.is_none() || low.is_some() || high.is_some())
                    && !holes.iter().any(|hole| self.contains(hole))
            }
        }
    }
}

fn beyond(value: &Value, bound: Bound, side: Ordering) -> bool {
    match value.compare_numbers(&Value::Float(bound.at)) {
        Some(Ordering::Equal) => bound.inclusive,
        order => order == Some(side),
    }
}

fn tighter(left: Option<Bound>, right: Option<Bound>, side: Ordering) -> Option<Bound> {
    match (left, right) {
        (Some(left), Some(right)) => Some(match left.at.partial_cmp(&right.at) {
            Some(Ordering::Equal) => Bound {
                at: left.at,
                inclusive: left.inclusive && right.inclusive,
            },
            order if order == Some(side) => left,
            _ => right,
        }),
        (one, other) => one.or(other),
    }
}

fn bound_within(inner: Option<Bound>, outer: Option<Bound>, side: Ordering) -> bool {
    match (inner, outer) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(inner), Some(outer)) => match inner.at.partial_cmp(&outer.at) {
            Some(Ordering::Equal) => outer.inclusive || !inner.inclusive,
            order => order == Some(side),
        },
    }
}

impl Domain {
    /// The values that a check lets pass, if it is of a kind that can be told.
    pub(super) fn of(check: &Map) -> Option<Self> {
        let value = check.get("value").unwrap_or(&Value::Null);
        let values = || {
            check
                .get("values")
                .and_then(Value::as_items)
                .unwrap_or_default()
                .to_vec()
        };
        let bound = |inclusive| match value {
            Value::Int(number) => Some(Bound {
                at: *number as f64,
                inclusive,
            }),
            Value::Float(number) if !number.is_nan() => Some(Bound {
                at: *number,
                inclusive,
            }),
            _ => None,
        };
        let span = |low, high| Self {
            null: false,
            rest: Rest::Span {
                low,
                high,
                holes: Vec::new(),
            },
        };
        Some(match check.get("op")?.as_text()? {
            "eq" => Self::only(vec![value.clone()]),
            "in" => Self::only(values()),
            "neq" => Self::except(vec![value.clone()]),
            "not_in" => Self::except(values()),
            "gt" => span(Some(bound(false)?), None),
            "gte" => span(Some(bound(true)?), None),
            "lt" => span(None, Some(bound(false)?)),
            "lte" => span(None, Some(bound(true)?)),
            "is_set" => Self {
                null: false,
                rest: Rest::ALL,
            },
            "is_null" => Self::only(vec![Value::Null]),
            _ => return None,
        })
    }

    fn only(values: Vec<Value>) -> Self {
        Self {
            null: values.iter().any(Value::is_null),
            rest: Rest::Only(
                values
                    .into_iter()
                    .filter(|value| !value.is_null())
                    .collect(),
            ),
        }
    }

    fn except(values: Vec<Value>) -> Self {
        Self {
            null: !values.iter().any(Value::is_null),
            rest: Rest::Span {
                low: None,
                high: None,
                holes: values
                    .into_iter()
                    .filter(|value| !value.is_null())
                    .collect(),
            },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.null && self.rest.is_empty()
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        Self {
            null: self.null && other.null,
            rest: self.rest.intersection(&other.rest),
        }
    }

    pub(super) fn is_within(&self, other: &Self) -> bool {
        (!self.null || other.null) && self.rest.is_within(&other.rest)
    }

    pub(super) fn contains(&self, value: &Value) -> bool {
        if value.is_null() {
            self.null
        } else {
            self.rest.contains(value)
        }
    }

    /// Values near which the domain begins or ends; with what lies between them, they show every gap.
    pub(super) fn edges(&self) -> Vec<Value> {
        match &self.rest {
            Rest::Only(values) => values.clone(),
            Rest::Span { low, high, holes } => low
                .iter()
                .chain(high)
                .map(|bound| Value::Float(bound.at))
                .chain(holes.iter().cloned())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    fn domain(op: &str, value: Value) -> Domain {
        let key = if op.ends_with("in") {
            "values"
        } else {
            "value"
        };
        let check: Map = [(Key::from("op"), Value::text(op)), (Key::from(key), value)]
            .into_iter()
            .collect();
        Domain::of(&check).expect("a check that can be told")
    }

    #[test]
    fn a_narrower_check_lies_within_a_wider_one() {
        let over_ten = domain("gt", Value::Int(10));
        assert!(domain("gt", Value::Int(20)).is_within(&over_ten));
        assert!(domain("eq", Value::Int(11)).is_within(&over_ten));
        assert!(!domain("gte", Value::Int(10)).is_within(&over_ten));
        assert!(over_ten.is_within(&domain("gte", Value::Int(10))));
        assert!(over_ten.is_within(&domain("is_set", Value::Null)));
        assert!(over_ten.is_within(&domain("neq", Value::Int(10))));
        assert!(!over_ten.is_within(&domain("neq", Value::Int(11))));
        assert!(!domain("is_set", Value::Null).is_within(&over_ten));
        assert!(!domain("neq", Value::Int(1)).is_within(&domain("is_set", Value::Null)));
    }

    #[test]
    fn checks_that_exclude_each_other_have_nothing_in_common() {
        let low = domain("lt", Value::Int(10));
        let high = domain("gte", Value::Int(10));
        assert!(low.intersection(&high).is_empty());
        assert!(!low.intersection(&domain("lte", Value::Int(0))).is_empty());
        let listed = domain("in", Value::list(vec![Value::text("a"), Value::text("b")]));
        assert!(
            listed
                .intersection(&domain("eq", Value::text("c")))
                .is_empty()
        );
        assert!(
            !listed
                .intersection(&domain("neq", Value::text("a")))
                .is_empty()
        );
        assert!(domain("eq", Value::Null).intersection(&low).is_empty());
    }
}
