use std::sync::Arc;

use crate::Value;

/// One token of an expression, and the character at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) position: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A number or a text.
    Constant(Value),
    /// The inside of an f-text, as it is written.
    Template {
        body: Arc<str>,
        raw: bool,
    },
    Name(Arc<str>),
    Operator(&'static str),
    End,
}

impl TokenKind {
    /// What it is called in messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Constant(Value::Text(_)) | Self::Template { .. } => "a text".to_owned(),
            Self::Constant(_) => "a number".to_owned(),
            Self::Name(name) => format!("'{name}'"),
            Self::Operator(operator) => format!("'{operator}'"),
            Self::End => "the end".to_owned(),
        }
    }
}
