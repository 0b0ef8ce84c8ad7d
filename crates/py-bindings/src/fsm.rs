//! State machines as Python sees them: the compiled machine asked with Python's own values, and its answers.
//!
//! - `machine`: what `spikard.fsm.StateMachine` is a subclass of
//! - `reading`: from Python's definitions to what the core compiles
//! - `plan`: what steps leave, enter and do, as tuples made once
//! - `asking`: questions about one event: context, history, and guards that Python knows
//! - `batch`: many questions at once
//! - `regions`: what an event does inside a parallel state
//! - `session`, `turn`: one entity, one step at a time
//! - `transition_result`: the answer
//! - `chart`: charts, and their runs

mod asking;
mod batch;
mod chart;
mod machine;
mod plan;
mod reading;
mod regions;
mod session;
mod transition_result;
mod turn;

pub(crate) use chart::{Chart, ChartRun};
pub(crate) use machine::CompiledMachine;
pub(crate) use session::SessionCore;
pub(crate) use transition_result::TransitionResult;
