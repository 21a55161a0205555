//! Spans and contexts, as users handle them.

mod context;
mod error;
mod future;
mod owned;
mod reference;

pub use context::{Context, ContextGuard};
pub use error::Failure;
pub(crate) use error::{OTHER, error_type, record_failure};
pub(crate) use future::Within;
pub use future::{FutureExt, InContext, InSpan};
pub use owned::{EnteredSpan, Span};
pub use reference::SpanRef;
pub(crate) use reference::link_to;
