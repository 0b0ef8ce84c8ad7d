//! Charts: machines that run by the algorithm of SCXML's Appendix D. A session is a value; what an event does to it comes out
//! as the next session and a plan of what the world has to do: arm a timer, start a child, deliver an event.
//!
//! - `chart`, `content`: what a chart is, and what it does on the way
//! - `document`, `xml`, `structure`, `actions`: read from SCXML
//! - `code`, `location`, `script`: expressions of either language, places of the data model, statements; `ecma`: ECMAScript's
//! - `condition`, `json`: guards as configurations write them, and values as JSON
//! - `data`, `event`, `undefined`: what expressions see
//! - `session`: a session from the outside; `memory`: as plain data
//! - `run`: macrosteps; `selection`, `entry`: which transitions, which states; `execute`, `sending`, `invoking`: what they do
//! - `plan`: what comes out; `fault`: what can be wrong with a document or a run

mod actions;
mod chart;
mod code;
mod condition;
mod content;
mod data;
mod document;
mod ecma;
mod entry;
mod event;
mod execute;
mod fault;
mod invoking;
mod json;
mod location;
mod memory;
mod plan;
mod run;
mod script;
mod selection;
mod sending;
mod session;
mod structure;
mod undefined;
mod xml;

pub use chart::{Chart, Language, NodeKind, StateView, TransitionView};
pub use document::{Resources, read_scxml};
pub use event::{Event, EventKind};
pub use fault::{ChartError, ChartFault, RunFault};
pub(crate) use json::to_json;
pub use plan::{Invocation, InvokeSource, Order};
pub use session::{ChartHost, Parameters, Session};
pub use undefined::defined;
pub(crate) use xml::EXTENSION;
