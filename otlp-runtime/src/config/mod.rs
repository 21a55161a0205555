//! What can be set, in code and by the environment: plain data. Nothing here starts a thread or opens a connection.

mod compression;
mod delivery;
mod delivery_variables;
pub(crate) mod endpoint;
mod filter;
mod headers;
mod limits;
mod page;
mod parse;
mod pem;
mod protocol;
mod resolved;
mod resource;
mod sampler;
mod secret;
mod settings;
mod validation;
mod variables;

pub use compression::Compression;
pub use delivery::{Delivery, Sourced};
pub use endpoint::{EndpointKind, EndpointSetting, Source};
pub use filter::Filter;
pub use headers::Header;
pub use limits::{ResolvedLimits, SpanLimits};
pub use pem::Pem;
pub use protocol::TransportProtocol;
pub use resolved::{Environment, Resolved, process_environment};
pub use sampler::{RootSampler, Sampler};
pub use secret::Secret;
pub use settings::OtlpConfig;
pub use variables::{Row, TABLE};
