#![doc = include_str!("../README.md")]

/// ```
/// #[derive(otlp::Attributes)]
/// #[attributes(prefix = "shop.")]
/// struct Order {
///     id: u64,
///     coupon: Option<String>,
///     #[attribute(rename = "customer.name", display)]
///     customer: &'static str,
///     #[attribute(skip)]
///     card: String,
/// }
///
/// let order = Order { id: 7, coupon: None, customer: "Ada", card: "4111".to_owned() };
/// let span = otlp::span!("place", ..order);
/// span.add_event("placed", &order);
/// # let (_, captured) = otlp::testing::capture(|| drop(otlp::span!("place", ..order)));
/// # let place = captured.one("place");
/// # assert_eq!((place.i64("shop.id"), place.string("shop.customer.name")), (Some(7), Some("Ada")));
/// # assert_eq!((place.attributes.len(), order.card.len()), (2, 4));
/// ```
pub use otlp_macros::Attributes;
/// ```
/// #[derive(otlp::Value)]
/// struct OrderId(u64);
///
/// #[derive(otlp::Value)]
/// #[value(rename_all = "snake_case")]
/// enum Payment {
///     Cash,
///     GiftCard,
/// }
///
/// let (id, payment) = (OrderId(7), Payment::GiftCard);
/// let _span = otlp::span!("pay", id, payment, other = Payment::Cash);
/// # let (_, captured) = otlp::testing::capture(|| drop(otlp::span!("pay", id, payment)));
/// # assert_eq!(captured.one("pay").i64("id"), Some(7));
/// # assert_eq!(captured.one("pay").string("payment"), Some("gift_card"));
/// ```
pub use otlp_macros::Value;
pub use otlp_macros::{main, traced};
#[cfg(feature = "testing")]
pub use otlp_runtime::testing;
#[cfg(feature = "stream")]
pub use otlp_runtime::trace::StreamExt;
#[cfg(feature = "tokio")]
pub use otlp_runtime::trace::task;
#[doc(inline)]
pub use otlp_runtime::{
    account,
    config::{
        Compression, LogLevel, OtlpConfig, ParentBased, Pem, ResourceDetector, Sampler, SamplingDecision,
        SamplingInput, SamplingParent, ShouldSample, SpanLimits, TracesExporter, TransportProtocol,
    },
    data::{AttributeValue, Level, Resource, SCHEMA_URL, SpanId, SpanKind, StatusCode, TraceFlags, TraceId},
    error::OtlpError,
    init::{OtlpGuard, flush, flush_async, init, shutdown},
    record::registry::{CallsiteInfo, callsites, set_filter},
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
                sample: ::core::option::Option::None,
            });
        $crate::__private::register! { __OTLP_CALLSITE }
        $crate::__private::enabled(&__OTLP_CALLSITE)
    }};
}

/// An event with a name. Until there are logs, it is an event of the current span.
#[doc(hidden)]
#[macro_export]
macro_rules! event {
    ($($tokens:tt)*) => {
        $crate::__private::__event!([$crate] event $($tokens)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! trace {
    ($($tokens:tt)*) => {
        $crate::__private::__event!([$crate] trace $($tokens)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! debug {
    ($($tokens:tt)*) => {
        $crate::__private::__event!([$crate] debug $($tokens)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! info {
    ($($tokens:tt)*) => {
        $crate::__private::__event!([$crate] info $($tokens)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! warn {
    ($($tokens:tt)*) => {
        $crate::__private::__event!([$crate] warn $($tokens)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! error {
    ($($tokens:tt)*) => {
        $crate::__private::__event!([$crate] error $($tokens)*)
    };
}

#[doc = include_str!("../docs/guide.md")]
#[cfg(any(doc, doctest))]
pub mod guide {}

#[doc = include_str!("../docs/tracing.md")]
#[cfg(any(doc, doctest))]
pub mod coming_from_tracing {}

/// What expansions of the macros name. Not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use otlp_macros::{__event, __span};
    pub use otlp_runtime::init::init_or_say;
    pub use otlp_runtime::macro_support::*;
}
