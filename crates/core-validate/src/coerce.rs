//! Text into the type a schema declares, then the constraints of that schema.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::check::{Check, Subject, every, type_fault};
use crate::check_object::Members;
use crate::coerced::Coerced;
use crate::fault::FaultKind;
use crate::faults::Faults;
use crate::format::Format;
use crate::json::{JsonLimits, parse};
use crate::number::Num;
use crate::object::{Additional, ObjectRules};
use crate::place::{Place, Sink};
use crate::schema::{ArrayRules, Flow, Node, NodeId, Rules, Schema, kind};
use crate::stream::equals;
use crate::text;
use crate::tree::Tree;

/// The type words that a single text can be.
const SCALARS: u8 = kind::BOOL | kind::NUMBER | kind::STRING;

/// What a parameter is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One text.
    Scalar,
    /// Any number of texts.
    List,
    /// One text, or a list when there are several.
    Either,
    /// Texts by name.
    Object,
}

impl Shape {
    pub(crate) fn of(schema: &Schema, node: NodeId) -> Self {
        let kinds = schema.kinds[node];
        if kinds == kind::ALL {
            return match schema.rules(node) {
                Some(rules) if rules.array.is_some() => Self::List,
                Some(rules) if rules.object.is_some() => Self::Object,
                _ => Self::Scalar,
            };
        }
        match (kinds & kind::ARRAY != 0, kinds & kind::OBJECT != 0, kinds & SCALARS != 0) {
            (true, _, false) => Self::List,
            (true, _, true) => Self::Either,
            (false, true, false) => Self::Object,
            _ => Self::Scalar,
        }
    }
}

/// One run of coercion.
pub(crate) struct Coerce<'s, 'f> {
    pub(crate) schema: &'s Schema,
    pub(crate) sink: Sink<'f>,
    pub(crate) secret: bool,
    /// Form fields: an empty text for a nullable that is no string is null.
    pub(crate) form: bool,
}

impl<'s> Coerce<'s, '_> {
    fn quiet(&self) -> Coerce<'s, 'static> {
        Coerce { schema: self.schema, sink: Sink::Quiet, secret: self.secret, form: self.form }
    }

    /// Runs checks on a value whose faults show `raw`, the text as it was received.
    fn judge(
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
        judge(&mut Check { schema: self.schema, sink }, Subject { value: raw, place, secret: hidden, hidden })
    }

    /// One text for a node; None after a fault.
    pub(crate) fn scalar<'a>(&mut self, id: NodeId, text: Cow<'a, str>, place: &Place<'_>) -> Option<Coerced<'a>> {
        match &self.schema.nodes[id] {
            Node::Any => Some(Coerced::Text(text)),
            Node::Never => {
                let raw = Value::String(text.into_owned());
                self.judge(&raw, place, false, |check, subject| check.node(id, subject.value, place, subject.secret));
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

    fn optional<'a>(&mut self, next: NodeId, text: Cow<'a, str>, place: &Place<'_>) -> Option<Coerced<'a>> {
        if self.form && text.is_empty() && self.schema.kinds[next] & kind::STRING == 0 {
            return Some(Coerced::Null);
        }
        self.scalar(next, text, place)
    }

    /// A schema without combinators.
    fn plain<'a>(&mut self, rules: &'s Rules, text: Cow<'a, str>, place: &Place<'_>) -> Option<Coerced<'a>> {
        let nullable = rules.nullable || rules.types & kind::NULL != 0;
        if self.form && nullable && text.is_empty() && rules.types & kind::STRING == 0 {
            return Some(Coerced::Null);
        }
        let mut wanted = rules.declared.iter().copied().filter(|bit| *bit != kind::NULL);
        match (wanted.next(), wanted.next()) {
            (Some(only), None) => self.of_type(only, rules, text, place),
            (Some(_), Some(_)) => {
                let types = rules.declared.iter().copied().filter(|bit| *bit != kind::NULL);
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

    fn refuse_type<'a>(&mut self, rules: &Rules, text: &str, place: &Place<'_>) -> Option<Coerced<'a>> {
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

    fn of_type<'a>(&mut self, bit: u8, rules: &'s Rules, text: Cow<'a, str>, place: &Place<'_>) -> Option<Coerced<'a>> {
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
        let Some(coerced) = made else { return self.refuse_type(rules, &text, place) };
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

    fn json<'a>(&mut self, bit: u8, rules: &'s Rules, text: &str, place: &Place<'_>) -> Option<Coerced<'a>> {
        let value = parse(text.as_bytes(), JsonLimits::default()).ok();
        let value = value.filter(|value| if bit == kind::ARRAY { value.is_array() } else { value.is_object() });
        let Some(value) = value else { return self.refuse_type(rules, text, place) };
        self.judge(&value, place, rules.secret, |check, subject| {
            check.rules(rules, subject.value, place, subject.secret)
        })
        .then_some(Coerced::Json(value))
    }

    /// Without a type the listed values decide, else the text stays one.
    fn untyped<'a>(&mut self, rules: &'s Rules, text: Cow<'a, str>, place: &Place<'_>) -> Option<Coerced<'a>> {
        let listed = rules.choices.iter().flat_map(|choices| &choices.values).chain(&rules.constant);
        for value in listed {
            let found = match value {
                Value::String(choice) => (*choice == text).then(|| Coerced::Text(text.clone())),
                Value::Number(_) => text::integer(&text)
                    .or_else(|| text::number(&text).map(Coerced::Float))
                    .filter(|coerced| num_of(coerced).is_some_and(|num| equals(value, num))),
                Value::Bool(choice) => text::boolean(&text).filter(|flag| flag == choice).map(Coerced::Bool),
                _ => None,
            };
            if let Some(coerced) = found.filter(|coerced| fits(rules, coerced)) {
                return Some(coerced);
            }
        }
        let format = rules.text.as_ref().and_then(|wanted| wanted.format);
        self.string(rules, text, format, place)
    }

    fn tell_constraints(&mut self, rules: &'s Rules, coerced: &Coerced<'_>, text: &str, place: &Place<'_>) {
        if matches!(self.sink, Sink::Quiet) {
            return;
        }
        let raw = Value::String(text.to_owned());
        self.judge(&raw, place, rules.secret, |check, subject| match num_of(coerced) {
            Some(num) => check.num(rules, num, subject) & self::listed(check, rules, coerced, subject),
            None => check.text(rules, text, subject, false) & self::listed(check, rules, coerced, subject),
        });
    }

    /// Several schemas about one text.
    fn combined<'a>(&mut self, id: NodeId, rules: &'s Rules, text: Cow<'a, str>, place: &Place<'_>) -> Option<Coerced<'a>> {
        let branches = if rules.any_of.is_empty() { &rules.one_of } else { &rules.any_of };
        let fault = if rules.any_of.is_empty() { FaultKind::OneOf } else { FaultKind::AnyOf };
        let coerced = if branches.is_empty() {
            match self.guide(id) {
                Some(guide) => convert(guide, text.clone()),
                None => Some(Coerced::Text(text.clone())),
            }
        } else {
            branches.iter().find_map(|branch| self.quiet().scalar(*branch, text.clone(), place))
        };
        let raw = Value::String(text.clone().into_owned());
        let Some(coerced) = coerced else {
            if branches.is_empty() {
                return self.guide(id).and_then(|guide| self.plain(guide, text, place));
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
    fn whole(&mut self, id: NodeId, value: &Value, raw: Value, place: &Place<'_>) -> bool {
        let mut found = Faults::new();
        let mut check = Check { schema: self.schema, sink: Sink::Gather(&mut found) };
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
    fn guide(&self, id: NodeId) -> Option<&'s Rules> {
        self.search(id, &|rules| !rules.declared.is_empty())
    }

    fn search(&self, id: NodeId, wanted: &dyn Fn(&Rules) -> bool) -> Option<&'s Rules> {
        let rules = self.schema.rules(id)?;
        if wanted(rules) {
            return Some(rules);
        }
        let also = rules.reference.iter().chain(&rules.optional).chain(&rules.all_of).chain(&rules.any_of);
        also.chain(&rules.one_of).find_map(|node| self.search(*node, wanted))
    }

    fn array_rules(&self, id: NodeId) -> Option<&'s ArrayRules> {
        self.search(id, &|rules| rules.array.is_some()).and_then(|rules| rules.array.as_ref())
    }

    fn object_rules(&self, id: NodeId) -> Option<&'s ObjectRules> {
        self.search(id, &|rules| rules.object.is_some()).and_then(|rules| rules.object.as_ref())
    }

    /// Any number of texts for a list node.
    pub(crate) fn list<'a>(&mut self, id: NodeId, texts: Vec<Cow<'a, str>>, place: &Place<'_>) -> Option<Coerced<'a>> {
        self.trees(id, texts.into_iter().map(|text| Tree::Texts(vec![text])).collect(), place)
    }

    fn trees<'a>(&mut self, id: NodeId, trees: Vec<Tree<'a>>, place: &Place<'_>) -> Option<Coerced<'a>> {
        let rules = self.array_rules(id);
        let raw = || Value::Array(trees.iter().map(Tree::to_json).collect());
        // Made before the texts are spent, and only when something about the list as a whole may be told.
        let raw = self.needs_whole(id, rules, trees.len()).then(raw);
        let mut items = Vec::with_capacity(trees.len());
        let mut sound = true;
        for (index, tree) in trees.into_iter().enumerate() {
            match rules.and_then(|rules| rules.item(index)) {
                None => items.push(tree.into_untyped()),
                Some(node) => match self.tree(node, tree, &place.index(index)) {
                    Some(item) => items.push(item),
                    None => sound = false,
                },
            }
        }
        let coerced = Coerced::List(items);
        if let Some(raw) = raw {
            sound = self.whole_list(id, rules, &coerced, raw, sound, place);
        }
        sound.then_some(coerced)
    }

    fn needs_whole(&self, id: NodeId, rules: Option<&ArrayRules>, length: usize) -> bool {
        let plain = self.schema.rules(id).is_some_and(|node| {
            node.choices.is_none()
                && node.constant.is_none()
                && (node.is_plain() || matches!(node.flow, Flow::Jump(_) | Flow::Optional(_)))
        });
        !plain
            || rules.is_some_and(|rules| {
                !rules.streams()
                    || rules.min_items.is_some_and(|min| length < min)
                    || rules.max_items.is_some_and(|max| length > max)
            })
    }

    fn whole_list(
        &mut self,
        id: NodeId,
        rules: Option<&'s ArrayRules>,
        coerced: &Coerced<'_>,
        raw: Value,
        sound: bool,
        place: &Place<'_>,
    ) -> bool {
        // Faulty items are told already, and a list without them is not the one that came.
        if !sound {
            return false;
        }
        let value = coerced.to_json();
        let Some(node) = self.schema.rules(id) else { return true };
        if !node.is_plain() || node.choices.is_some() || node.constant.is_some() {
            return self.whole(id, &value, raw, place);
        }
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        self.judge(&raw, place, node.holds_secret, |check, subject| {
            rules.is_none_or(|rules| check.list(rules, items, subject))
        })
    }

    /// Texts by name, or one or several texts, for any node.
    pub(crate) fn tree<'a>(&mut self, id: NodeId, tree: Tree<'a>, place: &Place<'_>) -> Option<Coerced<'a>> {
        let shape = Shape::of(self.schema, id);
        match tree {
            Tree::Texts(mut texts) => {
                if shape == Shape::List || (shape == Shape::Either && texts.len() > 1) {
                    return self.list(id, texts, place);
                }
                match texts.pop() {
                    Some(last) => self.scalar(id, last, place),
                    None => Some(Coerced::List(Vec::new())),
                }
            }
            Tree::Named(_) if matches!(self.schema.nodes[id], Node::Any) => Some(tree.into_untyped()),
            Tree::Named(members) if shape == Shape::List && Tree::are_indices(&members) => {
                self.trees(id, Tree::in_index_order(members), place)
            }
            Tree::Named(members) => self.object(id, members, place),
        }
    }

    /// Texts by name for an object node.
    pub(crate) fn object<'a>(
        &mut self,
        id: NodeId,
        trees: Vec<(String, Tree<'a>)>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let Some(rules) = self.object_rules(id) else {
            let coerced = Coerced::Object(trees.into_iter().map(|(key, tree)| (key, tree.into_untyped())).collect());
            let value = coerced.to_json();
            return self.whole(id, &value, value.clone(), place).then_some(coerced);
        };
        let raw = Value::Object(trees.iter().map(|(key, tree)| (key.clone(), tree.to_json())).collect::<Map<_, _>>());
        let mut sound = true;
        for slot in &rules.required {
            let name = &*rules.members[*slot].name;
            if !trees.iter().any(|(key, _)| key == name) {
                sound = false;
                self.sink.tell(&place.key(name), FaultKind::Missing, |fault| {
                    "Field required".clone_into(&mut fault.msg);
                    fault.input = Some(Value::Null);
                });
            }
        }
        let mut members = Vec::with_capacity(trees.len());
        for (position, (key, tree)) in trees.into_iter().enumerate() {
            let named = rules.find(&key, position).and_then(|slot| rules.members[slot].node);
            let by_pattern = || rules.patterns.iter().find(|(pattern, _)| pattern.is_match(&key)).map(|(_, node)| *node);
            let node = named.or_else(by_pattern).or(match rules.additional {
                Additional::Judged(node) => Some(node),
                Additional::Free | Additional::Forbidden => None,
            });
            let made = match node {
                Some(node) => self.tree(node, tree, &place.key(&key)),
                None if rules.additional == Additional::Forbidden => {
                    let value = tree.to_json();
                    self.judge(&value, &place.key(&key), false, |check, subject| {
                        Members::tell_extra(check, &key, subject);
                        false
                    });
                    None
                }
                None => Some(tree.into_untyped()),
            };
            match made {
                Some(value) => members.push((key, value)),
                None => sound = false,
            }
        }
        let coerced = Coerced::Object(members);
        if !sound {
            return None;
        }
        let value = coerced.to_json();
        self.whole(id, &value, raw, place).then_some(coerced)
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
    let text = match coerced {
        Coerced::Text(text) | Coerced::Decimal(text) => Some(text),
        Coerced::Uuid { text, .. }
        | Coerced::Date { text, .. }
        | Coerced::DateTime { text, .. }
        | Coerced::Time { text, .. }
        | Coerced::Duration { text, .. } => Some(text),
        _ => None,
    };
    rules.number.as_ref().is_none_or(|wanted| num_of(coerced).is_none_or(|num| wanted.accepts(num)))
        && rules.text.as_ref().is_none_or(|wanted| text.is_none_or(|text| wanted.accepts_but_format(text)))
        && rules.choices.as_ref().is_none_or(|choices| choices.values.iter().any(|value| same(value, coerced)))
        && rules.constant.as_ref().is_none_or(|value| same(value, coerced))
}

/// Whether a made scalar is a listed value.
fn same(value: &Value, coerced: &Coerced<'_>) -> bool {
    match (value, coerced) {
        (Value::Number(_), Coerced::Int(_) | Coerced::BigInt(_) | Coerced::Float(_)) => {
            num_of(coerced).is_some_and(|num| equals(value, num))
        }
        (Value::Bool(choice), Coerced::Bool(flag)) => choice == flag,
        (
            Value::String(choice),
            Coerced::Text(text)
            | Coerced::Decimal(text)
            | Coerced::Uuid { text, .. }
            | Coerced::Date { text, .. }
            | Coerced::DateTime { text, .. }
            | Coerced::Time { text, .. }
            | Coerced::Duration { text, .. },
        ) => choice == text,
        _ => false,
    }
}

/// `enum` and `const` on a made scalar, told with the text it was made of.
fn listed(check: &mut Check<'_, '_>, rules: &Rules, coerced: &Coerced<'_>, subject: Subject<'_>) -> bool {
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
