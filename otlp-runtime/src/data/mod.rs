//! The structured model: plain data that users build and read.

mod id;
mod level;
mod resource;
mod schema;
mod scope;
mod signal;
mod span;
mod value;

pub use id::{SpanId, TraceFlags, TraceId};
pub use level::Level;
pub use resource::Resource;
pub use schema::SCHEMA_URL;
pub(crate) use schema::Schema;
pub use scope::Scope;
pub use signal::Signal;
pub use span::{SpanKind, StatusCode};
pub use value::AttributeValue;
