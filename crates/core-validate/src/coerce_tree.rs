//! Lists and objects of texts into the types a schema declares.

use std::borrow::Cow;

use serde_json::Value;

use crate::check_object::Members;
use crate::coerce::Coerce;
use crate::coerced::Coerced;
use crate::fault::FaultKind;
use crate::form_value::FormValue;
use crate::object::{Additional, ObjectRules};
use crate::place::{Place, shown};
use crate::schema::{ArrayRules, Flow, Node, NodeId, Schema, kind};
use crate::tree::{Names, Tree};

/// The kinds of values that a single text can be.
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
        match (
            kinds & kind::ARRAY != 0,
            kinds & kind::OBJECT != 0,
            kinds & SCALARS != 0,
        ) {
            (true, _, false) => Self::List,
            (true, _, true) => Self::Either,
            (false, true, false) => Self::Object,
            _ => Self::Scalar,
        }
    }
}

impl<'s> Coerce<'s, '_> {
    fn array_rules(&self, id: NodeId) -> Option<&'s ArrayRules> {
        self.search(id, &|rules| rules.array.is_some())
            .and_then(|rules| rules.array.as_ref())
    }

    fn object_rules(&self, id: NodeId) -> Option<&'s ObjectRules> {
        self.search(id, &|rules| rules.object.is_some())
            .and_then(|rules| rules.object.as_ref())
    }

    /// Any number of texts for a list node.
    pub(crate) fn list<'a>(
        &mut self,
        id: NodeId,
        texts: Vec<Cow<'a, str>>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        self.trees(
            id,
            texts
                .into_iter()
                .map(|text| Tree::Texts(vec![text.into()]))
                .collect(),
            place,
        )
    }

    fn trees<'a>(
        &mut self,
        id: NodeId,
        trees: Vec<Tree<'a>>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
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
        let Some(node) = self.schema.rules(id) else {
            return true;
        };
        if !node.is_plain() || node.choices.is_some() || node.constant.is_some() {
            return self.whole(id, &value, raw, place);
        }
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        self.judge(&raw, place, node.holds_secret, |check, subject| {
            rules.is_none_or(|rules| check.list(rules, items, subject))
        })
    }

    /// Texts by name, or one or several texts, for any node.
    pub(crate) fn tree<'a>(
        &mut self,
        id: NodeId,
        tree: Tree<'a>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let shape = Shape::of(self.schema, id);
        match tree {
            _ if matches!(self.schema.nodes[id], Node::Any) => Some(tree.into_untyped()),
            Tree::Texts(mut texts) | Tree::Listed(mut texts) => {
                if shape == Shape::List && matches!(texts[..], [FormValue::Json(Value::Array(_))]) {
                    // One part that is the whole list.
                    return texts
                        .pop()
                        .and_then(|whole| self.form_value(id, whole, place));
                }
                if shape == Shape::List || (shape == Shape::Either && texts.len() > 1) {
                    let trees = texts.into_iter().map(|text| Tree::Texts(vec![text]));
                    return self.trees(id, trees.collect(), place);
                }
                match texts.pop() {
                    Some(last) => self.form_value(id, last, place),
                    None => Some(Coerced::List(Vec::new())),
                }
            }
            Tree::Named(members) if shape == Shape::List && members.are_indices() => {
                self.trees(id, members.in_index_order(), place)
            }
            Tree::Named(members) => self.object(id, members, place),
        }
    }

    /// Texts by name for an object node.
    pub(crate) fn object<'a>(
        &mut self,
        id: NodeId,
        trees: Names<'a>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let Some(rules) = self.object_rules(id) else {
            let coerced = Coerced::Object(trees.into_untyped());
            let value = coerced.to_json();
            return self
                .whole(id, &value, value.clone(), place)
                .then_some(coerced);
        };
        let raw = trees.to_json();
        let hidden = self.secret || self.schema.rules(id).is_some_and(|node| node.holds_secret);
        let mut sound = true;
        for slot in &rules.required {
            let name = &*rules.members[*slot].name;
            if !trees.has(name) {
                sound = false;
                self.sink
                    .tell(&place.key(name), FaultKind::Missing, |fault| {
                        "Field required".clone_into(&mut fault.msg);
                        fault.input = if self.form {
                            shown(&raw, hidden)
                        } else {
                            Some(Value::Null)
                        };
                    });
            }
        }
        let mut members = Vec::new();
        for (position, (key, tree)) in trees.into_entries().into_iter().enumerate() {
            let named = rules
                .find(&key, position)
                .and_then(|slot| rules.members[slot].node);
            let by_pattern = || {
                rules
                    .patterns
                    .iter()
                    .find(|(pattern, _)| pattern.is_match(&key))
                    .map(|(_, node)| *node)
            };
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
