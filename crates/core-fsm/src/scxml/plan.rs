use std::sync::Arc;

use super::chart::Chart;
use super::event::Event;
use crate::{Map, Value};

/// One thing that the world has to do, in the order in which the chart wants it.
#[derive(Clone, Debug)]
pub enum Order {
    Left(Arc<str>),
    /// A transition was taken: its source, the event if there was one, its targets.
    Took {
        source: Arc<str>,
        event: Option<Arc<str>>,
        targets: Vec<Arc<str>>,
    },
    Entered(Arc<str>),
    Log {
        label: Option<Arc<str>>,
        value: Option<Value>,
    },
    /// Something went wrong that became an event of the chart; the text says what.
    Error {
        event: Arc<str>,
        message: String,
    },
    /// Deliver an event, after a while in milliseconds; to this session itself where there is no target.
    Send {
        event: Event,
        target: Option<Arc<str>>,
        kind: Arc<str>,
        delay: i64,
    },
    /// Forget what was to be delivered later under this id.
    Cancel(Arc<str>),
    Start(Box<Invocation>),
    Stop(Arc<str>),
    /// Give a child a copy of an event.
    Forward(Arc<str>, Event),
    /// Carry out an action of the host's, as configurations write it.
    Act(Value),
    /// The session is over.
    Done(Option<Value>),
}

/// A child to start.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub id: Arc<str>,
    pub kind: Arc<str>,
    pub source: InvokeSource,
    /// What the child's data model begins with.
    pub data: Map,
}

/// What a child is made of.
#[derive(Clone, Debug)]
pub enum InvokeSource {
    /// It stands in the document.
    Chart(Arc<Chart>),
    /// A text, or whatever else an expression gave.
    Content(Value),
    /// Somewhere else.
    Address(Arc<str>),
}
