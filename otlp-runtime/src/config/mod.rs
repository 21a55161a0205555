//! What can be set, in code and by the environment: plain data. Nothing here starts a thread or opens a connection.

mod choose;
mod detectors;
pub(crate) mod endpoint;
mod exporter;
mod filter;
mod limits;
mod log_level;
mod page;
mod parse;
mod protocol;
mod reader;
mod resolved;
mod resource;
mod sampler;
mod settings;
mod should_sample;
mod validation;
mod variables;

pub use detectors::{ResourceDetector, ResourceDetectors};
pub use endpoint::{EndpointKind, EndpointSetting, Source};
pub use exporter::{TracesExporter, TracesExporters};
pub use filter::Filter;
pub use limits::{ResolvedLimits, SpanLimits};
pub use log_level::LogLevel;
pub use protocol::TransportProtocol;
pub use resolved::{Environment, Resolved, process_environment};
pub(crate) use sampler::{Branch, Decider};
pub use sampler::{ParentBased, Sampler};
pub use settings::OtlpConfig;
pub use should_sample::{SamplingDecision, SamplingInput, SamplingParent, ShouldSample};
pub use variables::{Row, TABLE};
