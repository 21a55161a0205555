//! The recording bodies. The user's braces and all in them are carried as they are; every other token belongs to the
//! expansion, so that errors in the body point at the user's lines, and lints pass over what is ours.

use proc_macro2::{Group, Span, TokenStream};
use quote::quote_spanned;

use super::model::{Returns, Traced};

/// A guard around the body. Where the result is inspected, the body is a closure, so that `return` and `?` end there; it
/// goes through a helper that takes `FnOnce`, because only then it owns what it captured and may return a reborrow of it.
pub(super) fn synchronous(traced: &Traced, record: &TokenStream) -> TokenStream {
    let private = &traced.private;
    let block = &traced.function.body.block;
    let site = Span::mixed_site();
    let guard = quote_spanned! {site=>
        let __otlp_guard = if __OTLP_CALLSITE.is_enabled() {
            #private::enter(&__OTLP_CALLSITE, #record)
        } else {
            ::core::option::Option::None
        };
    };
    match &traced.returns {
        Returns::Type(ty) if traced.inspect => quote_spanned! {site=>
            #guard
            let __otlp_returned = #private::call_once(move || -> #ty #block);
            if let ::core::option::Option::Some(ref __otlp_guard) = __otlp_guard {
                use #private::InspectReturn as _;
                (&&&&&#private::Inspect(&__otlp_returned)).otlp_inspect(&__otlp_guard.outcome());
            }
            __otlp_returned
        },
        _ => quote_spanned!(site=> #guard #block),
    }
}

/// One inner future, which owns the arguments and is polled within the span. The fields are evaluated before the
/// arguments move. `keywords` are `async move`, or what the user wrote. The outcome is inspected when the inner future is ready, by a closure that captures nothing: a second
/// block around it would store the future twice.
pub(super) fn asynchronous(
    traced: &Traced,
    record: &TokenStream,
    keywords: &TokenStream,
    block: &Group,
) -> TokenStream {
    let private = &traced.private;
    let inner = inner(traced, block);
    let site = Span::mixed_site();
    let inspect = if traced.inspect {
        quote_spanned! {site=> |__otlp_outcome, __otlp_returned| {
            use #private::InspectReturn as _;
            (&&&&&#private::Inspect(__otlp_returned)).otlp_inspect(__otlp_outcome);
        }}
    } else {
        quote_spanned!(site=> |_, _| {})
    };
    quote_spanned! {site=>
        let __otlp_span = if __OTLP_CALLSITE.is_enabled() {
            #private::start(&__OTLP_CALLSITE, #record)
        } else {
            #private::SpanHandle::none()
        };
        #private::instrument(__otlp_span, #keywords { #inner }, #inspect).await
    }
}

/// The user's block, and before it a `return` that is never reached. That tells the inner future its type, as the
/// signature tells an `async fn`: without it `Ok(())` and several returns of `Box<dyn Trait>` would not be inferred.
fn inner(traced: &Traced, block: &Group) -> TokenStream {
    let site = Span::mixed_site();
    let private = &traced.private;
    match &traced.returns {
        Returns::Type(ty) => quote_spanned!(site=> if false { return #private::unreached::<#ty>(); } #block),
        Returns::Unit => quote_spanned!(site=> if false { return; } #block),
        Returns::Opaque => quote_spanned!(site=> #block),
        Returns::Never => quote_spanned! {site=>
            let __otlp_never: #private::Never = #block;
            #[allow(unreachable_code)]
            return __otlp_never;
        },
    }
}
