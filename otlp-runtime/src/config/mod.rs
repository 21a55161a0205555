//! Settings: plain data, resolved from code, then `OTEL_*`, then defaults.

mod protocol;

pub use protocol::{TransportProtocol, UnknownProtocol};
