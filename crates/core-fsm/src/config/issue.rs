use super::code::{Code, Severity};
use super::path::{Path, Place};

/// Something wrong with a configuration: what, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub code: Code,
    pub path: Path,
    pub message: String,
    pub hint: Option<String>,
}

impl Issue {
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The text of the issue: faults of form say their place first.
    pub fn text(&self) -> String {
        if self.code.is_local() && !self.path.steps().is_empty() {
            format!("[{}] {}", self.path, self.message)
        } else {
            self.message.clone()
        }
    }
}

/// The issues found so far.
#[derive(Debug, Default)]
pub(super) struct Issues(Vec<Issue>);

impl Issues {
    pub(super) fn add(&mut self, code: Code, place: &Place<'_>, message: impl Into<String>) {
        self.0.push(Issue {
            code,
            path: place.path(),
            message: message.into(),
            hint: None,
        });
    }

    pub(super) fn hinted(
        &mut self,
        code: Code,
        place: &Place<'_>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(Issue {
            code,
            path: place.path(),
            message: message.into(),
            hint: Some(hint.into()),
        });
    }

    pub(super) fn shape(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.add(Code::Shape, place, message);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_vec(self) -> Vec<Issue> {
        self.0
    }
}
