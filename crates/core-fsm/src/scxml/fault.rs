use crate::source::Position;

/// What kind of fault a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartFault {
    /// It isn't XML.
    Xml,
    /// It is XML that is no chart.
    Chart,
    /// It is larger or deeper than is read.
    Limit,
}

/// Why a document is no chart, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (line {}, column {})", position.line, position.column)]
pub struct ChartError {
    pub fault: ChartFault,
    pub message: String,
    pub position: Position,
}

impl ChartError {
    pub(super) fn new(fault: ChartFault, message: impl Into<String>, position: Position) -> Self {
        Self {
            fault,
            message: message.into(),
            position,
        }
    }
}

/// Why a session doesn't come to rest. It stays as it was before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunFault {
    #[error(
        "the chart '{chart}' took {limit} microsteps and is not at rest; it was in {configuration}: look for transitions without events that lead in a circle, or events that raise each other"
    )]
    TooManyMicrosteps {
        chart: String,
        limit: usize,
        configuration: String,
    },
    #[error(
        "the chart '{chart}' carried out {limit} actions in one macrostep and is not done: look for loops over long lists inside of each other"
    )]
    TooManyActions { chart: String, limit: u64 },
    #[error("'{0}' is no state of the chart")]
    UnknownState(String),
    #[error("what the session is restored from is not what a session was: {0}")]
    Memory(String),
}
