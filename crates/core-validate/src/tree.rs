//! Texts under bracketed names: `filter[name]=x`, `tags[]=a`, `rows[0][id]=1`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::coerced::Coerced;
use crate::form_value::FormValue;

/// Brackets inside each other.
pub(crate) const DEEPEST_NAME: usize = 16;

/// A name used both for a text and for what holds texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict;

/// Texts (or files) of one name, or names below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree<'a> {
    Texts(Vec<FormValue<'a>>),
    /// Texts whose name said that they are a list: `tags[]`.
    Listed(Vec<FormValue<'a>>),
    Named(Names<'a>),
}

/// Up to this many names are compared one by one.
const LINEAR: usize = 16;

/// Names in the order they came, each with what is under it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Names<'a> {
    entries: Vec<(String, Tree<'a>)>,
    /// Filled once there are many: a hostile form must not buy squares.
    index: HashMap<String, usize>,
}

/// The steps of a bracketed name; the first is what stands before the brackets. None when the brackets are not in
/// order: such a name is meant literally.
pub(crate) fn steps(name: &str) -> Option<Vec<&str>> {
    let open = name.find('[')?;
    let mut steps = vec![&name[..open]];
    let mut rest = &name[open..];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let close = inner.find(']')?;
        steps.push(&inner[..close]);
        rest = &inner[close + 1..];
    }
    Some(steps)
}

impl<'a> Names<'a> {
    fn position(&self, name: &str) -> Option<usize> {
        if self.entries.len() <= LINEAR {
            return self.entries.iter().position(|(known, _)| known == name);
        }
        self.index.get(name).copied()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is under a name, made if it is new.
    fn under(&mut self, name: String) -> &mut Tree<'a> {
        let at = self.position(&name).unwrap_or_else(|| {
            let at = self.entries.len();
            if at == LINEAR {
                self.index = self
                    .entries
                    .iter()
                    .enumerate()
                    .map(|(at, (known, _))| (known.clone(), at))
                    .collect();
            }
            if at >= LINEAR {
                self.index.insert(name.clone(), at);
            }
            self.entries.push((name, Tree::Named(Names::default())));
            at
        });
        &mut self.entries[at].1
    }

    /// Puts a text under steps, at least one. `[]` at the end adds to the texts of what is before it.
    pub(crate) fn insert(&mut self, steps: &[&str], text: FormValue<'a>) -> Result<(), Conflict> {
        let Some((step, rest)) = steps.split_first() else {
            return Err(Conflict);
        };
        // `rows[][id]`: every such text begins a row of its own.
        let name = if step.is_empty() {
            self.entries.len().to_string()
        } else {
            (*step).to_owned()
        };
        self.put(name, rest, text)
    }

    /// As `insert`, with the first step taken as it is.
    pub(crate) fn put(
        &mut self,
        name: String,
        rest: &[&str],
        text: FormValue<'a>,
    ) -> Result<(), Conflict> {
        let tree = self.under(name);
        match (rest, &mut *tree) {
            ([] | [""], Tree::Texts(texts) | Tree::Listed(texts)) => {
                texts.push(text);
                Ok(())
            }
            ([] | [""], Tree::Named(names)) if names.is_empty() => {
                *tree = if rest.is_empty() {
                    Tree::Texts(vec![text])
                } else {
                    Tree::Listed(vec![text])
                };
                Ok(())
            }
            ([_, ..], Tree::Named(names)) if rest != [""] => names.insert(rest, text),
            _ => Err(Conflict),
        }
    }

    pub(crate) fn are_indices(&self) -> bool {
        !self.is_empty() && self.entries.iter().all(|(name, _)| is_index(name))
    }

    /// Holes close: only the order of the indices counts.
    pub(crate) fn in_index_order(mut self) -> Vec<Tree<'a>> {
        self.entries
            .sort_by_key(|(name, _)| name.parse::<usize>().unwrap_or(usize::MAX));
        self.entries.into_iter().map(|(_, tree)| tree).collect()
    }

    pub(crate) fn into_entries(self) -> Vec<(String, Tree<'a>)> {
        self.entries
    }

    pub(crate) fn into_untyped(self) -> Vec<(String, Coerced<'a>)> {
        self.entries
            .into_iter()
            .map(|(name, tree)| (name, tree.into_untyped()))
            .collect()
    }

    /// As received, for fault inputs.
    pub(crate) fn to_json(&self) -> Value {
        Value::Object(
            self.entries
                .iter()
                .map(|(name, tree)| (name.clone(), tree.to_json()))
                .collect::<Map<_, _>>(),
        )
    }
}

impl<'a> Tree<'a> {
    /// What a tree is when no schema says more: one text, several as a list, indices as a list, else an object.
    pub(crate) fn into_untyped(self) -> Coerced<'a> {
        match self {
            Self::Texts(mut texts) if texts.len() == 1 => {
                texts.pop().map_or(Coerced::Null, FormValue::into_untyped)
            }
            Self::Texts(texts) | Self::Listed(texts) => {
                Coerced::List(texts.into_iter().map(FormValue::into_untyped).collect())
            }
            Self::Named(names) if names.are_indices() => Coerced::List(
                names
                    .in_index_order()
                    .into_iter()
                    .map(Tree::into_untyped)
                    .collect(),
            ),
            Self::Named(names) => Coerced::Object(names.into_untyped()),
        }
    }

    /// As received, for fault inputs.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Texts(texts) if texts.len() == 1 => texts[0].to_json(),
            Self::Texts(texts) | Self::Listed(texts) => {
                Value::Array(texts.iter().map(FormValue::to_json).collect())
            }
            Self::Named(names) => names.to_json(),
        }
    }
}

pub(crate) fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}
