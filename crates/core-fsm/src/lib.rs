//! State machines, computed: no clock, no I/O, no Python. Time, randomness and the state of an entity come in as values; what
//! goes out is a plan that somebody else carries out.
//!
//! - `value`, `map`: what contexts and configurations are made of
//! - `config`, `source`: configurations, and the texts they are read from; `compare`: two versions of one
//! - `lint`, `draw`: what is probably wrong with a machine, and how it looks
//! - `scope`: where names of expressions and fields of checks are looked up
//! - `check`, `when`: fields compared with constants, and conditions of several; `delay`: times to wait
//! - `effect`, `template`: changes of contexts, and texts with expressions in them
//! - `expr`: expressions, compiled and evaluated; `pattern`: regular expressions in linear time; `moment`: times and spans
//! - `spec`, `compile`, `fault`: from a machine as it is written to one that can be asked
//! - `machine`, `hierarchy`: the compiled machine, and which state is inside which
//! - `condition`, `guard`: what must hold for a transition
//! - `step`: what an event does; `scxml`: charts, which events run by another algorithm
#![forbid(unsafe_code)]

mod canonical;
mod check;
pub mod compare;
mod compile;
mod condition;
pub mod config;
mod delay;
pub mod draw;
mod effect;
mod expr;
mod fault;
mod guard;
mod hierarchy;
pub mod lint;
mod machine;
mod map;
mod moment;
mod pattern;
mod scope;
pub mod scxml;
pub mod source;
mod spec;
mod step;
mod template;
mod value;
mod when;

pub use canonical::canonical_json;
pub use check::{Check, CheckOp};
pub use condition::Condition;
pub use delay::parse_delay;
pub use effect::{Change, EFFECTS, Effect};
pub use expr::{Env, Expr, ExprError, ExprErrorKind, Host, Limits, NoHost};
pub use fault::{Details, Fault};
pub use guard::{GuardHost, GuardKind, Guards, Record, View};
pub use hierarchy::{Forgetful, Hierarchy, Memory, StateId};
pub use machine::{Destination, Machine, Region, RuleId, TriggerId};
pub use map::{Key, Map};
pub use moment::{Moment, Span};
pub use scope::Scope;
pub use spec::{
    Case, GuardSpec, MachineSpec, RegionSpec, Settings, StateKind, StateSpec, TransitionSpec,
};
pub use step::{Inquiry, Outcome, Route, Step};
pub use template::Template;
pub use value::{Foreign, Value};
pub use when::When;
