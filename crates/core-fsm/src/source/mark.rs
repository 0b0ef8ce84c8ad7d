use crate::config::{Path, PathStep};
use crate::{Key, Value};

/// A place in a text, both numbers from one; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Where a value stands in its text, and where its parts do.
#[derive(Clone, Debug)]
pub struct Mark {
    pub position: Position,
    /// The marks of the items of a list, or of the entries of a mapping, in their order.
    pub(super) parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Where the key stands, for an entry of a mapping.
    pub(super) key: Option<Position>,
    pub(super) mark: Mark,
}

impl Mark {
    pub(super) fn leaf(position: Position) -> Self {
        Self {
            position,
            parts: Vec::new(),
        }
    }

    /// The place of what a path leads to; of the last part on the way that is there, if the path goes on beyond the text.
    pub fn find(&self, value: &Value, path: &Path) -> Position {
        let (mut mark, mut value) = (self, value);
        let mut position = self.position;
        for step in path.steps() {
            let index = match (step, value) {
                (PathStep::Index(index), Value::List(_)) => Some(*index),
                (PathStep::Key(key), Value::Map(map)) => {
                    map.iter().position(|(candidate, _)| match candidate {
                        Key::Text(text) | Key::Other(_, text) => text == key,
                        Key::Int(number) => number.to_string() == **key,
                    })
                }
                _ => None,
            };
            let Some((index, part)) = index.and_then(|index| Some((index, mark.parts.get(index)?)))
            else {
                return position;
            };
            position = part.key.unwrap_or(part.mark.position);
            mark = &part.mark;
            let next = match value {
                Value::List(items) => items.get(index),
                Value::Map(map) => map.iter().nth(index).map(|(_, value)| value),
                _ => None,
            };
            match next {
                Some(next) => value = next,
                None => return position,
            }
        }
        // The value says more than its key, where it stands on the same line.
        if mark.position.line == position.line {
            mark.position
        } else {
            position
        }
    }
}
