//! Text into the type a schema declares, then the constraints of that schema.

use std::borrow::Cow;

use serde_json::Value;

use crate::check::{Check, Subject, every, type_fault};
use crate::coerced::Coerced;
use crate::fault::FaultKind;
use crate::faults::Faults;
use crate::format::Format;
use crate::json::{JsonLimits, parse};
use crate::number::Num;
use crate::place::{Place, Sink};
use crate::schema::{Flow, Node, NodeId, Rules, Schema, kind};
use crate::stream::equals;
use crate::text;

/// One run of coercion.
pub(crate) struct Coerce<'s, 'f> {
    pub(crate) schema: &'s Schema,
    pub(crate) sink: Sink<'f>,
    pub(crate) secret: bool,
    /// Form fields: an empty text for a nullable that is no string is null.
    pub(crate) form: bool,
}

impl<'s> Coerce<'s, '_> {
    pub(crate) fn quiet(&self) -> Coerce<'s, 'static> {
        Coerce {
            schema: self.schema,
            sink: Sink::Quiet,
            secret: self.secret,
            form: self.form,
        }
    }

    /// Runs checks on a value whose faults show `raw`, the text as it was received.
    pub(crate) fn judge(
        &mut self,
        raw: &Value,
        place: &Place<'_>,
        secret: bool,
        judge: impl FnOnce(&mut Check<'s, '_>, Subject<'_>) -> bool,
    ) -> bool {
        let hidden = self.secret || secret;
        let sink = match &mut self.sink {
            Sink::Quiet => Sink::Quiet,
            Sink::Gather(faults) => Sink::Gather(faults),
        };
        judge(
            &mut Check {
                schema: self.schema,
                sink,
            },
            Subject {
                value: raw,
                place,
                secret: hidden,
                hidden,
            },
        )
    }

    /// One text for a node; None after a fault.
    pub(crate) fn scalar<'a>(
        &mut self,
        id: NodeId,
        text: Cow<'a, str>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        match &self.schema.nodes[id] {
            Node::Any => Some(Coerced::Text(text)),
            Node::Never => {
                let raw = Value::String(text.into_owned());
                self.judge(&raw, place, false, |check, subject| {
                    check.node(id, subject.value, place, subject.secret)
                });
                None
            }
            Node::Rules(rules) if rules.is_plain() => self.plain(rules, text, place),
            Node::Rules(rules) => match rules.flow {
                Flow::Jump(next) => self.scalar(next, text, place),
                Flow::Optional(next) => self.optional(next, text, place),
                _ => self.combined(id, rules, text, place),
            },
        }
    }

    fn optional<'a>(
        &mut self,
        next: NodeId,
        text: Cow<'a, str>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        if self.form && text.is_empty() && self.schema.kinds[next] & kind::STRING == 0 {
            return Some(Coerced::Null);
        }
        self.scalar(next, text, place)
    }

    /// A schema without combinators.
    fn plain<'a>(
        &mut self,
        rules: &'s Rules,
        text: Cow<'a, str>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let nullable = rules.nullable || rules.types & kind::NULL != 0;
        if self.form && nullable && text.is_empty() && rules.types & kind::STRING == 0 {
            return Some(Coerced::Null);
        }
        let mut wanted = rules
            .declared
            .iter()
            .copied()
            .filter(|bit| *bit != kind::NULL);
        match (wanted.next(), wanted.next()) {
            (Some(only), None) => self.of_type(only, rules, text, place),
            (Some(_), Some(_)) => {
                let types = rules
                    .declared
                    .iter()
                    .copied()
                    .filter(|bit| *bit != kind::NULL);
                for bit in types {
                    if let Some(coerced) = self.quiet().of_type(bit, rules, text.clone(), place) {
                        return Some(coerced);
                    }
                }
                self.refuse_type(rules, &text, place)
            }
            _ if rules.declared.is_empty() => self.untyped(rules, text, place),
            _ => self.refuse_type(rules, &text, place),
        }
    }

    fn refuse_type<'a>(
        &mut self,
        rules: &Rules,
        text: &str,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let raw = Value::String(text.to_owned());
        let (kind, msg) = type_fault(rules);
        self.judge(&raw, place, rules.secret, |check, subject| {
            check.sink.tell(place, kind, |fault| {
                msg.clone_into(&mut fault.msg);
                fault.input = subject.shown();
            });
            false
        });
        None
    }

    fn of_type<'a>(
        &mut self,
        bit: u8,
        rules: &'s Rules,
        text: Cow<'a, str>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let format = rules.text.as_ref().and_then(|wanted| wanted.format);
        let made = match bit {
            kind::INTEGER => text::integer(&text),
            kind::NUMBER if format == Some(Format::Decimal) => text::string(text.clone(), format),
            kind::NUMBER => text::number(&text).map(Coerced::Float),
            kind::BOOL => text::boolean(&text).map(Coerced::Bool),
            kind::STRING => return self.string(rules, text, format, place),
            // A list or an object where only one text can stand: JSON.
            _ => return self.json(bit, rules, &text, place),
        };
        let Some(coerced) = made else {
            return self.refuse_type(rules, &text, place);
        };
        if fits(rules, &coerced) {
            return Some(coerced);
        }
        self.tell_constraints(rules, &coerced, &text, place);
        None
    }

    fn string<'a>(
        &mut self,
        rules: &'s Rules,
        text: Cow<'a, str>,
        format: Option<Format>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        if let Some(coerced) = text::string(text.clone(), format) {
            if fits(rules, &coerced) {
                return Some(coerced);
            }
            self.tell_constraints(rules, &coerced, &text, place);
            return None;
        }
        let raw = Value::String(text.into_owned());
        self.judge(&raw, place, rules.secret, |check, subject| {
            let text = raw.as_str().unwrap_or_default();
            check.text(rules, text, subject, true) & check.listed(rules, subject)
        });
        None
    }

    fn json<'a>(
        &mut self,
        bit: u8,
        rules: &'s Rules,
        text: &str,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let value = parse(text.as_bytes(), JsonLimits::default()).ok();
        let value = value.filter(|value| {
            if bit == kind::ARRAY {
                value.is_array()
            } else {
                value.is_object()
            }
        });
        let Some(value) = value else {
            return self.refuse_type(rules, text, place);
        };
        self.judge(&value, place, rules.secret, |check, subject| {
            check.rules(rules, subject.value, place, subject.secret)
        })
        .then_some(Coerced::Json(value))
    }

    /// Without a type the listed values decide, else the text stays one.
    fn untyped<'a>(
        &mut self,
        rules: &'s Rules,
        text: Cow<'a, str>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let listed = rules
            .choices
            .iter()
            .flat_map(|choices| &choices.values)
            .chain(&rules.constant);
        for value in listed {
            let found = match value {
                Value::String(choice) => (*choice == text).then(|| Coerced::Text(text.clone())),
                Value::Number(_) => text::integer(&text)
                    .or_else(|| text::number(&text).map(Coerced::Float))
                    .filter(|coerced| num_of(coerced).is_some_and(|num| equals(value, num))),
                Value::Bool(choice) => text::boolean(&text)
                    .filter(|flag| flag == choice)
                    .map(Coerced::Bool),
                _ => None,
            };
            if let Some(coerced) = found.filter(|coerced| fits(rules, coerced)) {
                return Some(coerced);
            }
        }
        let format = rules.text.as_ref().and_then(|wanted| wanted.format);
        self.string(rules, text, format, place)
    }

    fn tell_constraints(
        &mut self,
        rules: &'s Rules,
        coerced: &Coerced<'_>,
        text: &str,
        place: &Place<'_>,
    ) {
        if matches!(self.sink, Sink::Quiet) {
            return;
        }
        let raw = Value::String(text.to_owned());
        self.judge(&raw, place, rules.secret, |check, subject| {
            match num_of(coerced) {
                Some(num) => {
                    check.num(rules, num, subject) & self::listed(check, rules, coerced, subject)
                }
                None => {
                    check.text(rules, text, subject, false)
                        & self::listed(check, rules, coerced, subject)
                }
            }
        });
    }

    /// Several schemas about one text.
    fn combined<'a>(
        &mut self,
        id: NodeId,
        rules: &'s Rules,
        text: Cow<'a, str>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let branches = if rules.any_of.is_empty() {
            &rules.one_of
        } else {
            &rules.any_of
        };
        let fault = if rules.any_of.is_empty() {
            FaultKind::OneOf
        } else {
            FaultKind::AnyOf
        };
        let coerced = if branches.is_empty() {
            match self.guide(id) {
                Some(guide) => convert(guide, text.clone()),
                None => Some(Coerced::Text(text.clone())),
            }
        } else {
            branches
                .iter()
                .find_map(|branch| self.quiet().scalar(*branch, text.clone(), place))
        };
        let raw = Value::String(text.clone().into_owned());
        let Some(coerced) = coerced else {
            if branches.is_empty() {
                return self
                    .guide(id)
                    .and_then(|guide| self.plain(guide, text, place));
            }
            self.judge(&raw, place, rules.holds_secret, |check, subject| {
                check.tell_branches(branches, subject, fault, 0);
                false
            });
            return None;
        };
        if !branches.is_empty() && matches!(rules.flow, Flow::Dispatch(_)) {
            return Some(coerced);
        }
        let value = coerced.to_json();
        self.whole(id, &value, raw, place).then_some(coerced)
    }

    /// The full check of a made value; faults of the value itself show the text it was made of.
    pub(crate) fn whole(
        &mut self,
        id: NodeId,
        value: &Value,
        raw: Value,
        place: &Place<'_>,
    ) -> bool {
        let mut found = Faults::new();
        let mut check = Check {
            schema: self.schema,
            sink: Sink::Gather(&mut found),
        };
        if check.node(id, value, place, self.secret) {
            return true;
        }
        if let Sink::Gather(faults) = &mut self.sink {
            let loc = place.loc();
            for mut fault in found.into_vec() {
                if fault.loc == loc && fault.input.is_some() {
                    fault.input = Some(raw.clone());
                }
                faults.push(fault);
            }
        }
        false
    }

    /// The first rules under a node that declare a type.
    pub(crate) fn guide(&self, id: NodeId) -> Option<&'s Rules> {
        self.search(id, &|rules| !rules.declared.is_empty())
    }

    pub(crate) fn search(&self, id: NodeId, wanted: &dyn Fn(&Rules) -> bool) -> Option<&'s Rules> {
        let rules = self.schema.rules(id)?;
        if wanted(rules) {
            return Some(rules);
        }
        let also = rules
            .reference
            .iter()
            .chain(&rules.optional)
            .chain(&rules.all_of)
            .chain(&rules.any_of);
        also.chain(&rules.one_of)
            .find_map(|node| self.search(*node, wanted))
    }
}

/// A text as the first declared type that takes it, constraints aside.
fn convert<'a>(rules: &Rules, text: Cow<'a, str>) -> Option<Coerced<'a>> {
    let format = rules.text.as_ref().and_then(|wanted| wanted.format);
    rules.declared.iter().find_map(|bit| match *bit {
        kind::INTEGER => text::integer(&text),
        kind::NUMBER => text::number(&text).map(Coerced::Float),
        kind::BOOL => text::boolean(&text).map(Coerced::Bool),
        kind::STRING => text::string(text.clone(), format),
        _ => None,
    })
}

fn num_of<'n>(coerced: &'n Coerced<'_>) -> Option<Num<'n>> {
    match coerced {
        Coerced::Int(int) => Some(Num::Int(*int)),
        Coerced::BigInt(digits) => Some(Num::Digits(digits)),
        Coerced::Float(float) => Some(Num::Float(*float)),
        Coerced::Decimal(text) => Some(text.parse().map_or(Num::Float(f64::INFINITY), Num::Float)),
        _ => None,
    }
}

/// All constraints of a schema without combinators on a made scalar; nothing is allocated.
#[inline]
fn fits(rules: &Rules, coerced: &Coerced<'_>) -> bool {
    let text = coerced.text();
    rules
        .number
        .as_ref()
        .is_none_or(|wanted| num_of(coerced).is_none_or(|num| wanted.accepts(num)))
        && rules
            .text
            .as_ref()
            .is_none_or(|wanted| text.is_none_or(|text| wanted.accepts_but_format(text)))
        && rules
            .choices
            .as_ref()
            .is_none_or(|choices| choices.values.iter().any(|value| same(value, coerced)))
        && rules
            .constant
            .as_ref()
            .is_none_or(|value| same(value, coerced))
}

/// Whether a made scalar is a listed value.
fn same(value: &Value, coerced: &Coerced<'_>) -> bool {
    match (value, coerced) {
        (Value::Number(_), Coerced::Int(_) | Coerced::BigInt(_) | Coerced::Float(_)) => {
            num_of(coerced).is_some_and(|num| equals(value, num))
        }
        (Value::Bool(choice), Coerced::Bool(flag)) => choice == flag,
        (Value::String(choice), _) => coerced.text() == Some(choice),
        _ => false,
    }
}

/// `enum` and `const` on a made scalar, told with the text it was made of.
fn listed(
    check: &mut Check<'_, '_>,
    rules: &Rules,
    coerced: &Coerced<'_>,
    subject: Subject<'_>,
) -> bool {
    every!(check;
        rules.choices.as_ref().is_none_or(|choices| {
            choices.values.iter().any(|value| same(value, coerced)) || {
                crate::check::tell_choices(&mut check.sink, choices, subject.place, subject.shown());
                false
            }
        }),
        rules.constant.as_ref().is_none_or(|constant| {
            same(constant, coerced) || {
                crate::check::tell_constant(&mut check.sink, constant, subject);
                false
            }
        }),
    )
}
