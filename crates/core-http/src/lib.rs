//! HTTP transport of spikard: no Python, no validation rules.
//!
//! - [`server`]: listeners, connections and their end
//! - [`connection`], [`wire`], `head_watch`: one connection, HTTP/1.1 or HTTP/2, and the bytes under it
//! - [`tls`]: encrypted connections
//! - [`runtime`]: what it runs in
//! - [`service`]: a request's way from the head to the finished answer
//! - [`router`]: which endpoint answers a method and a path
//! - [`gate`], [`trail`]: checks on the way in, and what they want done to the answer
//! - [`cors`], [`vary`]: what scripts of other sites may do
//! - [`proxies`], `proxy_protocol`: where requests come from that others pass on
//! - [`rate_limit`], [`auth`]: such checks; [`exemption`], [`clock`]: the paths they leave out, the time they go by
//! - [`handler`]: the trait that every endpoint implements
//! - [`page`]: answers that are known before anybody asks
//! - [`request`], [`response`], [`body`], [`inbound`]: what handlers get and give
//! - [`event_stream`]: answers that are streams of events
//! - [`upgrade`], [`websocket`]: connections that change to another protocol
//! - [`inflow`], [`multipart`]: bodies read as they come, and forms in them
//! - [`file`], [`static_files`], [`file_type`], [`disposition`]: files and directories as answers
//! - [`compression`], [`coding`], [`accept_encoding`], `decoding`, [`vary`]: compressed bodies
//! - [`query`], [`cookie`], [`media_type`], [`percent`], [`quoted`]: lazy parsers of their texts
//! - [`problem`]: error answers (RFC 9457)
//! - [`cells`], [`shared_memory`]: numbers that all workers change
//! - [`settings`], [`security_headers`]: limits and switches
//! - `fuzzing`: what fuzz targets need of what is private
//! - [`counters`], [`metrics`], [`access_log`], [`request_id`], [`trace_context`]: figures and records
#![forbid(unsafe_code)]

pub mod accept_encoding;
pub mod access_log;
pub mod auth;
pub mod body;
pub mod cells;
pub mod clock;
pub mod coding;
pub mod compression;
mod connection;
pub mod cookie;
pub mod cors;
pub mod counters;
mod decoding;
pub mod disposition;
pub mod error;
pub mod event_stream;
pub mod exemption;
pub mod file;
pub mod file_type;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod gate;
pub mod handler;
mod head_watch;
pub mod inbound;
pub mod inflow;
pub mod listener;
pub mod media_type;
pub mod metrics;
pub mod multipart;
pub mod page;
pub mod percent;
pub mod problem;
pub mod proxies;
mod proxy_protocol;
pub mod query;
pub mod quoted;
pub mod rate_limit;
pub mod request;
pub mod request_id;
pub mod response;
pub mod router;
pub mod runtime;
pub mod security_headers;
pub mod server;
pub mod service;
pub mod settings;
pub mod shared_memory;
pub mod static_files;
pub mod tls;
mod tls_client;
pub mod trace_context;
pub mod trail;
pub mod upgrade;
pub mod vary;
pub mod websocket;
pub mod wire;

#[cfg(all(unix, feature = "server-bin"))]
pub mod supervisor;

pub use response::Response;
