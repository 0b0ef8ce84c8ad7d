//! One fault of a request: its kind out of a closed catalogue, its place, its words.

use std::cmp::Ordering;

use serde_json::{Map, Value};

macro_rules! catalogue {
    ($($variant:ident => $code:literal,)*) => {
        /// Every fault a request can have. The order is the order in which faults of one value are told.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind { $($variant,)* }

        impl FaultKind {
            /// All kinds, in catalogue order.
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$variant,)*];

            /// The stable `type` a client sees.
            pub fn code(self) -> &'static str {
                match self { $(FaultKind::$variant => $code,)* }
            }
        }
    };
}

catalogue! {
    Missing => "missing",
    IntParsing => "int_parsing",
    FloatParsing => "float_parsing",
    BoolParsing => "bool_parsing",
    StringType => "string_type",
    ListType => "list_type",
    DictType => "dict_type",
    NullType => "null_type",
    StringTooShort => "string_too_short",
    StringTooLong => "string_too_long",
    StringPatternMismatch => "string_pattern_mismatch",
    GreaterThan => "greater_than",
    GreaterThanEqual => "greater_than_equal",
    LessThan => "less_than",
    LessThanEqual => "less_than_equal",
    MultipleOf => "multiple_of",
    TooShort => "too_short",
    TooLong => "too_long",
    UniqueItems => "unique_items",
    Enum => "enum",
    Const => "const",
    UuidParsing => "uuid_parsing",
    DateParsing => "date_parsing",
    DatetimeParsing => "datetime_parsing",
    TimeParsing => "time_parsing",
    TimeDeltaParsing => "time_delta_parsing",
    DecimalParsing => "decimal_parsing",
    IpV4Address => "ip_v4_address",
    IpV6Address => "ip_v6_address",
    UrlParsing => "url_parsing",
    StringFormat => "string_format",
    ExtraForbidden => "extra_forbidden",
    OneOf => "one_of",
    AnyOf => "any_of",
    NotAllowed => "not_allowed",
    MinProperties => "min_properties",
    MaxProperties => "max_properties",
    DependentRequired => "dependent_required",
    Contains => "contains",
    PropertyNames => "property_names",
    Unevaluated => "unevaluated",
    NullByte => "null_byte",
    JsonInvalid => "json_invalid",
    FileContentType => "file_content_type",
    FileTypeMismatch => "file_type_mismatch",
    FileEmpty => "file_empty",
    FileTooLarge => "file_too_large",
    ValueError => "value_error",
    AssertionError => "assertion_error",
}

impl FaultKind {
    /// The kind of a `type` code, for faults that come from a developer's own validators.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// One step to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loc {
    /// A source, a parameter or a property.
    Key(String),
    /// A position in a list; sorted as a number, written as a JSON string.
    Index(usize),
    /// A byte offset; written as a number.
    Offset(usize),
}

impl Loc {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Key(key) => write_string(key, out),
            Self::Index(index) => {
                out.push(b'"');
                out.extend_from_slice(itoa::Buffer::new().format(*index).as_bytes());
                out.push(b'"');
            }
            Self::Offset(offset) => {
                out.extend_from_slice(itoa::Buffer::new().format(*offset).as_bytes());
            }
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Key(a), Self::Key(b)) => a.cmp(b),
            (Self::Key(_), _) => Ordering::Greater,
            (_, Self::Key(_)) => Ordering::Less,
            (Self::Index(a) | Self::Offset(a), Self::Index(b) | Self::Offset(b)) => a.cmp(b),
        }
    }
}

impl From<&str> for Loc {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Loc {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// One entry of the `errors` array.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub loc: Vec<Loc>,
    pub msg: String,
    /// The offending value as received; None when it must not or need not be shown.
    pub input: Option<Value>,
    /// What the message was made of; left out of the answer when empty.
    pub ctx: Map<String, Value>,
    /// JSON pointer into the body, for faults of the body.
    pub pointer: Option<String>,
}

impl Fault {
    /// A fault without input or context; a pointer is made for places in the body.
    pub fn new(kind: FaultKind, loc: Vec<Loc>, msg: impl Into<String>) -> Self {
        let pointer = pointer_of(&loc);
        Self {
            kind,
            loc,
            msg: msg.into(),
            input: None,
            ctx: Map::new(),
            pointer,
        }
    }

    /// A required parameter, field or file that did not come.
    pub fn missing(loc: Vec<Loc>, input: Option<Value>) -> Self {
        Self {
            input,
            ..Self::new(FaultKind::Missing, loc, "Field required")
        }
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let by_source = rank(&self.loc).cmp(&rank(&other.loc));
        by_source
            .then_with(|| compare_places(&self.loc, &other.loc))
            .then_with(|| self.kind.cmp(&other.kind))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(self.kind.code().as_bytes());
        out.extend_from_slice(b"\",\"loc\":[");
        for (position, step) in self.loc.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            step.write(out);
        }
        out.extend_from_slice(b"],\"msg\":");
        write_string(&self.msg, out);
        if let Some(input) = &self.input {
            out.extend_from_slice(b",\"input\":");
            write_value(input, out);
        }
        if !self.ctx.is_empty() {
            out.extend_from_slice(b",\"ctx\":");
            write_map(&self.ctx, out);
        }
        if let Some(pointer) = &self.pointer {
            out.extend_from_slice(b",\"pointer\":");
            write_string(pointer, out);
        }
        out.push(b'}');
    }
}

/// Path, query, headers, cookie, body, files; anything else last.
fn rank(loc: &[Loc]) -> usize {
    const SOURCES: [&str; 6] = ["path", "query", "headers", "cookie", "body", "files"];
    match loc.first() {
        Some(Loc::Key(source)) => SOURCES
            .iter()
            .position(|known| known == source)
            .unwrap_or(SOURCES.len()),
        _ => SOURCES.len(),
    }
}

fn compare_places(left: &[Loc], right: &[Loc]) -> Ordering {
    for (a, b) in left.iter().zip(right) {
        let order = a.compare(b);
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn pointer_of(loc: &[Loc]) -> Option<String> {
    let (first, rest) = loc.split_first()?;
    if !matches!(first, Loc::Key(source) if source == "body") {
        return None;
    }
    let mut pointer = String::new();
    for step in rest {
        pointer.push('/');
        match step {
            Loc::Key(key) => pointer.push_str(&escape_pointer(key)),
            Loc::Index(index) | Loc::Offset(index) => {
                pointer.push_str(itoa::Buffer::new().format(*index));
            }
        }
    }
    Some(pointer)
}

/// A key as one step of a JSON pointer.
pub(crate) fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    // Writing a string to a vector cannot fail: the vector takes everything and strings have a JSON form.
    let _ = serde_json::to_writer(out, text);
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    // As above: a Value always has a JSON form.
    let _ = serde_json::to_writer(out, value);
}

fn write_map(map: &Map<String, Value>, out: &mut Vec<u8>) {
    // As above: a map of values always has a JSON form.
    let _ = serde_json::to_writer(out, map);
}
