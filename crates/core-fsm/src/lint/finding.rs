use crate::config::{Definition, Path, PathStep};
use crate::{Key, Map, Value};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    Info,
    Warning,
    Error,
}

impl LintSeverity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing found: what, how much it matters, and which parts of the machine it is about.
#[derive(Clone, Debug)]
pub struct Finding {
    pub code: &'static str,
    pub severity: LintSeverity,
    pub message: String,
    pub context: Map,
    pub path: Path,
}

impl Finding {
    pub(super) fn of_state(
        code: &'static str,
        severity: LintSeverity,
        position: usize,
        message: String,
        context: &[(&str, Value)],
    ) -> Self {
        Self::at(code, severity, Some(("states", position)), message, context)
    }

    pub(super) fn of_transition(
        code: &'static str,
        severity: LintSeverity,
        position: usize,
        message: String,
        context: &[(&str, Value)],
    ) -> Self {
        Self::at(
            code,
            severity,
            Some(("transitions", position)),
            message,
            context,
        )
    }

    pub(super) fn at(
        code: &'static str,
        severity: LintSeverity,
        place: Option<(&str, usize)>,
        message: String,
        context: &[(&str, Value)],
    ) -> Self {
        Self {
            code,
            severity,
            message,
            context: context
                .iter()
                .map(|(key, value)| (Key::from(*key), value.clone()))
                .collect(),
            path: place
                .into_iter()
                .flat_map(|(list, position)| {
                    [PathStep::Key(list.into()), PathStep::Index(position)]
                })
                .collect(),
        }
    }

    /// Whether the part that it is about asks not to be told: `metadata: {lint_ignore: [code]}`.
    pub(super) fn is_ignored(&self, definition: &Definition<'_>) -> bool {
        let config = match self.path.steps() {
            [PathStep::Key(list), PathStep::Index(position)] => match &**list {
                "states" => definition.states.get(*position).map(|state| state.config),
                _ => definition
                    .transitions
                    .get(*position)
                    .map(|transition| transition.config),
            },
            _ => definition.meta,
        };
        let ignored = config.and_then(|config| {
            config
                .get("metadata")
                .and_then(Value::as_map)
                .and_then(|metadata| metadata.get("lint_ignore"))
                .or_else(|| config.get("lint_ignore"))
        });
        match ignored {
            Some(Value::Text(code)) => &**code == self.code,
            Some(other) => other
                .as_items()
                .unwrap_or_default()
                .iter()
                .any(|code| code.as_text() == Some(self.code)),
            None => false,
        }
    }
}
