//! Stands in for `otlp::__private`: records what expansions call, so that they are tested without the runtime.
#![allow(dead_code, unused_imports, unreachable_pub, missing_docs, clippy::unwrap_used)]

pub mod __private;
mod inspect;

pub use __private::{Call, calls};
