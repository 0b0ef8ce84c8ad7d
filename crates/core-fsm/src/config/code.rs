/// What is wrong with a configuration. Codes are stable; `C…` are errors save `C041`, `W…` are warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Shape,
    NoTrigger,
    Name,
    ActionKey,
    ActionForm,
    InvariantWithoutCheck,
    DuplicateState,
    InitialState,
    SourceUndefined,
    DestinationUndefined,
    TimeoutDestination,
    FallbackUndefined,
    FromTerminal,
    JoinMissing,
    DuplicateVariable,
    Parent,
    InitialChild,
    ParentCycle,
    RegionsNotAllowed,
    DuplicateRegion,
    RegionMember,
    TransitionRegion,
    Expression,
    ChoiceWithoutElse,
    PolicyKeyUnknown,
    PolicyKeyElsewhere,
    FallbackWithoutState,
    FallbackIsBoolean,
    VersionIsNumber,
}

/// How grave an issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Code {
    /// Every code, in the order of their texts.
    pub const ALL: [Code; 29] = [
        Self::Shape,
        Self::NoTrigger,
        Self::Name,
        Self::ActionKey,
        Self::ActionForm,
        Self::InvariantWithoutCheck,
        Self::DuplicateState,
        Self::InitialState,
        Self::SourceUndefined,
        Self::DestinationUndefined,
        Self::TimeoutDestination,
        Self::FallbackUndefined,
        Self::FromTerminal,
        Self::JoinMissing,
        Self::DuplicateVariable,
        Self::Parent,
        Self::InitialChild,
        Self::ParentCycle,
        Self::RegionsNotAllowed,
        Self::DuplicateRegion,
        Self::RegionMember,
        Self::TransitionRegion,
        Self::Expression,
        Self::ChoiceWithoutElse,
        Self::PolicyKeyUnknown,
        Self::PolicyKeyElsewhere,
        Self::FallbackWithoutState,
        Self::FallbackIsBoolean,
        Self::VersionIsNumber,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "C001",
            Self::NoTrigger => "C002",
            Self::Name => "C003",
            Self::ActionKey => "C004",
            Self::ActionForm => "C005",
            Self::InvariantWithoutCheck => "C006",
            Self::DuplicateState => "C010",
            Self::InitialState => "C011",
            Self::SourceUndefined => "C012",
            Self::DestinationUndefined => "C013",
            Self::TimeoutDestination => "C014",
            Self::FallbackUndefined => "C015",
            Self::FromTerminal => "C016",
            Self::JoinMissing => "C017",
            Self::DuplicateVariable => "C018",
            Self::Parent => "C020",
            Self::InitialChild => "C021",
            Self::ParentCycle => "C022",
            Self::RegionsNotAllowed => "C030",
            Self::DuplicateRegion => "C031",
            Self::RegionMember => "C032",
            Self::TransitionRegion => "C033",
            Self::Expression => "C040",
            Self::ChoiceWithoutElse => "C041",
            Self::PolicyKeyUnknown => "W001",
            Self::PolicyKeyElsewhere => "W002",
            Self::FallbackWithoutState => "W003",
            Self::FallbackIsBoolean => "W004",
            Self::VersionIsNumber => "W005",
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Self::ChoiceWithoutElse
            | Self::PolicyKeyUnknown
            | Self::PolicyKeyElsewhere
            | Self::FallbackWithoutState
            | Self::FallbackIsBoolean
            | Self::VersionIsNumber => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether the fault lies in the form of one place, so that its text begins with the place.
    pub fn is_local(self) -> bool {
        matches!(
            self,
            Self::Shape
                | Self::NoTrigger
                | Self::Name
                | Self::ActionKey
                | Self::ActionForm
                | Self::InvariantWithoutCheck
                | Self::Expression
        )
    }
}
