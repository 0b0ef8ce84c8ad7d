use std::fmt::{Display, Formatter};
use std::sync::Arc;

/// What kind of fault an expression has: which exception the host makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExprErrorKind {
    /// It is no expression.
    Syntax,
    /// It is one, of a kind that isn't allowed here.
    Refused,
    /// It or its result is too large, or takes too long.
    Limit,
    /// A name that is nowhere.
    Name,
    /// An attribute that is not there.
    Attribute,
    Type,
    Value,
    Index,
    Key,
    ZeroDivision,
    Overflow,
}

/// Why an expression can't be compiled or has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError(Box<Detail>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    kind: ExprErrorKind,
    message: String,
    position: Option<usize>,
    hint: Option<String>,
    source: Option<Arc<str>>,
}

impl ExprError {
    pub fn new(kind: ExprErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Detail {
            kind,
            message: message.into(),
            position: None,
            hint: None,
            source: None,
        }))
    }

    pub(crate) fn type_error(message: impl Into<String>) -> Self {
        Self::new(ExprErrorKind::Type, message)
    }

    pub(crate) fn value(message: impl Into<String>) -> Self {
        Self::new(ExprErrorKind::Value, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(ExprErrorKind::Limit, message)
    }

    /// Says where in the text it is, counted in characters from 0.
    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.0.position.get_or_insert(position);
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says which expression it was, where there are several.
    #[must_use]
    pub(crate) fn of(mut self, source: &Arc<str>) -> Self {
        self.0.source.get_or_insert_with(|| source.clone());
        self
    }

    pub fn kind(&self) -> ExprErrorKind {
        self.0.kind
    }

    /// What is wrong, without place and advice.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where, in characters from the beginning of the text; known for what can't be compiled.
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// The expression, where it was one of several.
    pub fn source_text(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// The advice, where there is any.
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl Display for ExprError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.message)?;
        if let Some(position) = self.0.position {
            write!(formatter, " at character {}", position + 1)?;
        }
        match &self.0.hint {
            Some(hint) => write!(formatter, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExprError {}
