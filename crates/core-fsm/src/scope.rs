use std::sync::Arc;

use crate::Value;

/// Where names are looked up: the context of an event, whatever holds it. A lookup happens when a check or an expression
/// needs it, so what isn't asked for is never converted.
pub trait Scope {
    /// The value under a name, or `None` where there is none; a null that is there is `Some(Value::Null)`.
    fn get(&self, name: &str) -> Option<Value>;

    /// The value at the end of a path of names, each a member of the one before; `Err` says which is the first that isn't there.
    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        let mut names = path.iter().enumerate();
        let mut value = match names.next() {
            Some((_, root)) => self.get(root).ok_or(0_usize)?,
            None => return Err(0),
        };
        for (at, name) in names {
            value = value.member(name).ok_or(at)?;
        }
        Ok(value)
    }
}

impl Scope for crate::Map {
    fn get(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }

    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        let Some((root, rest)) = path.split_first() else {
            return Err(0);
        };
        let mut value = self.get(root).ok_or(0_usize)?;
        for (at, name) in rest.iter().enumerate() {
            // Maps are walked where they are; anything else is asked.
            match value.as_map() {
                Some(map) => value = map.get(name).ok_or(at + 1)?,
                None => {
                    let mut value = value.clone();
                    for (at, name) in rest.iter().enumerate().skip(at) {
                        value = value.member(name).ok_or(at + 1)?;
                    }
                    return Ok(value);
                }
            }
        }
        Ok(value.clone())
    }
}
