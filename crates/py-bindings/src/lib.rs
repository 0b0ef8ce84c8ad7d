//! The extension module `spikard._spikard`: conversion between Python and the core crates, and nothing else.
//!
//! - `application`, `route`: routes with their plans, compiled once
//! - `blueprint`: what a server is made of, read from the configuration
//! - `server`, `driver`, `event_loop`: a server in an asyncio loop, inline or beside it
//! - `python_handler`, `gateway`, `call_queue`: from the server to the loop, on one thread or two
//! - `guard`, `rate_limit`, `auth`, `inquiry`: limits, who may come in, and what the application is asked about it
//! - `hook_gate`, `passenger`: hooks before the handler, and the request they share with it
//! - `check`, `callee`, `arguments`, `call`, `answer`, `trouble`: one request's way through Python
//! - `socket_handler`, `socket_plan`, `socket_peer`, `socket_link`: WebSockets, from the handshake to the handler
//! - `stream`, `event`: bodies made by Python iterators; server-sent events
//! - `inner_exchange`: requests that Python hands to the server
//! - `fsm_config`, `config_value`: configurations of state machines
//! - `request`, `request_change`, `response`, `file_response`, `headers`, `query_params`, `memory`: the objects Python
//!   sees
//! - `body_plan`, `form`, `part_rules`, `uploads`, `msgpack`: bodies that are no JSON
//! - `body_reader`, `intake`, `part_parser`: bodies as handlers ask for them
//! - `encode`, `values`, `json_value`, `schema`, `settings`, `tls`, `compression`, `static_files`: conversions
//! - `fsm`: state machines
//! - `fsm_rules`, `fsm_host`, `fsm_value`, `fsm_foreign`: expressions, checks and effects on contexts of state machines
//! - `pacing`: buckets of tokens for calls to others
//! - `thread_bound`: values that belong to one thread
//! - `pool`: threads for plain `def` handlers

mod access_log;
mod answer;
mod application;
mod arguments;
mod auth;
mod blueprint;
mod body_plan;
mod body_reader;
mod call;
mod call_queue;
mod callee;
mod check;
mod clock;
mod compression;
mod config_value;
mod cors;
mod driver;
mod encode;
mod event;
mod event_loop;
mod file_response;
mod form;
mod fsm;
mod fsm_config;
mod fsm_foreign;
mod fsm_host;
mod fsm_rules;
mod fsm_value;
mod gateway;
mod guard;
mod headers;
mod hook_gate;
mod identity;
mod inner_exchange;
mod inquiry;
mod intake;
mod json_value;
mod memory;
mod msgpack;
mod pacing;
mod pages;
mod part_parser;
mod part_rules;
mod passenger;
mod pool;
mod python_handler;
mod query_params;
mod rate_limit;
mod request;
mod request_change;
mod response;
mod route;
mod route_config;
mod schema;
mod security_headers;
mod server;
mod settings;
mod shared_memory;
mod socket_handler;
mod socket_link;
mod socket_peer;
mod socket_plan;
mod static_files;
mod stream;
mod thread_bound;
mod tls;
mod trouble;
mod uploads;
mod values;

use pyo3::prelude::*;

#[pymodule(gil_used = true)]
mod _spikard {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::answer::render_response;
    #[pymodule_export]
    use crate::application::Application;
    #[pymodule_export]
    use crate::body_reader::BodyReader;
    #[pymodule_export]
    use crate::driver::Driver;
    #[pymodule_export]
    use crate::file_response::FileResponse;
    #[pymodule_export]
    use crate::fsm::{Chart, ChartRun, CompiledMachine, SessionCore, TransitionResult};
    #[pymodule_export]
    use crate::fsm_config::{
        ConfigSource, canonical_json, check_machine, compare_configs, draw_machine,
        expand_submachines, lint_machine, machine_schema, machine_statistics, read_config,
    };
    #[pymodule_export]
    use crate::fsm_rules::{Expression, change_context, check_holds, fill_template, read_delay};
    #[pymodule_export]
    use crate::headers::Headers;
    #[pymodule_export]
    use crate::inner_exchange::{AnswerBody, Exchange, build_request};
    #[pymodule_export]
    use crate::memory::MemoryStream;
    #[pymodule_export]
    use crate::pacing::{KeyedBuckets, TokenBucket};
    #[pymodule_export]
    use crate::part_parser::PartParser;
    #[pymodule_export]
    use crate::query_params::QueryParams;
    #[pymodule_export]
    use crate::request::Request;
    #[pymodule_export]
    use crate::response::Response;
    #[pymodule_export]
    use crate::schema::{JsonSchema, check_schema, validate_json};
    #[pymodule_export]
    use crate::server::Server;
    #[pymodule_export]
    use crate::socket_link::SocketLink;
    #[pymodule_export]
    use crate::stream::StreamSink;

    #[pymodule_export]
    use crate::clock::hold_clock;
    #[pymodule_export]
    use crate::shared_memory::share_memory;

    #[pymodule_export]
    use super::encode_json;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add(
            "__profile__",
            if cfg!(debug_assertions) {
                "dev"
            } else {
                "release"
            },
        )
    }
}

/// Encodes a value the way an answer does.
#[pyfunction]
#[pyo3(signature = (value, /))]
fn encode_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, pyo3::types::PyBytes>> {
    Ok(pyo3::types::PyBytes::new(
        value.py(),
        &encode::to_json(value)?,
    ))
}
