use std::sync::Arc;

use super::function::Function;
use super::method::Method;
use crate::Value;

/// One step of a compiled expression, working on a stack. Jumps are relative, so that code can be moved.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    Constant(Value),
    Name(Arc<str>),
    /// A name and attributes of it, looked up in one go.
    Path(Arc<[Arc<str>]>),
    Unary(Unary),
    Binary(Binary),
    Compare(Comparison),
    /// Compares; goes on with the right value, or ends the chain with a false result.
    Chain(Comparison, usize),
    /// Leaves the value and jumps if it counts as false, else drops it.
    And(usize),
    Or(usize),
    /// Takes the value and jumps if it counts as false.
    Unless(usize),
    Jump(usize),
    List(usize),
    Tuple(usize),
    Map(usize),
    Attribute(Arc<str>),
    Index,
    Slice,
    Method(Method, usize),
    Call(Function, usize),
    /// Text of a value under a format: the specification lies above it.
    Format(Conversion),
    /// Puts texts together.
    Join(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Not,
    Minus,
    Plus,
    Invert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

impl Binary {
    /// How it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
            Self::Power => "**",
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::ShiftLeft => "<<",
            Self::ShiftRight => ">>",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Is => "is",
            Self::IsNot => "is not",
        }
    }
}

/// `!s`, `!r` or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    None,
    Text,
    Repr,
}
