//! Texts under bracketed names: `filter[name]=x`, `tags[]=a`, `rows[0][id]=1`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::coerced::Coerced;

/// Brackets inside each other.
const DEEPEST_NAME: usize = 16;
/// The highest index of a list.
const HIGHEST_INDEX: usize = 10_000;

/// A bracketed name that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// More than sixteen brackets.
    #[error("field name '{0}' is nested too deeply")]
    Depth(String),
    /// An index above ten thousand.
    #[error("index in field name '{0}' is too high")]
    Index(String),
    /// A name that is both a text and an object or list.
    #[error("field name '{0}' is used both as a value and as a container")]
    Conflict(String),
}

/// Texts of one name, or names below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree<'a> {
    Texts(Vec<Cow<'a, str>>),
    Named(Vec<(String, Tree<'a>)>),
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

impl<'a> Tree<'a> {
    /// Puts a text under steps. `[]` at the end adds to the list of texts.
    pub(crate) fn insert(&mut self, name: &str, steps: &[&str], text: Cow<'a, str>) -> Result<(), NameFault> {
        if steps.len() > DEEPEST_NAME {
            return Err(NameFault::Depth(name.to_owned()));
        }
        match steps {
            [] | [""] => match self {
                Self::Texts(texts) => {
                    texts.push(text);
                    Ok(())
                }
                Self::Named(members) if members.is_empty() => {
                    *self = Self::Texts(vec![text]);
                    Ok(())
                }
                Self::Named(_) => Err(NameFault::Conflict(name.to_owned())),
            },
            [step, rest @ ..] => {
                if is_index(step) && step.parse::<usize>().map_or(true, |index| index > HIGHEST_INDEX) {
                    return Err(NameFault::Index(name.to_owned()));
                }
                let members = match self {
                    Self::Named(members) => members,
                    Self::Texts(_) => return Err(NameFault::Conflict(name.to_owned())),
                };
                // `rows[][id]`: every such text begins a row of its own.
                let key = if step.is_empty() { members.len().to_string() } else { (*step).to_owned() };
                let at = members.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                    members.push((key, Self::Named(Vec::new())));
                    members.len() - 1
                });
                members[at].1.insert(name, rest, text)
            }
        }
    }

    pub(crate) fn are_indices(members: &[(String, Tree<'a>)]) -> bool {
        !members.is_empty() && members.iter().all(|(key, _)| is_index(key))
    }

    /// Holes close: only the order of the indices counts.
    pub(crate) fn in_index_order(mut members: Vec<(String, Tree<'a>)>) -> Vec<Tree<'a>> {
        members.sort_by_key(|(key, _)| key.parse::<usize>().unwrap_or(usize::MAX));
        members.into_iter().map(|(_, tree)| tree).collect()
    }

    /// What a tree is when no schema says more: one text, several as a list, indices as a list, else an object.
    pub(crate) fn into_untyped(self) -> Coerced<'a> {
        match self {
            Self::Texts(mut texts) if texts.len() == 1 => texts.pop().map_or(Coerced::Null, Coerced::Text),
            Self::Texts(texts) => Coerced::List(texts.into_iter().map(Coerced::Text).collect()),
            Self::Named(members) if Self::are_indices(&members) => {
                Coerced::List(Self::in_index_order(members).into_iter().map(Tree::into_untyped).collect())
            }
            Self::Named(members) => {
                Coerced::Object(members.into_iter().map(|(key, tree)| (key, tree.into_untyped())).collect())
            }
        }
    }

    /// As received, for fault inputs.
    pub(crate) fn to_json(&self) -> Value {
        let text = |text: &Cow<'_, str>| Value::String(text.clone().into_owned());
        match self {
            Self::Texts(texts) if texts.len() == 1 => text(&texts[0]),
            Self::Texts(texts) => Value::Array(texts.iter().map(text).collect()),
            Self::Named(members) => {
                Value::Object(members.iter().map(|(key, tree)| (key.clone(), tree.to_json())).collect::<Map<_, _>>())
            }
        }
    }
}

fn is_index(step: &str) -> bool {
    !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit())
}
