//! The names that may follow a parameter's colon.

/// How the text of a path parameter is meant to be read; `str` when nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Converter {
    Str,
    Int,
    Float,
    Bool,
    Uuid,
    Date,
    DateTime,
    Time,
    Decimal,
    Slug,
    /// The rest of the path, slashes included.
    Path,
}

impl Converter {
    pub const ALL: [Self; 11] = [
        Self::Str,
        Self::Int,
        Self::Float,
        Self::Bool,
        Self::Uuid,
        Self::Date,
        Self::DateTime,
        Self::Time,
        Self::Decimal,
        Self::Slug,
        Self::Path,
    ];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|converter| converter.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Time => "time",
            Self::Decimal => "decimal",
            Self::Slug => "slug",
            Self::Path => "path",
        }
    }
}
