//! What can be set, in code and by the environment: plain data. Nothing here starts a thread or opens a connection.

pub(crate) mod endpoint;
mod filter;
mod limits;
mod page;
mod parse;
pub(crate) mod properties;
mod protocol;
mod resolved;
mod resource;
mod sampler;
mod settings;
mod validation;
mod variables;

pub use endpoint::{EndpointKind, EndpointSetting, Source};
pub use filter::Filter;
pub use limits::{ResolvedLimits, SpanLimits};
pub use protocol::TransportProtocol;
pub use resolved::{Environment, Resolved, process_environment};
pub use sampler::{RootSampler, Sampler};
pub use settings::OtlpConfig;
pub use variables::{Row, TABLE};
