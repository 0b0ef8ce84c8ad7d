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

/// What the schemas at one node say about the members of an object.
#[derive(Debug, Default)]
struct Claims<'s> {
    /// Those that hold for every value.
    always: Vec<&'s ObjectRules>,
    /// Those of alternatives, of which one holds or another.
    perhaps: Vec<&'s ObjectRules>,
}

impl<'s> Claims<'s> {
    /// The names that must be there, each once.
    fn required(&self) -> Vec<&'s str> {
        let mut names = Vec::new();
        for rules in &self.always {
            for slot in &rules.required {
                let name = &*rules.members[*slot].name;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    fn forbid(&self, key: &str, position: usize) -> bool {
        self.always.iter().any(|rules| {
            rules.additional == Additional::Forbidden && rules.named(key, position).is_none()
        })
    }
}

impl<'s> Coerce<'s, '_> {
    fn array_rules(&self, id: NodeId) -> Option<&'s ArrayRules> {
        self.search(id, &|rules| rules.array.is_some())
            .and_then(|rules| rules.array.as_ref())
    }

    /// What is said about members of an object at a node: first what always holds, then what its alternatives say.
    fn object_rules(&self, id: NodeId) -> Claims<'s> {
        let mut claims = Claims::default();
        self.claim(id, true, &mut claims);
        claims
    }

    fn claim(&self, id: NodeId, always: bool, claims: &mut Claims<'s>) {
        let Some(rules) = self.schema.rules(id) else {
            return;
        };
        if let Some(object) = &rules.object {
            let group = if always {
                &mut claims.always
            } else {
                &mut claims.perhaps
            };
            group.push(object);
        }
        let also = rules.reference.iter().chain(&rules.optional);
        for node in also.chain(&rules.all_of) {
            self.claim(*node, always, claims);
        }
        let (then, otherwise) = rules
            .condition
            .map_or((None, None), |(_, then, otherwise)| (then, otherwise));
        let alternatives = rules.any_of.iter().chain(&rules.one_of);
        for node in alternatives.chain(&then).chain(&otherwise) {
            self.claim(*node, false, claims);
        }
    }

    /// The node of a member: one that says its type, if any does.
    fn member(&self, claims: &Claims<'s>, key: &str, position: usize) -> Option<NodeId> {
        let mut first = None;
        for rules in claims.always.iter().chain(&claims.perhaps) {
            let Some(node) = rules.member(key, position) else {
                continue;
            };
            if self.guide(node).is_some() {
                return Some(node);
            }
            first = first.or(Some(node));
        }
        first
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
        let claims = self.object_rules(id);
        let raw = trees.to_json();
        let hidden = self.secret || self.schema.rules(id).is_some_and(|node| node.holds_secret);
        let mut sound = true;
        for name in claims.required() {
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
            let made = if claims.forbid(&key, position) {
                let value = tree.to_json();
                self.judge(&value, &place.key(&key), false, |check, subject| {
                    Members::tell_extra(check, &key, subject);
                    false
                });
                None
            } else {
                match self.member(&claims, &key, position) {
                    Some(node) => self.tree(node, tree, &place.key(&key)),
                    None => Some(tree.into_untyped()),
                }
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
