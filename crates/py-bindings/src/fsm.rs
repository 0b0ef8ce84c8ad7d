//! State machines as Python sees them: the compiled machine asked with Python's own values, and its answers.
//!
//! - `machine`: what `spikard.fsm.StateMachine` is a subclass of
//! - `reading`: from Python's definitions to what the core compiles
//! - `plan`: what steps leave, enter and do, as tuples made once
//! - `asking`: one question: context, history, and guards that Python knows
//! - `transition_result`: the answer

mod asking;
mod machine;
mod plan;
mod reading;
mod transition_result;

pub(crate) use machine::CompiledMachine;
pub(crate) use transition_result::TransitionResult;
