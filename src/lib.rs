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
