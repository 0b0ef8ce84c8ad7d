//! What a WebSocket route's declaration says, read once from `spikard.routing.handler_plan.SocketPlan`.

use std::time::Duration;

use core_http::websocket::Options;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::schema::JsonSchema;
use crate::socket_link::Queueing;

/// How the handler sees the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Called with every message.
    Message,
    /// Called once, with a `WebSocket`.
    Connection,
}

#[derive(Debug)]
pub(crate) struct SocketPlan {
    pub(crate) style: Style,
    pub(crate) options: Options,
    pub(crate) queueing: Queueing,
    /// A message that does not fit closes the socket.
    pub(crate) closes_invalid: bool,
    pub(crate) reply_schema: Option<Py<JsonSchema>>,
    /// A reply that does not fit closes the socket.
    pub(crate) strict: bool,
}

fn seconds(plan: &Bound<'_, PyAny>, name: &str) -> PyResult<Option<Duration>> {
    let value: Option<f64> = plan.getattr(name)?.extract()?;
    value
        .map(|value| {
            Duration::try_from_secs_f64(value).map_err(|error| {
                PyValueError::new_err(format!("{name} is not a duration: {error}"))
            })
        })
        .transpose()
}

impl SocketPlan {
    pub(crate) fn read(plan: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = plan.py();
        let flag = |name: &str| plan.getattr(name)?.is_truthy();
        Ok(Self {
            style: if flag("is_message_style")? {
                Style::Message
            } else {
                Style::Connection
            },
            options: Options {
                max_message_size: plan.getattr(intern!(py, "max_message_size"))?.extract()?,
                ping_interval: seconds(plan, "ping_interval")?,
                ping_timeout: seconds(plan, "ping_timeout")?,
                idle_timeout: seconds(plan, "idle_timeout")?,
                compression: flag("compression")?,
                subprotocols: plan.getattr(intern!(py, "subprotocols"))?.extract()?,
            },
            queueing: Queueing {
                limit: plan.getattr(intern!(py, "queue"))?.extract()?,
                closes: flag("closes_on_overflow")?,
            },
            closes_invalid: flag("closes_invalid")?,
            reply_schema: plan.getattr(intern!(py, "reply_schema"))?.extract()?,
            strict: flag("strict")?,
        })
    }
}
