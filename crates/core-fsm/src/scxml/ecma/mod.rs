//! Expressions of ECMAScript, as far as charts use them.
//!
//! - `lexer`, `parser`: from text to a tree
//! - `eval`, `convert`: values of trees, and ECMAScript's ideas of truth, equality, numbers and texts
//! - `library`: functions and methods

mod convert;
mod eval;
mod lexer;
mod library;
mod parser;

pub(super) use convert::truth;
pub(super) use lexer::closing;

use std::sync::Arc;

use super::data::View;
use crate::Value;

/// An expression, compiled.
#[derive(Debug)]
pub(super) struct Expression(Tree);

pub(super) fn compile(text: &str) -> Result<Expression, String> {
    parser::parse(text).map(Expression)
}

impl Expression {
    pub(super) fn eval(&self, view: &View<'_>) -> Result<Value, String> {
        eval::eval(&self.0, view)
    }

    /// Its value, where it is a literal through and through.
    pub(super) fn literal(&self) -> Option<Value> {
        eval::literal(&self.0)
    }
}

#[derive(Debug)]
enum Tree {
    Constant(Value),
    Name(Arc<str>),
    List(Vec<Tree>),
    Object(Vec<(Arc<str>, Tree)>),
    Member(Box<Tree>, Arc<str>),
    Index(Box<Tree>, Box<Tree>),
    /// A function by its name.
    Call(Arc<str>, Vec<Tree>),
    Method(Box<Tree>, Arc<str>, Vec<Tree>),
    Unary(&'static str, Box<Tree>),
    Binary(&'static str, Box<Tree>, Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    /// `??`
    Else(Box<Tree>, Box<Tree>),
    Choice(Box<(Tree, Tree, Tree)>),
}
