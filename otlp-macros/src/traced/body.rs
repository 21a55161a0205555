//! The recording bodies. The user's braces and all in them are carried as they are; every other token belongs to the
//! expansion, so that errors in the body point at the user's lines, and lints pass over what is ours.

use proc_macro2::{Group, Span, TokenStream};
use quote::quote_spanned;
use syn::ReturnType;

use super::model::{Returns, Traced};
use super::options::Ret;
use crate::fields::Form;

/// A guard around the body. Where the result is looked at, the body is a closure, so that `return` and `?` end there; it
/// goes through a helper that takes `FnOnce`, because only then it owns what it captured and may return a reborrow of it.
/// Without a span its result goes straight to the caller: what is looked at has to lie in memory, which costs more than
/// everything else that a function pays that is not recorded.
pub(super) fn synchronous(traced: &Traced, record: &TokenStream) -> TokenStream {
    let private = &traced.private;
    let block = &traced.function.body.block;
    let site = Span::mixed_site();
    let enter = match &traced.parent {
        None => quote_spanned!(site=> #private::enter(&__OTLP_CALLSITE, #record)),
        Some(parent) => quote_spanned!(site=> #private::enter_below(&__OTLP_CALLSITE, #parent, #record)),
    };
    let guard = quote_spanned! {site=>
        let __otlp_guard = if __OTLP_CALLSITE.is_enabled() {
            #enter
        } else {
            ::core::option::Option::None
        };
    };
    if !traced.inspect && traced.ret.is_none() {
        return quote_spanned!(site=> #guard #block);
    }
    let typed = match &traced.returns {
        Returns::Type(ty) => quote_spanned!(site=> -> #ty),
        _ => TokenStream::new(),
    };
    let look = look(traced);
    quote_spanned! {site=>
        #guard
        let __otlp_body = #private::once(move || #typed #block);
        let ::core::option::Option::Some(__otlp_guard) = __otlp_guard else { return __otlp_body() };
        let __otlp_returned = #private::call(__otlp_body);
        {
            let (__otlp_outcome, __otlp_returned) = (&__otlp_guard.outcome(), &__otlp_returned);
            #look
        }
        __otlp_returned
    }
}

/// Tells `__otlp_outcome` of the error in `__otlp_returned`, and of the value; asks whether that is a future.
fn look(traced: &Traced) -> TokenStream {
    let private = &traced.private;
    let site = Span::mixed_site();
    let ask = traced.ask.map(|at| {
        let here = site.located_at(at);
        let ask = quote_spanned!(here=> (&#private::Inspect(__otlp_returned)).otlp_is_future());
        quote_spanned!(site=> { use #private::{IsFuture as _, IsNoFuture as _}; #ask; })
    });
    let inspect = traced.inspect.then(|| {
        let outcome = if traced.event {
            quote_spanned!(site=> __otlp_outcome)
        } else {
            quote_spanned!(site=> &__otlp_outcome.without_event())
        };
        quote_spanned! {site=>
            use #private::InspectReturn as _;
            (&&&&&#private::Inspect(__otlp_returned)).otlp_inspect(#outcome);
        }
    });
    let ret = traced.ret.as_ref().map(|Ret { form, word }| {
        let here = site.located_at(word.span());
        let method = match form {
            Form::Value => quote_spanned!(here=> ret),
            Form::Display => quote_spanned!(here=> ret_display),
            Form::Debug => quote_spanned!(here=> ret_debug),
        };
        let record = quote_spanned!(here=> __otlp_outcome.#method(__otlp_value));
        quote_spanned! {site=>
            use #private::ReturnedValue as _;
            if let ::core::option::Option::Some(__otlp_value) = (&#private::Returned(__otlp_returned)).otlp_value() {
                #record;
            }
        }
    });
    quote_spanned!(site=> #ask #inspect #ret)
}

/// Starts the span of a future.
pub(super) fn start(traced: &Traced, record: &TokenStream) -> TokenStream {
    let private = &traced.private;
    let site = Span::mixed_site();
    let start = match &traced.parent {
        None => quote_spanned!(site=> #private::start(&__OTLP_CALLSITE, #record)),
        Some(parent) => quote_spanned!(site=> #private::start_under(&__OTLP_CALLSITE, #parent, #record)),
    };
    quote_spanned! {site=>
        let __otlp_span = if __OTLP_CALLSITE.is_enabled() {
            #start
        } else {
            #private::SpanHandle::none()
        };
    }
}

/// The closure that looks at what a future has given. It captures nothing: a second block around the inner one would store
/// that twice.
fn inspector(traced: &Traced) -> TokenStream {
    let site = Span::mixed_site();
    if !traced.inspect && traced.ret.is_none() {
        return quote_spanned!(site=> |_, _| {});
    }
    let look = look(traced);
    quote_spanned!(site=> |__otlp_outcome, __otlp_returned| { #look })
}

/// One inner future, which owns the arguments and is polled within the span. The fields are evaluated before the
/// arguments move. `keywords` are `async move`, or what the user wrote.
///
/// Without a span it is awaited as it is: it then costs what an `async` block costs. The two awaits are never under way
/// at once, so the future is as large as the larger of them.
pub(super) fn asynchronous(
    traced: &Traced,
    record: &TokenStream,
    keywords: &TokenStream,
    block: &Group,
) -> TokenStream {
    let private = &traced.private;
    let (start, inner, inspect) = (start(traced, record), inner(traced, block), inspector(traced));
    quote_spanned! {Span::mixed_site()=>
        let __otlp_span = { #start __otlp_span.open() };
        let __otlp_future = #private::hold(#keywords { #inner });
        if let ::core::option::Option::Some(__otlp_span) = __otlp_span {
            __otlp_future.within(__otlp_span, #inspect).await
        } else {
            __otlp_future.alone().await
        }
    }
}

/// The future around the user's block, for the span that was started before.
pub(super) fn instrumented(traced: &Traced, keywords: &TokenStream, block: &Group) -> TokenStream {
    let private = &traced.private;
    let (inner, inspect) = (inner(traced, block), inspector(traced));
    quote_spanned!(Span::mixed_site()=> #private::instrument(__otlp_span, #keywords { #inner }, #inspect))
}

/// A future that the body makes somehow. Its span begins with the call, for the body may consume the arguments.
pub(super) fn made(traced: &Traced, record: &TokenStream, boxed: bool) -> TokenStream {
    let private = &traced.private;
    let block = &traced.function.body.block;
    let site = Span::mixed_site();
    let (start, inspect) = (start(traced, record), inspector(traced));
    let typed = match &traced.function.signature.output {
        ReturnType::Type(_, ty) if boxed => quote_spanned!(site=> -> #ty),
        _ => TokenStream::new(),
    };
    let future = quote_spanned!(site=> #private::instrument(__otlp_span, __otlp_future, #inspect));
    // A span that is not recorded costs no second box.
    let future = if boxed {
        quote_spanned!(site=> if __otlp_span.is_none() { __otlp_future } else { #private::pin(#future) })
    } else {
        future
    };
    quote_spanned! {site=>
        #start
        let __otlp_future = #private::call_once(move || #typed #block);
        #future
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
