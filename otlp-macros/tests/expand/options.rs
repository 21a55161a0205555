fn f() -> Result<u8, E> {
    let __otlp_guard = {
        let __otlp_callsite = {
            static __OTLP_CALLSITE: ::otlp::__private::Callsite =
                ::otlp::__private::Callsite::new(::otlp::__private::Metadata {
                    name: "f",
                    path: ::core::concat!(::core::module_path!(), "::", "f"),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    level: ::otlp::__private::Level::Info,
                    kind: ::otlp::__private::SpanKind::Internal,
                    keys: &[],
                    scope: ::otlp::__private::Scope {
                        name: ::core::env!("CARGO_PKG_NAME"),
                        version: ::core::env!("CARGO_PKG_VERSION"),
                    },
                    root: false,
                    sample: ::core::option::Option::Some(0.5f64),
                });
            ::otlp::__private::register! { __OTLP_CALLSITE }
            &__OTLP_CALLSITE
        };
        if __otlp_callsite.is_enabled() {
            ::otlp::__private::enter_below(__otlp_callsite, cx, |__otlp_fields: &mut ::otlp::__private::Fields<'_>| {
                __otlp_fields.links(([a]));
            })
        } else {
            ::core::option::Option::None
        }
    };
    let __otlp_body = ::otlp::__private::once(move || -> Result<u8, E> { g() });
    let ::core::option::Option::Some(__otlp_guard) = __otlp_guard else { return __otlp_body() };
    let __otlp_returned = ::otlp::__private::call(__otlp_body);
    {
        let (__otlp_outcome, __otlp_returned) = (&__otlp_guard.outcome(), &__otlp_returned);
        use ::otlp::__private::InspectReturn as _;
        (&&&&&::otlp::__private::Inspect(__otlp_returned)).otlp_inspect(&__otlp_outcome.without_event());
        use ::otlp::__private::ReturnedValue as _;
        if let ::core::option::Option::Some(__otlp_value) = (&::otlp::__private::Returned(__otlp_returned)).otlp_value()
        {
            __otlp_outcome.ret_display(__otlp_value);
        }
    }
    __otlp_returned
}
