//! State machines, computed: no clock, no I/O, no Python. Time, randomness and the state of an entity come in as values; what
//! goes out is a plan that somebody else carries out.
//!
//! - `value`, `map`: what contexts and configurations are made of
//! - `scope`: where names of expressions and fields of checks are looked up
#![forbid(unsafe_code)]

mod map;
mod scope;
mod value;

pub use map::{Key, Map};
pub use scope::Scope;
pub use value::{Foreign, Value};
