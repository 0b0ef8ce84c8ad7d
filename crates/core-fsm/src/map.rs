use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::{Equivalent, IndexMap};

use crate::Value;

/// A key of a [`Map`]: nearly always text.
#[derive(Clone, Debug)]
pub enum Key {
    Text(Arc<str>),
    /// Whole numbers, with which 1, 1.0 and true are one key, as in Python.
    Int(i64),
    /// Any other hashable value; the second is the text that stands for it wherever only texts can.
    Other(Value, Arc<str>),
}

impl Key {
    /// The text of a text key.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Int(_) | Self::Other(..) => None,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Other(left, _), Self::Other(right, _)) => left == right,
            (Self::Other(value, _), Self::Int(number))
            | (Self::Int(number), Self::Other(value, _)) => value == &Value::Int(*number),
            _ => false,
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            // As `str` hashes, so that a text finds its key.
            Self::Text(text) => text.hash(state),
            Self::Int(number) => number.hash(state),
            Self::Other(value, _) => hash_value(value, state),
        }
    }
}

/// Hashes equal values alike: numbers by what they are worth, and what can equal values of other kinds by nothing.
fn hash_value<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Bool(flag) => i64::from(*flag).hash(state),
        Value::Int(number) => number.hash(state),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e18 => {
            (*number as i64).hash(state);
        }
        Value::Text(text) => text.hash(state),
        Value::Tuple(items) => {
            items.len().hash(state);
            for item in items.iter() {
                hash_value(item, state);
            }
        }
        _ => 0_u8.hash(state),
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_text() == Some(self)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

/// A mapping that keeps the order of its entries. Two are equal when their entries are, in whatever order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(IndexMap<Key, Value>);

impl Map {
    pub fn new() -> Self {
        Self::default()
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value under any key.
    pub fn get_key(&self, key: &Key) -> Option<&Value> {
        self.0.get(key)
    }

    /// Puts a value in; an entry that is there already keeps its place.
    pub fn insert(&mut self, key: impl Into<Key>, value: Value) -> Option<Value> {
        self.0.insert(key.into(), value)
    }

    /// Takes an entry out, the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Key, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_finds_its_key_and_no_number() {
        let mut map = Map::new();
        map.insert("1", Value::Bool(true));
        map.insert(Key::Int(1), Value::Null);
        assert_eq!(map.get("1"), Some(&Value::Bool(true)));
        assert_eq!(map.get_key(&Key::Int(1)), Some(&Value::Null));
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn order_is_kept_but_no_part_of_equality() {
        let first: Map = [("a".into(), Value::Int(1)), ("b".into(), Value::Int(2))]
            .into_iter()
            .collect();
        let second: Map = [("b".into(), Value::Int(2)), ("a".into(), Value::Int(1))]
            .into_iter()
            .collect();
        assert_eq!(first, second);
        assert_eq!(
            second
                .iter()
                .filter_map(|(key, _)| key.as_text())
                .collect::<Vec<_>>(),
            ["b", "a"]
        );
    }
}
