//! The recording bodies. The user's braces and all in them are carried as they are; every other token belongs to the
//! expansion, so that errors in the body point at the user's lines, and lints pass over what is ours.

use proc_macro2::{Group, Span, TokenStream};
use quote::quote_spanned;
use syn::{ReturnType, Type};

use super::in_place;
use super::model::{Returns, Traced};
use super::options::Ret;
use super::returns::{has_impl, repeatable};
use crate::derive::Here;
use crate::fields::Form;

/// What a span is opened with.
pub(super) struct Opening {
    /// The expression that gives the callsite.
    pub(super) callsite: TokenStream,
    /// The closure that records the fields.
    pub(super) fields: TokenStream,
}

/// A guard around the body. Where the result is looked at, the body is a closure, so that `return` and `?` end there; it
/// goes through a helper that takes `FnOnce`, because only then it owns what it captured and may return a reborrow of it.
/// Without a span its result goes straight to the caller: what is looked at has to lie in memory, which costs more than
/// everything else that a function pays that is not recorded.
pub(super) fn synchronous(traced: &Traced, opening: &Opening) -> TokenStream {
    let Opening { callsite, fields } = opening;
    let private = &traced.private;
    let block = &traced.function.body.block;
    let site = Span::mixed_site();
    let enter = match &traced.parent {
        None => quote_spanned!(site=> #private::enter(__otlp_callsite, #fields)),
        Some(parent) => quote_spanned!(site=> #private::enter_below(__otlp_callsite, #parent, #fields)),
    };
    let guard = quote_spanned! {site=>
        let __otlp_guard = {
            let __otlp_callsite = #callsite;
            if __otlp_callsite.is_enabled() { #enter } else { ::core::option::Option::None }
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
pub(super) fn start(traced: &Traced, opening: &Opening) -> TokenStream {
    let Opening { callsite, fields } = opening;
    let private = &traced.private;
    let site = Span::mixed_site();
    let start = match &traced.parent {
        None => quote_spanned!(site=> #private::start(__otlp_callsite, #fields)),
        Some(parent) => quote_spanned!(site=> #private::start_under(__otlp_callsite, #parent, #fields)),
    };
    quote_spanned! {site=>
        let __otlp_span = {
            let __otlp_callsite = #callsite;
            if __otlp_callsite.is_enabled() { #start } else { #private::SpanHandle::none() }
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
pub(super) fn asynchronous(traced: &Traced, opening: &Opening, keywords: &TokenStream, block: &Group) -> TokenStream {
    let private = &traced.private;
    let (start, inner, inspect) = (start(traced, opening), inner(traced, block), inspector(traced));
    quote_spanned! {Span::mixed_site()=>
        let __otlp_span = { #start __otlp_span.open() };
        let __otlp_future = #private::keep(#keywords { #inner });
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

/// A future that the body makes somehow. Its span begins with the call, for the body may consume the arguments. What the
/// signature says of it is said to the compiler before anything looks at it.
pub(super) fn made(traced: &Traced, opening: &Opening, held: bool) -> TokenStream {
    let private = &traced.private;
    let site = Span::mixed_site();
    let (start, inspect) = (start(traced, opening), inspector(traced));
    let (returned, has_impl) = match &traced.function.signature.output {
        ReturnType::Type(_, ty) if held => (Some(repeatable(ty)), has_impl(ty)),
        _ => (None, false),
    };
    let future = made_future(traced, returned.as_ref());
    let future = match (returned.is_none() || has_impl, &traced.returns) {
        (true, Returns::Type(ty)) => quote_spanned!(site=> #private::gives::<#ty, _>(#future)),
        (true, Returns::Unit) => quote_spanned!(site=> #private::gives::<(), _>(#future)),
        _ => future,
    };
    let wrapped = match returned {
        // A box of what the body makes.
        Some(_) if has_impl => {
            quote_spanned!(site=> #private::pin(#private::instrument(__otlp_span, __otlp_future, #inspect)))
        }
        Some(ty) => {
            // A type that cannot hold it is an error at the type.
            let here = Here::of(&ty);
            let private = here.path(private);
            let hold = quote_spanned!(here.start=> #private::hold::<#ty, _>);
            let arguments = quote_spanned!(here.start=> (__otlp_span, __otlp_future, #inspect));
            quote_spanned!(site=> #hold #arguments)
        }
        None => quote_spanned!(site=> #private::instrument(__otlp_span, __otlp_future, #inspect)),
    };
    quote_spanned! {site=>
        #start
        let __otlp_future = #future;
        #wrapped
    }
}

/// The user's block, out of which `return` gives the future too.
fn made_future(traced: &Traced, returned: Option<&Type>) -> TokenStream {
    let private = &traced.private;
    let block = &traced.function.body.block;
    let site = Span::mixed_site();
    if traced.tracks_caller {
        return in_place::block(block, returned);
    }
    let typed = returned.map(|ty| quote_spanned!(site=> -> #ty));
    quote_spanned!(site=> #private::call_once(move || #typed #block))
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
