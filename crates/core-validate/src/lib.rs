//! JSON Schema compiled once and checked on bytes; parameter text coerced into declared types; faults in one shape.
#![forbid(unsafe_code)]

mod analysis;
mod check;
mod check_object;
mod coerce;
mod coerced;
mod compile;
mod error;
mod fault;
mod faults;
mod format;
mod json;
mod moment;
mod number;
mod object;
mod parameters;
mod pattern;
mod place;
mod scalar;
mod schema;
mod stream;
mod text;
mod tree;
mod unevaluated;
mod uuid_text;

pub use coerced::{Coerced, Slot};
pub use error::{JsonFault, SchemaError};
pub use fault::{Fault, FaultKind, Loc};
pub use faults::{Faults, SHOWN};
pub use json::{JsonLimits, parse};
pub use moment::{Date, DateTime, Duration, Time};
pub use parameters::{ParameterSet, ParameterSpec, RawInput, Source};
pub use pattern::{PatternFallback, PatternMatcher};
pub use schema::Schema;
pub use tree::NameFault;
