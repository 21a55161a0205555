#![doc = include_str!("../README.md")]

pub use otlp_macros::{main, traced};
#[cfg(feature = "testing")]
pub use otlp_runtime::testing;
#[doc(inline)]
pub use otlp_runtime::{
    account,
    config::{OtlpConfig, Sampler, TransportProtocol},
    data::{AttributeValue, Level, Resource, SpanId, SpanKind, StatusCode, TraceFlags, TraceId},
    error::OtlpError,
    init::{OtlpGuard, flush, flush_async, init, shutdown},
    record::registry::{CallsiteInfo, callsites, set_filter},
    record::value::{AttributeWriter, Attributes, Value, ValueWriter},
    status::{Status, status},
    trace::{Context, ContextGuard, EnteredSpan, FutureExt, InContext, InSpan, Span, SpanRef},
};

/// Starts a [`Span`] with a name and fields, as a child of the current one. It is not entered yet.
///
/// The fields are written as in [`macro@traced`]; they are evaluated once, and only if the span is recorded.
///
/// ```
/// let text = "a b c";
/// let words = {
///     let span = otlp::span!("count", bytes = text.len(), ?text).entered();
///     let words = text.split(' ').count();
///     span.set_attribute("words", words);
///     words
/// };
/// assert_eq!(words, 3);
/// ```
#[macro_export]
macro_rules! span {
    ($($tokens:tt)*) => {
        $crate::__private::__span!([$crate] $($tokens)*)
    };
}

/// What expansions of the macros name. Not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use otlp_macros::__span;
    pub use otlp_runtime::init::init_or_say;
    pub use otlp_runtime::macro_support::*;
}
