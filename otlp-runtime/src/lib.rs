//! The runtime of the `otlp` crate. Use `otlp`; nothing here is a public promise of its own.
#![cfg_attr(loom, allow(dead_code, unused_imports, unreachable_pub, missing_docs))]

#[cfg(not(loom))]
pub mod account;
#[cfg(all(feature = "export", not(loom)))]
mod collector;
#[cfg(not(loom))]
pub mod config;
#[cfg(not(loom))]
pub mod data;
#[cfg(all(feature = "export", not(loom)))]
mod detect;
#[cfg(all(feature = "export", not(loom)))]
pub(crate) mod encode;
#[cfg(not(loom))]
pub mod error;
#[cfg(all(feature = "export", not(loom)))]
pub mod exporter;
#[cfg(all(fuzzing, feature = "testing"))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(not(loom))]
pub mod init;
#[cfg(not(loom))]
pub mod macro_support;
#[cfg(not(loom))]
mod os;
#[cfg(all(feature = "export", not(loom)))]
pub mod processor;
pub mod record;
#[cfg(not(loom))]
pub mod status;
#[cfg(all(feature = "testing", not(loom)))]
pub mod testing;
#[cfg(not(loom))]
pub mod trace;
#[cfg(all(feature = "export", not(loom)))]
pub mod transport;
