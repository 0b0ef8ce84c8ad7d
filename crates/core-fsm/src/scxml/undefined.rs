use std::any::Any;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use crate::{Foreign, Value};

/// ECMAScript's value of what has none.
#[derive(Debug)]
struct Undefined;

static UNDEFINED: LazyLock<Arc<Undefined>> = LazyLock::new(|| Arc::new(Undefined));

pub(super) fn undefined() -> Value {
    Value::Foreign(UNDEFINED.clone())
}

pub(super) fn is_undefined(value: &Value) -> bool {
    matches!(value, Value::Foreign(foreign) if foreign.as_any().is::<Undefined>())
}

impl Foreign for Undefined {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn type_name(&self) -> String {
        "undefined".to_owned()
    }

    fn text(&self) -> Result<String, String> {
        Ok("undefined".to_owned())
    }

    fn truth(&self) -> Result<bool, String> {
        Ok(false)
    }

    fn equals(&self, other: &Value) -> bool {
        is_undefined(other)
    }

    fn compare(&self, _other: &Value) -> Result<Ordering, String> {
        Err("undefined has no order".to_owned())
    }

    fn attribute(&self, _name: &str) -> Option<Value> {
        None
    }
}

/// What a value is to somebody who knows no `undefined`.
pub fn defined(value: &Value) -> Value {
    match value {
        value if is_undefined(value) => Value::Null,
        Value::List(items) => Value::list(items.iter().map(defined).collect()),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, value)| (key.clone(), defined(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}
