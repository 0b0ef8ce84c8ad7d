//! Patterns of strings and property names: linear time by default, a caller's engine for what that cannot say.

use std::fmt::Debug;

use regex::Regex;

/// An engine for patterns with look-around or back-references, which the linear one does not have.
pub trait PatternFallback {
    /// A matcher for the pattern, or why there is none.
    fn compile(&self, pattern: &str) -> Result<Box<dyn PatternMatcher>, String>;
}

/// A pattern compiled by a [`PatternFallback`].
pub trait PatternMatcher: Debug + Send + Sync {
    /// Whether the pattern is found anywhere in the text.
    fn is_match(&self, text: &str) -> bool;
}

#[derive(Debug)]
enum Engine {
    Linear(Regex),
    Other(Box<dyn PatternMatcher>),
}

/// A compiled pattern and its source.
#[derive(Debug)]
pub(crate) struct Pattern {
    source: Box<str>,
    engine: Engine,
    names_null: bool,
}

impl Pattern {
    pub(crate) fn compile(
        source: &str,
        fallback: Option<&dyn PatternFallback>,
    ) -> Result<Self, String> {
        let engine = match (Regex::new(source), fallback) {
            (Ok(regex), _) => Engine::Linear(regex),
            (Err(_), Some(fallback)) => Engine::Other(fallback.compile(source)?),
            (Err(error), None) => return Err(last_line(&error.to_string())),
        };
        let names_null = ["\\x00", "\\u0000", "\\0", "\0", "\\x{0}"]
            .iter()
            .any(|spelling| source.contains(spelling));
        Ok(Self {
            source: source.into(),
            engine,
            names_null,
        })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        match &self.engine {
            Engine::Linear(regex) => regex.is_match(text),
            Engine::Other(matcher) => matcher.is_match(text),
        }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the pattern speaks of U+0000.
    pub(crate) fn names_null(&self) -> bool {
        self.names_null
    }
}

/// The engine's reports end with the reason.
fn last_line(report: &str) -> String {
    let line = report
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(report);
    line.trim().trim_start_matches("error: ").to_owned()
}
