use std::cmp::Ordering;
use std::sync::Arc;

use super::Tree;
use super::convert::{equal, key, kind, number, numeric, order, same, text, truth};
use super::library;
use crate::scxml::data::View;
use crate::scxml::undefined::{is_undefined, undefined};
use crate::{Map, Scope, Value};

/// Characters of a text or items of a list that an expression may make.
pub(super) const MAX_LENGTH: usize = 100_000;

pub(super) fn eval(tree: &Tree, view: &View<'_>) -> Result<Value, String> {
    match tree {
        Tree::Constant(value) => Ok(value.clone()),
        Tree::Name(name) => view
            .get(name)
            .ok_or_else(|| format!("'{name}' is not defined")),
        Tree::List(items) => items
            .iter()
            .map(|item| eval(item, view))
            .collect::<Result<_, _>>()
            .map(Value::list),
        Tree::Object(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(&**key, eval(value, view)?);
            }
            Ok(Value::map(map))
        }
        Tree::Member(object, name) => {
            if let Tree::Name(root) = &**object
                && view.get(root).is_none()
                && let Some(constant) = library::constant(root, name)
            {
                return Ok(constant);
            }
            member(&eval(object, view)?, name)
        }
        Tree::Index(object, index) => {
            let object = eval(object, view)?;
            let index = eval(index, view)?;
            item(&object, &index)
        }
        Tree::Call(name, arguments) => {
            let arguments = all(arguments, view)?;
            if let ("In", [state]) = (&**name, arguments.as_slice()) {
                return Ok(Value::Bool((view.is_active)(&text(state))));
            }
            library::call(name, &arguments)
        }
        Tree::Method(object, name, arguments) => {
            if let Tree::Name(root) = &**object
                && view.get(root).is_none()
            {
                let arguments = all(arguments, view)?;
                return library::call(&format!("{root}.{name}"), &arguments);
            }
            let object = eval(object, view)?;
            let arguments = all(arguments, view)?;
            library::method(&object, name, &arguments)
        }
        Tree::Unary("typeof", inner) => {
            if let Tree::Name(name) = &**inner
                && view.get(name).is_none()
            {
                return Ok(Value::text("undefined"));
            }
            Ok(Value::text(kind(&eval(inner, view)?)))
        }
        Tree::Unary(operator, inner) => {
            let value = eval(inner, view)?;
            Ok(match *operator {
                "!" => Value::Bool(!truth(&value)),
                "-" => match value {
                    Value::Int(number) if number != 0 && number != i64::MIN => Value::Int(-number),
                    value => Value::Float(-number(&value)),
                },
                "+" => numeric(number(&value)),
                "~" => Value::Int(i64::from(!bits(&value))),
                _ => undefined(),
            })
        }
        Tree::Binary(operator, left, right) => {
            let left = eval(left, view)?;
            // The right side of `instanceof` is the name of a class.
            if *operator == "instanceof" {
                return Ok(Value::Bool(is_instance(&left, right)));
            }
            binary(operator, &left, &eval(right, view)?)
        }
        Tree::And(left, right) => {
            let left = eval(left, view)?;
            if truth(&left) {
                eval(right, view)
            } else {
                Ok(left)
            }
        }
        Tree::Or(left, right) => {
            let left = eval(left, view)?;
            if truth(&left) {
                Ok(left)
            } else {
                eval(right, view)
            }
        }
        Tree::Else(left, right) => {
            let left = eval(left, view)?;
            if left.is_null() || is_undefined(&left) {
                eval(right, view)
            } else {
                Ok(left)
            }
        }
        Tree::Choice(parts) => {
            let (condition, chosen, other) = &**parts;
            eval(
                if truth(&eval(condition, view)?) {
                    chosen
                } else {
                    other
                },
                view,
            )
        }
    }
}

fn all(trees: &[Tree], view: &View<'_>) -> Result<Vec<Value>, String> {
    trees.iter().map(|tree| eval(tree, view)).collect()
}

/// The value of a tree with nothing but constants in it.
pub(super) fn literal(tree: &Tree) -> Option<Value> {
    match tree {
        Tree::Constant(value) => Some(value.clone()),
        Tree::List(items) => items
            .iter()
            .map(literal)
            .collect::<Option<_>>()
            .map(Value::list),
        Tree::Object(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(&**key, literal(value)?);
            }
            Some(Value::map(map))
        }
        Tree::Unary("-", inner) => match literal(inner)? {
            Value::Int(number) => Some(Value::Int(-number)),
            Value::Float(number) => Some(Value::Float(-number)),
            _ => None,
        },
        _ => None,
    }
}

fn is_instance(value: &Value, class: &Tree) -> bool {
    match class {
        Tree::Name(name) => match &**name {
            "Array" => value.as_items().is_some(),
            "Object" => value.as_items().is_some() || value.as_map().is_some(),
            _ => false,
        },
        _ => false,
    }
}

fn bits(value: &Value) -> i32 {
    let number = number(value);
    if number.is_finite() {
        (number.trunc() % 4_294_967_296.0) as i64 as i32
    } else {
        0
    }
}

fn binary(operator: &str, left: &Value, right: &Value) -> Result<Value, String> {
    Ok(match operator {
        "===" => Value::Bool(same(left, right)),
        "!==" => Value::Bool(!same(left, right)),
        "==" => Value::Bool(equal(left, right)),
        "!=" => Value::Bool(!equal(left, right)),
        "<" => Value::Bool(order(left, right) == Some(Ordering::Less)),
        ">" => Value::Bool(order(left, right) == Some(Ordering::Greater)),
        "<=" => Value::Bool(matches!(
            order(left, right),
            Some(Ordering::Less | Ordering::Equal)
        )),
        ">=" => Value::Bool(matches!(
            order(left, right),
            Some(Ordering::Greater | Ordering::Equal)
        )),
        "+" => add(left, right)?,
        "-" => numeric(number(left) - number(right)),
        "*" => numeric(number(left) * number(right)),
        "/" => numeric(number(left) / number(right)),
        "%" => numeric(number(left) % number(right)),
        "**" => numeric(number(left).powf(number(right))),
        "|" => Value::Int(i64::from(bits(left) | bits(right))),
        "^" => Value::Int(i64::from(bits(left) ^ bits(right))),
        "&" => Value::Int(i64::from(bits(left) & bits(right))),
        "<<" => Value::Int(i64::from(bits(left).wrapping_shl(bits(right) as u32))),
        ">>" => Value::Int(i64::from(bits(left).wrapping_shr(bits(right) as u32))),
        ">>>" => Value::Int(i64::from(
            (bits(left) as u32).wrapping_shr(bits(right) as u32),
        )),
        "in" => match right {
            Value::Map(map) => Value::Bool(map.get_key(&key(left)).is_some()),
            Value::List(items) | Value::Tuple(items) => {
                let at = number(left);
                Value::Bool(at.fract() == 0.0 && at >= 0.0 && (at as usize) < items.len())
            }
            other => return Err(format!("nothing is in a {}", kind(other))),
        },
        _ => return Err(format!("'{operator}' is not available")),
    })
}

fn add(left: &Value, right: &Value) -> Result<Value, String> {
    let is_primitive = |value: &Value| {
        !matches!(
            value,
            Value::Text(_) | Value::List(_) | Value::Tuple(_) | Value::Map(_)
        )
    };
    if is_primitive(left) && is_primitive(right) {
        return Ok(numeric(number(left) + number(right)));
    }
    checked(text(left) + &text(right))
}

/// A text that is not too long.
pub(super) fn checked(text: String) -> Result<Value, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("the text is longer than {MAX_LENGTH}"));
    }
    Ok(Value::Text(text.into()))
}

pub(super) fn member(object: &Value, name: &str) -> Result<Value, String> {
    if object.is_null() || is_undefined(object) {
        return Err(format!("{} has no '{name}'", text(object)));
    }
    let found = match (object, name) {
        (Value::Text(text), "length") => Some(Value::Int(text.encode_utf16().count() as i64)),
        (Value::List(items) | Value::Tuple(items), "length") => {
            Some(Value::Int(items.len() as i64))
        }
        (Value::Foreign(foreign), "length") => {
            foreign.length().map(|length| Value::Int(length as i64))
        }
        _ => object.member(name),
    };
    Ok(found.unwrap_or_else(undefined))
}

fn item(object: &Value, index: &Value) -> Result<Value, String> {
    match object {
        Value::Text(text) => {
            let at = number(index);
            if at.fract() == 0.0 && at >= 0.0 {
                let char = text.chars().nth(at as usize);
                return Ok(
                    char.map_or_else(undefined, |char| Value::Text(Arc::from(char.to_string())))
                );
            }
            member(object, &super::convert::text(index))
        }
        _ => member(object, &text(index)),
    }
}
