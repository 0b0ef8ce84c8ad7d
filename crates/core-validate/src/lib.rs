//! JSON Schema compiled once and checked on bytes; parameter text coerced into declared types; faults in one shape.
//!
//! The validator is ours and not the `jsonschema` crate because the answer is mostly yes, and then no value is needed:
//! on the 1 KB body of `benches/validator.rs` (12 fields) [`Schema::accepts`] takes 0.8 µs, where parsing into a value
//! and `jsonschema` take 3.7 µs and parsing alone 2.7 µs (same machine, `bench-fast`); three faults, told and written,
//! take 5.6 µs. It is held to the other's verdicts by the property tests.
//!
//! - `schema`, `object`, `scalar`, `pattern`: a compiled schema and what its keywords say;
//! - `compile`, `analysis`: from a document to that, and what is known of it before any value comes;
//! - `json`: JSON text, its limits, the cursor and the parser;
//! - `stream`: the check of bytes while they are read;
//! - `check`, `check_object`, `unevaluated`, `place`: the check of a value, with every fault and its place;
//! - `format`, `moment`, `uuid_text`, `number`: what texts and numbers are;
//! - `text`, `coerce`, `coerce_tree`, `coerced`, `tree`: from text to declared types;
//! - `parameters`, `form`, `form_value`, `coerce_part`: the parameters of a route, the fields of a form;
//! - `file_rule`, `signature`: what an uploaded file must be;
//! - `fault`, `faults`, `error`: what is told.
#![forbid(unsafe_code)]

mod analysis;
mod check;
mod check_object;
mod coerce;
mod coerce_part;
mod coerce_tree;
mod coerced;
mod compile;
mod error;
mod fault;
mod faults;
mod file_rule;
mod form;
mod form_value;
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
mod signature;
mod stream;
mod text;
mod tree;
mod unevaluated;
mod uuid_text;

pub use coerced::{Coerced, Slot};
pub use error::{JsonFault, SchemaError};
pub use fault::{Fault, FaultKind, Loc};
pub use faults::{Faults, SHOWN};
pub use file_rule::{FileRule, UploadedFile};
pub use form::NameFault;
pub use form_value::{FormFile, FormValue};
pub use json::{JsonLimits, parse};
pub use moment::{Date, DateTime, Duration, Time};
pub use parameters::{ParameterSet, ParameterSpec, RawInput, Source};
pub use pattern::{PatternFallback, PatternMatcher};
pub use schema::Schema;
