use crate::Scope;
use crate::expr::{Env, Expr, ExprError, text_of};

/// A text with `{{ expression }}` in it.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Place {
        /// As it stands in the text, for when it has no value.
        written: String,
        expr: Result<Expr, ExprError>,
    },
}

impl Template {
    /// Compiles a text. What can't be compiled stays as it is, and is a fault when rendering is strict.
    pub fn compile(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some((expr, end)) = read_place(&rest[start + 2..]) else {
                break;
            };
            let end = start + 2 + end;
            if start > 0 {
                parts.push(Part::Text(rest[..start].to_owned()));
            }
            parts.push(Part::Place {
                written: rest[start..end].to_owned(),
                expr,
            });
            rest = &rest[end..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Self(parts)
    }

    /// The text with its places filled in. A place whose expression fails stays as it is, unless rendering is strict.
    pub fn render(
        &self,
        scope: &dyn Scope,
        env: &Env<'_>,
        strict: bool,
    ) -> Result<String, ExprError> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Place { written, expr } => {
                    let text = expr
                        .as_ref()
                        .map_err(Clone::clone)
                        .and_then(|expr| expr.eval(scope, env))
                        .and_then(|value| text_of(&value, env));
                    match text {
                        Ok(text) => out.push_str(&text),
                        Err(error) if strict => return Err(error),
                        Err(_) => out.push_str(written),
                    }
                }
            }
        }
        Ok(out)
    }
}

/// An expression and where its place ends. Braces of the expression's own may end together, so the first end that
/// leaves an expression counts.
fn read_place(text: &str) -> Option<(Result<Expr, ExprError>, usize)> {
    let mut first = None;
    for (end, _) in text.match_indices("}}").take(8) {
        let source = &text[..end];
        if source.contains("{{") {
            break;
        }
        match Expr::compile(source.trim()) {
            Ok(expr) => return Some((Ok(expr), end + 2)),
            Err(error) => {
                first.get_or_insert((Err(error), end + 2));
            }
        }
    }
    first
}
