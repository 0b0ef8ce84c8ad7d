//! Texts and f-texts: the part of the parser that reads them.

use super::code::{Conversion, Op};
use super::error::{ExprError, ExprErrorKind};
use super::parser::{Parser, parse_at};
use super::template_literal::{Part, split_template};
use super::token::TokenKind;
use crate::Value;

impl Parser {
    /// Texts that stand beside each other are one.
    pub(super) fn texts(&mut self) -> Result<(), ExprError> {
        let mut constant = String::new();
        let mut parts = 0;
        loop {
            let position = self.position();
            match self.peek().clone() {
                TokenKind::Constant(Value::Text(text)) => constant.push_str(&text),
                TokenKind::Template { body, raw } => {
                    let body: Vec<char> = body.chars().collect();
                    parts += self.template(&body, raw, position, &mut constant, 0)?;
                }
                _ => break,
            }
            self.at += 1;
        }
        if parts == 0 || !constant.is_empty() {
            self.code.push(Op::Constant(Value::text(&constant)));
            parts += 1;
        }
        if parts > 1 {
            self.code.push(Op::Join(parts));
        }
        Ok(())
    }

    /// Code for the parts of an f-text, each a text on the stack; what is constant at its end stays in `constant`.
    fn template(
        &mut self,
        body: &[char],
        raw: bool,
        position: usize,
        constant: &mut String,
        level: usize,
    ) -> Result<usize, ExprError> {
        let mut parts = 0;
        for part in split_template(body, raw).map_err(|error| error.at(position))? {
            match part {
                Part::Text(text) => constant.push_str(&text),
                Part::Field {
                    source,
                    echo,
                    conversion,
                    format,
                } => {
                    constant.push_str(&echo);
                    if !constant.is_empty() {
                        self.code
                            .push(Op::Constant(Value::text(std::mem::take(constant))));
                        parts += 1;
                    }
                    let code = self.nested(|parser| parse_at(&source, position, parser.depth))?;
                    self.code.extend(code);
                    let mut inner = String::new();
                    let count = match &format {
                        Some(_) if level > 1 => {
                            return Err(ExprError::new(
                                ExprErrorKind::Syntax,
                                "formats inside of formats of formats",
                            )
                            .at(position));
                        }
                        Some(format) => {
                            self.template(format, raw, position, &mut inner, level + 1)?
                        }
                        None => 0,
                    };
                    self.code.push(Op::Constant(Value::text(&inner)));
                    if count > 0 {
                        self.code.push(Op::Join(count + 1));
                    }
                    self.code.push(Op::Format(
                        if echo.is_empty() || format.is_some() || conversion != Conversion::None {
                            conversion
                        } else {
                            Conversion::Repr
                        },
                    ));
                    parts += 1;
                }
            }
        }
        Ok(parts)
    }
}
