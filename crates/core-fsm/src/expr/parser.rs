use std::sync::Arc;

use super::code::{Binary, Comparison, Op, Unary};
use super::error::{ExprError, ExprErrorKind};
use super::function::Function;
use super::lexer::tokenize;
use super::method::Method;
use super::token::{Token, TokenKind};
use crate::Value;

/// Source text, in characters.
const MAX_SOURCE: usize = 10_000;
/// Expressions inside each other.
const MAX_DEPTH: usize = 100;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Compiles a text while reading it.
pub(super) fn parse(source: &str) -> Result<Vec<Op>, ExprError> {
    let text: Vec<char> = source.chars().collect();
    if text.len() > MAX_SOURCE {
        return Err(ExprError::limit(format!(
            "an expression of {} characters; {MAX_SOURCE} are allowed",
            text.len()
        )));
    }
    parse_at(&text, 0, 0)
}

pub(super) fn parse_at(text: &[char], offset: usize, depth: usize) -> Result<Vec<Op>, ExprError> {
    let mut blank = 0;
    while text.get(blank).is_some_and(|char| char.is_whitespace()) {
        blank += 1;
    }
    let tokens = tokenize(&text[blank..]).map_err(|error| moved(error, offset + blank))?;
    let mut parser = Parser {
        tokens,
        at: 0,
        offset: offset + blank,
        depth,
        code: Vec::new(),
    };
    if matches!(parser.peek(), TokenKind::End) {
        return Err(ExprError::new(ExprErrorKind::Syntax, "an empty expression").at(offset));
    }
    parser.expressions()?;
    match parser.peek() {
        TokenKind::End => Ok(parser.code),
        other => Err(parser.unexpected(&other.clone())),
    }
}

/// Counts the position of an error from a place further on.
fn moved(error: ExprError, offset: usize) -> ExprError {
    let position = error.position().unwrap_or(0) + offset;
    let fresh = ExprError::new(error.kind(), error.message()).at(position);
    match error.advice() {
        Some(advice) => fresh.hint(advice),
        None => fresh,
    }
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    pub(super) at: usize,
    offset: usize,
    pub(super) depth: usize,
    pub(super) code: Vec<Op>,
}

impl Parser {
    pub(super) fn peek(&self) -> &TokenKind {
        // The last token is the end, and nothing goes beyond it.
        &self.tokens[self.at.min(self.tokens.len() - 1)].kind
    }

    pub(super) fn position(&self) -> usize {
        self.offset + self.tokens[self.at.min(self.tokens.len() - 1)].position
    }

    fn is(&self, operator: &str) -> bool {
        matches!(self.peek(), TokenKind::Operator(found) if *found == operator)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), TokenKind::Name(found) if **found == *word)
    }

    fn eat(&mut self, operator: &str) -> bool {
        let found = self.is(operator);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, operator: &str) -> Result<(), ExprError> {
        if self.eat(operator) {
            return Ok(());
        }
        if self.is_word("for") || self.is_word("async") {
            return Err(self.refused("comprehensions are not available"));
        }
        let found = self.peek().clone();
        Err(self
            .unexpected(&found)
            .hint(format!("'{operator}' should be here")))
    }

    fn unexpected(&self, found: &TokenKind) -> ExprError {
        let refused = match found {
            TokenKind::Operator("=") => {
                return self
                    .refused("assignments are not available")
                    .hint("== compares");
            }
            TokenKind::Operator(
                ":=" | "+=" | "-=" | "*=" | "/=" | "//=" | "%=" | "**=" | "&=" | "|=" | "^="
                | "<<=" | ">>=",
            ) => Some("assignments are not available"),
            TokenKind::Operator(";") => Some("only one expression is allowed"),
            TokenKind::Name(name) => match &**name {
                "lambda" => Some("lambda is not available"),
                "for" | "async" => Some("comprehensions are not available"),
                "await" => Some("await is not available"),
                "yield" => Some("yield is not available"),
                "import" | "from" => Some("import is not available"),
                _ => None,
            },
            _ => None,
        };
        match refused {
            Some(message) => self.refused(message),
            None => ExprError::new(
                ExprErrorKind::Syntax,
                format!("unexpected: {}", found.describe()),
            )
            .at(self.position()),
        }
    }

    fn refused(&self, message: &str) -> ExprError {
        ExprError::new(ExprErrorKind::Refused, message).at(self.position())
    }

    pub(super) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, ExprError>,
    ) -> Result<T, ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(
                ExprError::limit(format!("an expression of more than {MAX_DEPTH} levels"))
                    .at(self.position()),
            );
        }
        let result = parse(self)?;
        self.depth -= 1;
        Ok(result)
    }

    /// One expression, or a tuple without brackets.
    fn expressions(&mut self) -> Result<(), ExprError> {
        self.expression()?;
        if self.is(",") {
            let mut count = 1;
            while self.eat(",") && !self.ends_items() {
                self.expression()?;
                count += 1;
            }
            self.code.push(Op::Tuple(count));
        }
        Ok(())
    }

    fn ends_items(&self) -> bool {
        matches!(
            self.peek(),
            TokenKind::End | TokenKind::Operator(")" | "]" | "}")
        )
    }

    fn expression(&mut self) -> Result<(), ExprError> {
        self.nested(|parser| {
            let start = parser.code.len();
            parser.disjunction()?;
            if parser.eat_word("if") {
                // The condition comes first when it runs.
                let chosen = parser.code.split_off(start);
                parser.disjunction()?;
                if !parser.eat_word("else") {
                    let found = parser.peek().clone();
                    return Err(parser.unexpected(&found).hint("'else' should be here"));
                }
                parser.code.push(Op::Unless(chosen.len() + 1));
                parser.code.extend(chosen);
                let jump = parser.code.len();
                parser.code.push(Op::Jump(0));
                parser.expression()?;
                parser.code[jump] = Op::Jump(parser.code.len() - jump - 1);
            }
            Ok(())
        })
    }

    fn disjunction(&mut self) -> Result<(), ExprError> {
        self.until("or", Op::Or, Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<(), ExprError> {
        self.until("and", Op::And, Self::negation)
    }

    /// Operands with a word between them, of which the first that decides ends it.
    fn until(
        &mut self,
        word: &str,
        jump_to: fn(usize) -> Op,
        operand: fn(&mut Self) -> Result<(), ExprError>,
    ) -> Result<(), ExprError> {
        operand(self)?;
        let mut jumps = Vec::new();
        while self.eat_word(word) {
            jumps.push(self.code.len());
            self.code.push(jump_to(0));
            operand(self)?;
        }
        for jump in jumps {
            self.code[jump] = jump_to(self.code.len() - jump - 1);
        }
        Ok(())
    }

    fn negation(&mut self) -> Result<(), ExprError> {
        if self.eat_word("not") {
            self.nested(Self::negation)?;
            self.code.push(Op::Unary(Unary::Not));
            return Ok(());
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<(), ExprError> {
        self.binary(1)?;
        let mut chained = Vec::new();
        let mut next = self.comparison_operator()?;
        while let Some(operator) = next {
            self.binary(1)?;
            next = self.comparison_operator()?;
            if next.is_some() {
                chained.push(self.code.len());
                self.code.push(Op::Chain(operator, 0));
            } else {
                self.code.push(Op::Compare(operator));
            }
        }
        for link in chained {
            let length = self.code.len() - link - 1;
            if let Op::Chain(_, jump) = &mut self.code[link] {
                *jump = length;
            }
        }
        Ok(())
    }

    fn comparison_operator(&mut self) -> Result<Option<Comparison>, ExprError> {
        let operator = match self.peek() {
            TokenKind::Operator("==") => Comparison::Equal,
            TokenKind::Operator("!=") => Comparison::NotEqual,
            TokenKind::Operator("<") => Comparison::Less,
            TokenKind::Operator("<=") => Comparison::LessEqual,
            TokenKind::Operator(">") => Comparison::Greater,
            TokenKind::Operator(">=") => Comparison::GreaterEqual,
            TokenKind::Name(name) if **name == *"in" => Comparison::In,
            TokenKind::Name(name) if **name == *"is" => {
                self.at += 1;
                return Ok(Some(if self.eat_word("not") {
                    Comparison::IsNot
                } else {
                    Comparison::Is
                }));
            }
            TokenKind::Name(name) if **name == *"not" => {
                self.at += 1;
                if self.eat_word("in") {
                    return Ok(Some(Comparison::NotIn));
                }
                let found = self.peek().clone();
                return Err(self.unexpected(&found).hint("'in' should be here"));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(operator))
    }

    /// Operators that bind at least so strongly.
    fn binary(&mut self, strength: u8) -> Result<(), ExprError> {
        self.unary()?;
        loop {
            let (operator, found) = match self.peek() {
                TokenKind::Operator("|") => (Binary::Or, 1),
                TokenKind::Operator("^") => (Binary::Xor, 2),
                TokenKind::Operator("&") => (Binary::And, 3),
                TokenKind::Operator("<<") => (Binary::ShiftLeft, 4),
                TokenKind::Operator(">>") => (Binary::ShiftRight, 4),
                TokenKind::Operator("+") => (Binary::Add, 5),
                TokenKind::Operator("-") => (Binary::Subtract, 5),
                TokenKind::Operator("*") => (Binary::Multiply, 6),
                TokenKind::Operator("/") => (Binary::Divide, 6),
                TokenKind::Operator("//") => (Binary::FloorDivide, 6),
                TokenKind::Operator("%") => (Binary::Modulo, 6),
                _ => return Ok(()),
            };
            if found < strength {
                return Ok(());
            }
            self.at += 1;
            self.binary(found + 1)?;
            self.code.push(Op::Binary(operator));
        }
    }

    fn unary(&mut self) -> Result<(), ExprError> {
        let operator = match self.peek() {
            TokenKind::Operator("-") => Unary::Minus,
            TokenKind::Operator("+") => Unary::Plus,
            TokenKind::Operator("~") => Unary::Invert,
            _ => return self.power(),
        };
        self.at += 1;
        let start = self.code.len();
        self.nested(Self::unary)?;
        // A negative number is a constant; the last step of anything longer is not the whole of it.
        let whole = self.code.len() == start + 1;
        match (operator, self.code.last_mut().filter(|_| whole)) {
            (Unary::Minus, Some(Op::Constant(Value::Int(number)))) if *number != i64::MIN => {
                *number = -*number;
            }
            (Unary::Minus, Some(Op::Constant(Value::Float(number)))) => *number = -*number,
            _ => self.code.push(Op::Unary(operator)),
        }
        Ok(())
    }

    fn power(&mut self) -> Result<(), ExprError> {
        self.postfix()?;
        if self.eat("**") {
            self.nested(Self::unary)?;
            self.code.push(Op::Binary(Binary::Power));
        }
        Ok(())
    }

    fn postfix(&mut self) -> Result<(), ExprError> {
        let start = self.code.len();
        self.atom()?;
        loop {
            if self.eat(".") {
                self.member(start)?;
            } else if self.eat("[") {
                self.subscript()?;
            } else if self.is("(") {
                return Err(self
                    .refused("only functions and methods can be called")
                    .hint(Function::list()));
            } else {
                return Ok(());
            }
        }
    }

    fn member(&mut self, start: usize) -> Result<(), ExprError> {
        let position = self.position();
        let TokenKind::Name(name) = self.peek().clone() else {
            let found = self.peek().clone();
            return Err(self.unexpected(&found).hint("a name should be here"));
        };
        if KEYWORDS.contains(&&*name) {
            return Err(self.unexpected(&TokenKind::Name(name)));
        }
        if name.starts_with('_') {
            return Err(self
                .refused(&format!("the attribute '{name}' is private"))
                .at(position));
        }
        self.at += 1;
        if !self.eat("(") {
            let whole = self.code.len() == start + 1;
            match self.code.last_mut().filter(|_| whole) {
                Some(Op::Name(root)) => {
                    let path = [root.clone(), name].into();
                    self.code.pop();
                    self.code.push(Op::Path(path));
                }
                Some(Op::Path(path)) => {
                    *path = path.iter().cloned().chain([name]).collect();
                }
                _ => self.code.push(Op::Attribute(name)),
            }
            return Ok(());
        }
        let Some(method) = Method::named(&name) else {
            return Err(ExprError::new(
                ExprErrorKind::Refused,
                format!("the method '{name}' is not available"),
            )
            .at(position)
            .hint(Method::list()));
        };
        let count = self.arguments()?;
        self.code.push(Op::Method(method, count));
        Ok(())
    }

    /// What stands between the brackets of a call, and the closing one.
    fn arguments(&mut self) -> Result<usize, ExprError> {
        let mut count = 0;
        while !self.is(")") {
            if self.is("*") || self.is("**") {
                return Err(self.refused("unpacked arguments are not available"));
            }
            if matches!(self.peek(), TokenKind::Name(_))
                && matches!(
                    self.tokens.get(self.at + 1).map(|token| &token.kind),
                    Some(TokenKind::Operator("="))
                )
            {
                return Err(self
                    .refused("arguments by name are not available")
                    .hint("give them in their order"));
            }
            self.expression()?;
            count += 1;
            if !self.eat(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(count)
    }

    fn subscript(&mut self) -> Result<(), ExprError> {
        if self.is(":") {
            self.code.push(Op::Constant(Value::Null));
        } else {
            self.expression()?;
            if self.is(",") {
                let mut count = 1;
                while self.eat(",") && !self.ends_items() {
                    self.expression()?;
                    count += 1;
                }
                self.code.push(Op::Tuple(count));
            }
            if self.eat("]") {
                self.code.push(Op::Index);
                return Ok(());
            }
        }
        self.expect(":")?;
        for last in [false, true] {
            if self.is(":") || self.is("]") {
                self.code.push(Op::Constant(Value::Null));
            } else {
                self.expression()?;
            }
            if !last && !self.eat(":") {
                self.code.push(Op::Constant(Value::Null));
                break;
            }
        }
        self.expect("]")?;
        self.code.push(Op::Slice);
        Ok(())
    }

    fn atom(&mut self) -> Result<(), ExprError> {
        let token = self.peek().clone();
        match &token {
            TokenKind::Constant(Value::Text(_)) | TokenKind::Template { .. } => self.texts(),
            TokenKind::Constant(value) => {
                self.at += 1;
                self.code.push(Op::Constant(value.clone()));
                Ok(())
            }
            TokenKind::Name(name) => self.name(name),
            TokenKind::Operator("(") => {
                self.at += 1;
                if self.eat(")") {
                    self.code.push(Op::Tuple(0));
                    return Ok(());
                }
                self.expressions()?;
                self.expect(")")
            }
            TokenKind::Operator("[") => {
                self.at += 1;
                let count = self.items("]")?;
                self.code.push(Op::List(count));
                Ok(())
            }
            TokenKind::Operator("{") => {
                self.at += 1;
                self.entries()
            }
            TokenKind::Operator("*" | "**") => Err(self.refused("unpacking is not available")),
            _ => Err(self.unexpected(&token)),
        }
    }

    fn name(&mut self, name: &Arc<str>) -> Result<(), ExprError> {
        let constant = match &**name {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = constant {
            self.at += 1;
            self.code.push(Op::Constant(value));
            return Ok(());
        }
        if KEYWORDS.contains(&&**name) {
            return Err(self.unexpected(&TokenKind::Name(name.clone())));
        }
        let position = self.position();
        self.at += 1;
        if !self.eat("(") {
            self.code.push(Op::Name(name.clone()));
            return Ok(());
        }
        let Some(function) = Function::named(name) else {
            return Err(ExprError::new(
                ExprErrorKind::Refused,
                format!("the function '{name}' is not available"),
            )
            .at(position)
            .hint(Function::list()));
        };
        let count = self.arguments()?;
        function
            .check_count(count)
            .map_err(|error| error.at(position))?;
        self.code.push(Op::Call(function, count));
        Ok(())
    }

    fn items(&mut self, close: &str) -> Result<usize, ExprError> {
        let mut count = 0;
        while !self.is(close) {
            self.expression()?;
            count += 1;
            if !self.eat(",") {
                break;
            }
        }
        self.expect(close)?;
        Ok(count)
    }

    fn entries(&mut self) -> Result<(), ExprError> {
        let mut count = 0;
        while !self.is("}") {
            if self.is("**") {
                return Err(self.refused("unpacking is not available"));
            }
            self.expression()?;
            if count == 0 && (self.is(",") || self.is("}")) {
                return Err(self
                    .refused("sets are not available")
                    .hint("a list does for `in`"));
            }
            self.expect(":")?;
            self.expression()?;
            count += 1;
            if !self.eat(",") {
                break;
            }
        }
        self.expect("}")?;
        self.code.push(Op::Map(count));
        Ok(())
    }
}
