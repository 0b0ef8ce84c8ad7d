use std::sync::Arc;

use super::chart::Language;
use super::data::View;
use super::ecma;
use super::undefined::undefined;
use crate::source::read_json;
use crate::{Expr, Limits, Scope, Value};

/// An expression in the language of its chart. One that can't be compiled is an error when it is met.
#[derive(Debug)]
pub(super) struct Code {
    source: Arc<str>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Python(Expr),
    Ecma(ecma::Expression),
    Broken(Arc<str>),
}

impl Code {
    pub(super) fn compile(language: Language, source: &str) -> Self {
        let text = source.trim();
        let body = match language {
            Language::Python => Expr::compile(text)
                .map(Body::Python)
                .map_err(|error| error.to_string()),
            Language::Ecma => ecma::compile(text).map(Body::Ecma),
            Language::Null => match Expr::compile(text) {
                Ok(expr) if text.starts_with("In(") && expr.names().is_empty() => {
                    Ok(Body::Python(expr))
                }
                _ => Err("the null data model has nothing but In('state')".to_owned()),
            },
        };
        Self {
            source: text.into(),
            body: body.unwrap_or_else(|error| Body::Broken(error.into())),
        }
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Why it can't be compiled.
    pub(super) fn fault(&self) -> Option<&str> {
        match &self.body {
            Body::Broken(error) => Some(error),
            _ => None,
        }
    }

    pub(super) fn eval(&self, view: &View<'_>) -> Result<Value, String> {
        let told = |error: String| format!("{}: {error}", self.source);
        match &self.body {
            Body::Python(expr) => expr
                .eval(view, &view.env())
                .map_err(|error| told(error.to_string())),
            Body::Ecma(expression) => expression.eval(view).map_err(told),
            Body::Broken(error) => Err(told(error.to_string())),
        }
    }

    pub(super) fn holds(&self, view: &View<'_>) -> Result<bool, String> {
        match &self.body {
            Body::Python(expr) => expr
                .holds(view, &view.env())
                .map_err(|error| format!("{}: {error}", self.source)),
            Body::Ecma(expression) => expression
                .eval(view)
                .map(|value| ecma::truth(&value))
                .map_err(|error| format!("{}: {error}", self.source)),
            Body::Broken(error) => Err(format!("{}: {error}", self.source)),
        }
    }
}

struct Nothing;

impl Scope for Nothing {
    fn get(&self, _name: &str) -> Option<Value> {
        None
    }
}

/// What text inside of an element means: a literal of the language, JSON, or the text with single blanks.
pub(super) fn literal(language: Language, text: &str) -> Value {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return if language == Language::Ecma {
            undefined()
        } else {
            Value::Null
        };
    }
    if let Ok(source) = read_json(trimmed, None) {
        return source.value;
    }
    if language == Language::Python
        && let Ok(expr) = Expr::compile(trimmed)
        && expr.names().is_empty()
        && let Ok(value) = expr.eval(&Nothing, &crate::Env::default())
    {
        return value;
    }
    if language == Language::Ecma
        && (trimmed.starts_with('[') || trimmed.starts_with('{'))
        && let Ok(expression) = ecma::compile(trimmed)
        && let Some(value) = expression.literal()
    {
        return value;
    }
    Value::text(trimmed.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Limits that both languages keep to.
pub(super) fn limits() -> Limits {
    Limits::default()
}
