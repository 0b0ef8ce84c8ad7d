use std::any::Any;
use std::cmp::Ordering;
use std::fmt::{Debug, Display};
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::Map;

/// A value of a context or of a configuration: what JSON can say, Python's tuples and whole numbers of any size, and values
/// that only the host knows. Cloning one is cheap.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number that doesn't fit `Int`, and only such a one.
    Big(Arc<BigInt>),
    Float(f64),
    Text(Arc<str>),
    List(Arc<Vec<Value>>),
    Tuple(Arc<Vec<Value>>),
    Map(Arc<Map>),
    Foreign(Arc<dyn Foreign>),
}

/// A value of the host's own kind: a date, a decimal, an object of the application.
pub trait Foreign: Debug + Send + Sync {
    /// The value itself, for the host.
    fn as_any(&self) -> &dyn Any;
    /// The name of its type, as messages give it.
    fn type_name(&self) -> String;
    /// Its text, as `str()` gives it.
    fn text(&self) -> Result<String, String>;
    /// Whether it counts as true.
    fn truth(&self) -> Result<bool, String>;
    /// Whether it equals another value.
    fn equals(&self, other: &Value) -> bool;
    /// How it stands to another value; `Err` says why the two have no order.
    fn compare(&self, other: &Value) -> Result<Ordering, String>;
    /// An attribute of it that expressions may read, `None` where there is none.
    fn attribute(&self, name: &str) -> Option<Value>;

    /// Its text as code, as `repr()` gives it.
    fn repr(&self) -> Result<String, String> {
        self.text()
    }
    /// Its text under a format specification, `None` where it has no formats of its own.
    fn format(&self, _spec: &str) -> Option<Result<String, String>> {
        None
    }
    /// How many items it holds, `None` where that means nothing.
    fn length(&self) -> Option<usize> {
        None
    }
    /// Its items, `None` where it has none.
    fn items(&self) -> Option<Vec<Value>> {
        None
    }
    /// Whether it holds a value, `None` where that means nothing.
    fn contains(&self, _value: &Value) -> Option<Result<bool, String>> {
        None
    }
    /// The item under a key, `None` where there is none.
    fn item(&self, _key: &Value) -> Option<Value> {
        None
    }
    /// What an operator makes of it and another value, which stands to its left if `reflected`; `None` where it makes nothing.
    fn arithmetic(
        &self,
        _operator: &str,
        _other: &Value,
        _reflected: bool,
    ) -> Option<Result<Value, String>> {
        None
    }
    /// The number that `int()` and `float()` make of it, `None` where there is none.
    fn to_number(&self) -> Option<Value> {
        None
    }
    /// The time it means, in microseconds since 1970.
    fn moment(&self) -> Option<i64> {
        None
    }
    /// Whether it is the very same as another.
    fn is_same(&self, other: &dyn Foreign) -> bool {
        std::ptr::addr_eq(
            std::ptr::from_ref(self.as_any()),
            std::ptr::from_ref(other.as_any()),
        )
    }
}

impl Value {
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(text.as_ref().into())
    }

    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    pub fn map(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }

    /// A whole number in the smallest form that holds it.
    pub fn integer(number: BigInt) -> Self {
        match number.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::Big(Arc::new(number)),
        }
    }

    /// A member by its name: the entry of a mapping, the item of a list at that position, an attribute.
    pub fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Map(map) => map.get(name).cloned(),
            Self::List(items) | Self::Tuple(items) => name
                .parse()
                .ok()
                .and_then(|at: usize| items.get(at))
                .cloned(),
            Self::Foreign(foreign) if !name.starts_with('_') => foreign.attribute(name),
            _ => None,
        }
    }

    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Bool(_) | Self::Int(_) | Self::Big(_) | Self::Float(_)
        )
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items of a list or a tuple.
    pub fn as_items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The name of the type in Python, as messages give it.
    pub fn type_name(&self) -> String {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Map(_) => "dict",
            Self::Foreign(foreign) => return foreign.type_name(),
        }
        .to_owned()
    }
}

/// Python's equality: numbers by value whatever their type, true is 1, a list is no tuple.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Foreign(foreign), value) | (value, Self::Foreign(foreign)) => {
                foreign.equals(value)
            }
            (Self::Null, Self::Null) => true,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::List(left), Self::List(right)) | (Self::Tuple(left), Self::Tuple(right)) => {
                left == right
            }
            (Self::Map(left), Self::Map(right)) => left == right,
            _ => self.compare_numbers(other) == Some(Ordering::Equal),
        }
    }
}

impl Value {
    /// How two numbers stand to each other, exactly; `None` where one is no number or NaN.
    pub fn compare_numbers(&self, other: &Self) -> Option<Ordering> {
        match (self.as_number()?, other.as_number()?) {
            (Number::Int(left), Number::Int(right)) => Some(left.cmp(&right)),
            (Number::Float(left), Number::Float(right)) => left.partial_cmp(&right),
            (Number::Float(left), right) => compare_with_float(&right, left).map(Ordering::reverse),
            (left, Number::Float(right)) => compare_with_float(&left, right),
            (left, right) => Some(left.to_big()?.cmp(&right.to_big()?)),
        }
    }

    fn as_number(&self) -> Option<Number<'_>> {
        match self {
            Self::Bool(flag) => Some(Number::Int(i64::from(*flag))),
            Self::Int(number) => Some(Number::Int(*number)),
            Self::Big(number) => Some(Number::Big(number)),
            Self::Float(number) => Some(Number::Float(*number)),
            _ => None,
        }
    }
}

enum Number<'a> {
    Int(i64),
    Big(&'a BigInt),
    Float(f64),
}

impl Number<'_> {
    fn to_big(&self) -> Option<BigInt> {
        match self {
            Self::Int(number) => Some(BigInt::from(*number)),
            Self::Big(number) => Some((*number).clone()),
            Self::Float(_) => None,
        }
    }
}

/// Compares a whole number with a float without rounding either.
fn compare_with_float(whole: &Number<'_>, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float.is_infinite() {
        return Some(if float > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    let floor = num_traits::FromPrimitive::from_f64(float.floor()).map(|floor: BigInt| floor)?;
    let order = whole.to_big()?.cmp(&floor);
    // Equal to the part before the point: less, if there is a part behind it.
    Some(if order == Ordering::Equal && float.fract() != 0.0 {
        Ordering::Less
    } else {
        order
    })
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl Display for Value {
    /// As configurations show it in messages: texts in single quotes.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => formatter.write_str("None"),
            Self::Bool(flag) => formatter.write_str(if *flag { "True" } else { "False" }),
            Self::Int(number) => write!(formatter, "{number}"),
            Self::Big(number) => write!(formatter, "{number}"),
            Self::Float(number) => write!(formatter, "{number:?}"),
            Self::Text(text) => write!(formatter, "'{text}'"),
            Self::List(items) => write_items(formatter, '[', items, ']'),
            Self::Tuple(items) => write_items(formatter, '(', items, ')'),
            Self::Map(map) => {
                formatter.write_str("{")?;
                for (position, (key, value)) in map.iter().enumerate() {
                    let comma = if position == 0 { "" } else { ", " };
                    match key {
                        crate::Key::Text(text) => write!(formatter, "{comma}'{text}': {value}")?,
                        crate::Key::Int(number) => write!(formatter, "{comma}{number}: {value}")?,
                        crate::Key::Other(key, _) => write!(formatter, "{comma}{key}: {value}")?,
                    }
                }
                formatter.write_str("}")
            }
            Self::Foreign(foreign) => formatter.write_str(&foreign.text().unwrap_or_default()),
        }
    }
}

fn write_items(
    formatter: &mut std::fmt::Formatter<'_>,
    open: char,
    items: &[Value],
    close: char,
) -> std::fmt::Result {
    write!(formatter, "{open}")?;
    for (position, item) in items.iter().enumerate() {
        let comma = if position == 0 { "" } else { ", " };
        write!(formatter, "{comma}{item}")?;
    }
    write!(formatter, "{close}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value_and_true_is_one() {
        assert_eq!(Value::Int(1), Value::Float(1.0));
        assert_eq!(Value::Bool(true), Value::Int(1));
        assert_ne!(Value::Int(1), Value::text("1"));
        assert_ne!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        assert_ne!(Value::list(vec![]), Value::Tuple(Arc::new(vec![])));
    }

    #[test]
    fn large_whole_numbers_are_compared_without_rounding() {
        // 2^53 + 1 is no float; the nearest one is 2^53.
        let odd = Value::Int((1 << 53) + 1);
        let float = Value::Float(9_007_199_254_740_992.0);
        assert_eq!(odd.compare_numbers(&float), Some(Ordering::Greater));
        assert_eq!(float.compare_numbers(&odd), Some(Ordering::Less));
        assert_eq!(
            Value::Int(2).compare_numbers(&Value::Float(2.5)),
            Some(Ordering::Less)
        );
        assert_eq!(
            Value::Int(-2).compare_numbers(&Value::Float(-2.5)),
            Some(Ordering::Greater)
        );
    }

    #[test]
    fn a_whole_number_takes_the_smallest_form() {
        assert!(matches!(Value::integer(BigInt::from(7)), Value::Int(7)));
        assert!(matches!(
            Value::integer(BigInt::from(u64::MAX)),
            Value::Big(_)
        ));
    }
}
