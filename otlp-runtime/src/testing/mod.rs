//! Telemetry in tests: an in-process OTLP collector, per-test capture, and what arrived as plain data.
//!
//! [`capture`] and [`capture_async`] give what one piece of code recorded: no receiver, nothing global, in parallel.
//!
//! [`Collector`] is a receiver on a free loopback port. It speaks OTLP over gRPC and over HTTP/protobuf on that one
//! port, runs on a thread of its own, and can be told to answer badly. [`Captured`] is what it, or a capture, holds:
//! spans with typed getters, and a tree that suits snapshots.
//!
//! ```no_run
//! use std::time::Duration;
//! use otlp_runtime::testing::{Collector, Reply};
//!
//! let collector = Collector::start()?;
//! collector.script([Reply::status(503)]); // the first request fails, the others are accepted
//! // ... export to `collector.endpoint()` ...
//! assert!(collector.wait_for(1, Duration::from_secs(5)));
//! assert_eq!(collector.captured().one("place_order").i64("order_id"), Some(7));
//! println!("{}", collector.captured().tree_with_durations());
//! # Ok::<(), std::io::Error>(())
//! ```

mod answer;
mod capture;
mod captured;
mod collector;
mod connection;
mod decode;
mod export;
mod inbox;
mod reply;
mod request;
mod server;
mod span;
mod tree;

pub use capture::{capture, capture_async};
pub use captured::Captured;
pub use collector::Collector;
pub use decode::DecodeError;
pub use reply::Reply;
pub use request::{Outcome, Protocol, Request};
pub use span::{CapturedEvent, CapturedLink, CapturedScope, CapturedSpan};
pub use tree::Tree;

#[cfg(test)]
mod tests;

/// Marks the calling thread as one of ours, so that nothing recorded on it is exported: a collector that exported
/// its own work to itself would never come to rest.
fn suppress_this_thread() {
    crate::record::local::suppress();
}
