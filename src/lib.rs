#![doc = include_str!("../README.md")]

pub use otlp_macros::traced;
#[cfg(feature = "testing")]
pub use otlp_runtime::testing;
#[cfg(feature = "stream")]
pub use otlp_runtime::trace::StreamExt;
#[cfg(feature = "tokio")]
pub use otlp_runtime::trace::task;
#[doc(inline)]
pub use otlp_runtime::{
    account,
    config::{OtlpConfig, Sampler, SpanLimits, TransportProtocol},
    data::{AttributeValue, Level, Resource, SpanId, SpanKind, StatusCode, TraceFlags, TraceId},
    error::OtlpError,
    init::{OtlpGuard, flush, flush_async, init, shutdown},
    record::value::{AttributeWriter, Attributes, Value, ValueWriter},
    status::{Status, status},
    trace::{Context, ContextGuard, EnteredSpan, FutureExt, InContext, InSpan, Span, SpanBuilder, SpanRef, thread},
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

/// Whether a span that started here now would be recorded: to save work that serves telemetry alone.
///
/// A level may be given, as for [`macro@traced`]; without one it is `info`. Costs one relaxed load while nobody records. Where
/// a new trace would start, the sampler decides by its id: `true` means that it may be recorded then.
///
/// ```
/// if otlp::enabled!(debug) {
///     let sizes: Vec<usize> = ["a", "bc"].iter().map(|part| part.len()).collect();
///     otlp::Span::current().set_attribute("sizes", sizes);
/// }
/// ```
#[macro_export]
macro_rules! enabled {
    () => {
        $crate::enabled!(info)
    };
    (trace) => {
        $crate::enabled!($crate::Level::Trace)
    };
    (debug) => {
        $crate::enabled!($crate::Level::Debug)
    };
    (info) => {
        $crate::enabled!($crate::Level::Info)
    };
    (warn) => {
        $crate::enabled!($crate::Level::Warn)
    };
    (error) => {
        $crate::enabled!($crate::Level::Error)
    };
    ($level:expr) => {{
        static __OTLP_CALLSITE: $crate::__private::Callsite =
            $crate::__private::Callsite::new($crate::__private::Metadata {
                name: "enabled!",
                path: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                level: $level,
                kind: $crate::__private::SpanKind::Internal,
                keys: &[],
                scope: $crate::__private::Scope {
                    name: ::core::env!("CARGO_PKG_NAME"),
                    version: ::core::env!("CARGO_PKG_VERSION"),
                },
                root: false,
            });
        $crate::__private::inventory::submit! { $crate::__private::Registered(&__OTLP_CALLSITE) }
        $crate::__private::enabled(&__OTLP_CALLSITE)
    }};
}

/// What expansions of the macros name. Not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use otlp_macros::__span;
    pub use otlp_runtime::macro_support::*;
}
