use crate::Value;

/// Where names are looked up: the context of an event, whatever holds it. A lookup happens when a check or an expression
/// needs it, so what isn't asked for is never converted.
pub trait Scope {
    /// The value under a name, or `None` where there is none; a null that is there is `Some(Value::Null)`.
    fn get(&self, name: &str) -> Option<Value>;
}

impl Scope for crate::Map {
    fn get(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }
}
