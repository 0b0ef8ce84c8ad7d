use std::sync::Arc;

use super::Tree;
use super::lexer::{Token, tokenize};
use crate::Value;
use crate::scxml::undefined::undefined;

const MAX_SOURCE: usize = 40_000;
const MAX_DEPTH: usize = 100;
/// Operators, members and calls: chains of them make trees deep, too.
const MAX_LINKS: usize = 500;
const RESERVED: [&str; 32] = [
    "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
    "delete", "do", "else", "enum", "export", "extends", "finally", "for", "function", "if",
    "import", "let", "new", "return", "super", "switch", "this", "throw", "try", "var", "while",
    "with", "yield",
];

pub(super) fn parse(text: &str) -> Result<Tree, String> {
    if text.len() > MAX_SOURCE {
        return Err(format!(
            "an expression of {} bytes; {MAX_SOURCE} are allowed",
            text.len()
        ));
    }
    let mut parser = Parser {
        tokens: tokenize(text)?,
        at: 0,
        depth: 0,
        links: 0,
    };
    if parser.peek() == &Token::End {
        return Err("an empty expression".to_owned());
    }
    let tree = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => Err(parser.unexpected()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    links: usize,
}

/// Operators that stand between two values, and how strongly they bind.
fn strength(operator: &str) -> Option<u8> {
    Some(match operator {
        "|" => 4,
        "^" => 5,
        "&" => 6,
        "==" | "!=" | "===" | "!==" => 7,
        "<" | ">" | "<=" | ">=" | "in" | "instanceof" => 8,
        "<<" | ">>" | ">>>" => 9,
        "+" | "-" => 10,
        "*" | "/" | "%" => 11,
        _ => return None,
    })
}

impl Parser {
    fn peek(&self) -> &Token {
        // The last token is the end, and nothing goes beyond it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn eat(&mut self, operator: &str) -> bool {
        let found = matches!(self.peek(), Token::Operator(found) if *found == operator);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, operator: &str) -> Result<(), String> {
        if self.eat(operator) {
            return Ok(());
        }
        Err(format!(
            "{}; '{operator}' should be here",
            self.unexpected()
        ))
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Token::Constant(value) => format!("unexpected: {value}"),
            Token::Name(name) => format!("unexpected: '{name}'"),
            Token::Operator("=") => {
                "unexpected: '='; assignments are not available here".to_owned()
            }
            Token::Operator(operator) => format!("unexpected: '{operator}'"),
            Token::End => "unexpected: the end".to_owned(),
        }
    }

    fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<Tree, String>,
    ) -> Result<Tree, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("an expression of more than {MAX_DEPTH} levels"));
        }
        let tree = parse(self)?;
        self.depth -= 1;
        Ok(tree)
    }

    fn link(&mut self) -> Result<(), String> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(format!("an expression of more than {MAX_LINKS} operators"));
        }
        Ok(())
    }

    fn expression(&mut self) -> Result<Tree, String> {
        self.nested(|parser| {
            let condition = parser.either()?;
            if !parser.eat("?") {
                return Ok(condition);
            }
            let chosen = parser.expression()?;
            parser.expect(":")?;
            let other = parser.expression()?;
            Ok(Tree::Choice(Box::new((condition, chosen, other))))
        })
    }

    fn either(&mut self) -> Result<Tree, String> {
        let mut left = self.both()?;
        loop {
            if self.eat("||") {
                left = Tree::Or(Box::new(left), Box::new(self.both()?));
            } else if self.eat("??") {
                left = Tree::Else(Box::new(left), Box::new(self.both()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn both(&mut self) -> Result<Tree, String> {
        let mut left = self.binary(4)?;
        while self.eat("&&") {
            left = Tree::And(Box::new(left), Box::new(self.binary(4)?));
        }
        Ok(left)
    }

    fn binary(&mut self, least: u8) -> Result<Tree, String> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek() {
                Token::Operator(operator) => *operator,
                Token::Name(name) if **name == *"in" => "in",
                Token::Name(name) if **name == *"instanceof" => "instanceof",
                _ => return Ok(left),
            };
            match strength(operator) {
                Some(found) if found >= least => {
                    self.at += 1;
                    let right = self.nested(|parser| parser.binary(found + 1))?;
                    left = Tree::Binary(operator, Box::new(left), Box::new(right));
                }
                _ => return Ok(left),
            }
        }
    }

    fn unary(&mut self) -> Result<Tree, String> {
        let operator = match self.peek() {
            Token::Operator(operator @ ("!" | "-" | "+" | "~")) => *operator,
            Token::Name(name) if **name == *"typeof" => "typeof",
            Token::Name(name) if **name == *"void" => "void",
            _ => return self.power(),
        };
        self.at += 1;
        let inner = self.nested(Self::unary)?;
        Ok(Tree::Unary(operator, Box::new(inner)))
    }

    fn power(&mut self) -> Result<Tree, String> {
        let base = self.postfix()?;
        if self.eat("**") {
            let exponent = self.nested(Self::unary)?;
            return Ok(Tree::Binary("**", Box::new(base), Box::new(exponent)));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Result<Tree, String> {
        let mut tree = self.atom()?;
        loop {
            self.link()?;
            if self.eat(".") {
                let Token::Name(name) = self.peek().clone() else {
                    return Err(format!("{}; a name should be here", self.unexpected()));
                };
                self.at += 1;
                tree = if self.eat("(") {
                    Tree::Method(Box::new(tree), name, self.items(")")?)
                } else {
                    Tree::Member(Box::new(tree), name)
                };
            } else if self.eat("[") {
                let index = self.expression()?;
                self.expect("]")?;
                tree = Tree::Index(Box::new(tree), Box::new(index));
            } else if self.eat("(") {
                let Tree::Name(name) = tree else {
                    return Err("only functions with names can be called".to_owned());
                };
                tree = Tree::Call(name, self.items(")")?);
            } else {
                return Ok(tree);
            }
        }
    }

    fn items(&mut self, close: &str) -> Result<Vec<Tree>, String> {
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.expression()?);
            if !self.eat(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn atom(&mut self) -> Result<Tree, String> {
        let token = self.peek().clone();
        let failed = self.unexpected();
        self.at += 1;
        match token {
            Token::Constant(value) => Ok(Tree::Constant(value)),
            Token::Name(name) => match &*name {
                "true" => Ok(Tree::Constant(Value::Bool(true))),
                "false" => Ok(Tree::Constant(Value::Bool(false))),
                "null" => Ok(Tree::Constant(Value::Null)),
                "undefined" => Ok(Tree::Constant(undefined())),
                "NaN" => Ok(Tree::Constant(Value::Float(f64::NAN))),
                "Infinity" => Ok(Tree::Constant(Value::Float(f64::INFINITY))),
                word if RESERVED.contains(&word) => Err(failed),
                _ => Ok(Tree::Name(name)),
            },
            Token::Operator("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Operator("[") => self.items("]").map(Tree::List),
            Token::Operator("{") => self.object(),
            _ => Err(failed),
        }
    }

    fn object(&mut self) -> Result<Tree, String> {
        let mut entries: Vec<(Arc<str>, Tree)> = Vec::new();
        while !self.eat("}") {
            let key = match self.peek().clone() {
                Token::Name(name) | Token::Constant(Value::Text(name)) => name,
                Token::Constant(Value::Int(number)) => number.to_string().into(),
                _ => return Err(format!("{}; a key should be here", self.unexpected())),
            };
            self.at += 1;
            self.expect(":")?;
            entries.push((key, self.expression()?));
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Tree::Object(entries))
    }
}
