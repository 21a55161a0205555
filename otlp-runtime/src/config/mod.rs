//! What can be set, in code and by the environment: plain data. Nothing here starts a thread or opens a connection.

mod choose;
mod compression;
mod delivery;
mod delivery_variables;
mod detectors;
pub(crate) mod endpoint;
mod exporter;
mod filter;
mod headers;
mod limits;
mod log_level;
mod no_proxy;
mod page;
mod parse;
mod pem;
pub(crate) mod properties;
mod protocol;
mod proxy;
mod reader;
mod resolved;
mod resource;
mod sampler;
mod secret;
mod settings;
mod should_sample;
#[cfg(test)]
mod test_support;
mod validation;
mod variables;

pub use compression::Compression;
pub use delivery::{Delivery, Sourced};
pub use detectors::{ResourceDetector, ResourceDetectors};
pub use endpoint::{EndpointKind, EndpointSetting, Source};
pub use exporter::{TracesExporter, TracesExporters};
pub use filter::Filter;
pub use headers::Header;
pub use limits::{ResolvedLimits, SpanLimits};
pub use log_level::LogLevel;
#[cfg(feature = "grpc")]
pub(crate) use parse::percent_decoded;
pub use pem::Pem;
pub use protocol::TransportProtocol;
pub use proxy::{Proxy, ProxyServer};
pub use resolved::{Environment, Resolved, process_environment};
pub(crate) use sampler::{Branch, Decider};
pub use sampler::{ParentBased, Sampler};
pub use secret::Secret;
pub use settings::OtlpConfig;
pub use should_sample::{SamplingDecision, SamplingInput, SamplingParent, ShouldSample};
pub use variables::{Row, TABLE};
