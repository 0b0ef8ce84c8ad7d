use std::sync::Arc;

use super::code::{Conversion, Op};
use super::error::{ExprError, ExprErrorKind};
use super::format_spec::format;
use super::host::Env;
use super::index::{item, slice};
use super::meter::Meter;
use super::operation::{binary, truth, unary};
use super::order::{compare, key};
use super::repr::{repr, text};
use crate::{Map, Scope, Value};

/// Runs code on a stack of its own.
pub(super) fn run(code: &[Op], scope: &dyn Scope, env: &Env<'_>) -> Result<Value, ExprError> {
    let meter = Meter::new(env.limits);
    let mut stack: Vec<Value> = Vec::with_capacity(8);
    let mut at = 0;
    while let Some(op) = code.get(at) {
        meter.charge(1)?;
        at += 1;
        match op {
            Op::Constant(value) => stack.push(value.clone()),
            Op::Name(name) => stack.push(look_up(scope, name)?),
            Op::Path(path) => stack.push(look_up_path(scope, path)?),
            Op::Unary(operator) => {
                let value = pop(&mut stack);
                stack.push(unary(*operator, &value)?);
            }
            Op::Binary(operator) => {
                let right = pop(&mut stack);
                let left = pop(&mut stack);
                stack.push(binary(&meter, *operator, &left, &right)?);
            }
            Op::Compare(operator) => {
                let right = pop(&mut stack);
                let left = pop(&mut stack);
                stack.push(Value::Bool(compare(&meter, *operator, &left, &right)?));
            }
            Op::Chain(operator, jump) => {
                let right = pop(&mut stack);
                let left = pop(&mut stack);
                if compare(&meter, *operator, &left, &right)? {
                    stack.push(right);
                } else {
                    stack.push(Value::Bool(false));
                    at += jump;
                }
            }
            Op::And(jump) | Op::Or(jump) => {
                let stop = matches!(op, Op::Or(_));
                if stack.last().map(truth).transpose()? == Some(stop) {
                    at += jump;
                } else {
                    stack.pop();
                }
            }
            Op::Unless(jump) => {
                if !truth(&pop(&mut stack))? {
                    at += jump;
                }
            }
            Op::Jump(jump) => at += jump,
            Op::List(count) => {
                let items = take(&mut stack, *count);
                stack.push(Value::list(items));
            }
            Op::Tuple(count) => {
                let items = take(&mut stack, *count);
                stack.push(Value::Tuple(Arc::new(items)));
            }
            Op::Map(count) => {
                let mut entries = take(&mut stack, count * 2).into_iter();
                let mut map = Map::new();
                while let (Some(name), Some(value)) = (entries.next(), entries.next()) {
                    map.insert(key(&meter, &name)?, value);
                }
                stack.push(Value::map(map));
            }
            Op::Attribute(name) => {
                let value = pop(&mut stack);
                stack.push(attribute(&value, name)?);
            }
            Op::Index => {
                let key = pop(&mut stack);
                let holder = pop(&mut stack);
                stack.push(item(&meter, &holder, &key)?);
            }
            Op::Slice => {
                let bounds = take(&mut stack, 3);
                let holder = pop(&mut stack);
                stack.push(slice(
                    &meter,
                    &holder,
                    [&bounds[0], &bounds[1], &bounds[2]],
                )?);
            }
            Op::Method(method, count) => {
                let arguments = take(&mut stack, *count);
                let object = pop(&mut stack);
                stack.push(method.call(&meter, &object, &arguments)?);
            }
            Op::Call(function, count) => {
                let arguments = take(&mut stack, *count);
                stack.push(function.call(&meter, env, &arguments)?);
            }
            Op::Format(conversion) => {
                let spec = pop(&mut stack);
                let value = pop(&mut stack);
                let value = match conversion {
                    Conversion::None => value,
                    Conversion::Text => Value::text(text(&meter, &value)?),
                    Conversion::Repr => Value::text(repr(&meter, &value)?),
                };
                let shown = format(&meter, &value, spec.as_text().unwrap_or_default())?;
                stack.push(meter.text(shown)?);
            }
            Op::Join(count) => {
                let parts = take(&mut stack, *count);
                let length: usize = parts.iter().filter_map(Value::as_text).map(str::len).sum();
                meter.check_length(length / 4)?;
                let whole = parts.iter().filter_map(Value::as_text).collect();
                stack.push(meter.text(whole)?);
            }
        }
    }
    Ok(pop(&mut stack))
}

/// The compiler leaves on the stack what the next step takes.
fn pop(stack: &mut Vec<Value>) -> Value {
    stack.pop().unwrap_or(Value::Null)
}

fn take(stack: &mut Vec<Value>, count: usize) -> Vec<Value> {
    stack.split_off(stack.len().saturating_sub(count))
}

/// A name in the scope, or one of the constants that JSON has.
pub(super) fn look_up(scope: &dyn Scope, name: &str) -> Result<Value, ExprError> {
    match scope.get(name) {
        Some(value) => Ok(value),
        None => match name {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => Err(undefined(name)),
        },
    }
}

fn undefined(name: &str) -> ExprError {
    ExprError::new(ExprErrorKind::Name, format!("'{name}' is not defined"))
}

fn look_up_path(scope: &dyn Scope, path: &[Arc<str>]) -> Result<Value, ExprError> {
    scope.walk(path).map_err(|missing| match missing {
        0 => undefined(&path[0]),
        at => no_attribute(&path[at]),
    })
}

fn attribute(value: &Value, name: &str) -> Result<Value, ExprError> {
    value.member(name).ok_or_else(|| no_attribute(name))
}

fn no_attribute(name: &str) -> ExprError {
    ExprError::new(
        ExprErrorKind::Attribute,
        format!("Attribute '{name}' does not exist"),
    )
}
