use super::mark::Position;

/// What kind of fault a text has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceFault {
    /// It isn't YAML, or JSON.
    Syntax,
    /// It is larger, deeper or stands for more values than is read.
    Limit,
    /// A variable that must be set isn't.
    Variable(String),
}

/// Why a text can't be read, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {}, column {})", position.line, position.column)]
pub struct SourceError {
    pub fault: SourceFault,
    pub message: String,
    pub position: Position,
}

impl SourceError {
    pub(super) fn syntax(message: impl Into<String>, position: Position) -> Self {
        Self {
            fault: SourceFault::Syntax,
            message: message.into(),
            position,
        }
    }

    pub(super) fn limit(message: impl Into<String>, position: Position) -> Self {
        Self {
            fault: SourceFault::Limit,
            message: message.into(),
            position,
        }
    }
}
