//! Spans and contexts, as users handle them.

mod builder;
mod context;
mod error;
mod future;
mod owned;
mod reference;
#[cfg(feature = "tokio")]
pub mod task;
pub mod thread;

pub use builder::SpanBuilder;
pub use context::{Context, ContextGuard};
pub use error::Failure;
pub(crate) use error::{OTHER, error_type, record_failure};
#[cfg(feature = "stream")]
pub use future::StreamExt;
pub(crate) use future::Within;
pub use future::{FutureExt, InContext, InSpan};
pub use owned::{EnteredSpan, Span};
pub use reference::SpanRef;
pub(crate) use reference::link_to;
