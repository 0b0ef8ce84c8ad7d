//! HTTP transport of spikard.
#![forbid(unsafe_code)]
