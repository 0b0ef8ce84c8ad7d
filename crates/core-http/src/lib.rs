//! HTTP transport of spikard.
#![forbid(unsafe_code)]
pub mod cookie;
pub mod percent;
pub mod query;
pub mod router;
