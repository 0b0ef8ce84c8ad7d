//! JSON Schema and coercion.
#![forbid(unsafe_code)]
