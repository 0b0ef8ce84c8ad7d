//! What charts do when they enter, leave and move.

use std::sync::Arc;

use super::chart::Chart;
use super::code::Code;
use super::condition::Condition;
use super::location::Location;
use super::script::Script;
use crate::{Effect, Value};

/// One element of executable content.
#[derive(Debug)]
pub(super) enum Step {
    Raise(Arc<str>),
    /// The first branch whose condition holds; one without a condition always does.
    If(Vec<(Option<Condition>, Vec<Step>)>),
    ForEach {
        array: Code,
        item: Arc<str>,
        index: Option<Arc<str>>,
        body: Vec<Step>,
    },
    Log {
        label: Option<Arc<str>>,
        value: Option<Code>,
    },
    Assign {
        location: Location,
        value: Content,
    },
    Script(Script),
    Send(Box<Send>),
    Cancel(Text),
    /// An effect or an action as configurations write them.
    Effect(Effect),
    Act(Value),
    /// What cannot be done, and why.
    Broken(Arc<str>),
}

/// A text that is written, or computed.
#[derive(Debug)]
pub(super) enum Text {
    Fixed(Arc<str>),
    Computed(Code),
}

/// A value that is written as an expression or as the inside of an element.
#[derive(Debug)]
pub(super) enum Content {
    Computed(Code),
    /// Text inside of an element: a literal of the language, JSON, or text after all.
    Text(Arc<str>),
    /// Elements inside of an element, as they are written.
    Markup(Arc<str>),
}

#[derive(Debug)]
pub(super) struct Send {
    pub(super) event: Option<Text>,
    pub(super) target: Option<Text>,
    pub(super) kind: Option<Text>,
    pub(super) id: Option<Arc<str>>,
    pub(super) id_location: Option<Location>,
    pub(super) delay: Option<Text>,
    pub(super) payload: Payload,
}

/// What an event or a child takes along.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// Places of the data model, under their own names.
    pub(super) names: Vec<(Arc<str>, Location)>,
    pub(super) params: Vec<(Arc<str>, Param)>,
    pub(super) content: Option<Content>,
}

#[derive(Debug)]
pub(super) enum Param {
    Value(Code),
    Place(Location),
}

#[derive(Debug)]
pub(super) struct DataItem {
    pub(super) name: Arc<str>,
    /// `None` where it has no value yet.
    pub(super) value: Option<Content>,
    /// What could not be fetched.
    pub(super) missing: Option<Arc<str>>,
}

#[derive(Debug)]
pub(super) struct Invoke {
    pub(super) id: Option<Arc<str>>,
    pub(super) id_location: Option<Location>,
    pub(super) kind: Option<Text>,
    pub(super) source: Option<Text>,
    pub(super) child: Option<Arc<Chart>>,
    pub(super) payload: Payload,
    pub(super) forwards: bool,
    pub(super) finalize: Option<Vec<Step>>,
}
