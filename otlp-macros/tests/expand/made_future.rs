fn f() -> Later<u8> {
    let __otlp_span = {
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
                    sample: ::core::option::Option::None,
                });
            ::otlp::__private::register! { __OTLP_CALLSITE }
            &__OTLP_CALLSITE
        };
        if __otlp_callsite.is_enabled() {
            ::otlp::__private::start(__otlp_callsite, |_| {})
        } else {
            ::otlp::__private::SpanHandle::none()
        }
    };
    let __otlp_future = ::otlp::__private::call_once(move || -> Later<u8> { g() });
    ::otlp::__private::hold::<Later<u8>, _>(__otlp_span, __otlp_future, |__otlp_outcome, __otlp_returned| {
        use ::otlp::__private::InspectReturn as _;
        (&&&&&::otlp::__private::Inspect(__otlp_returned)).otlp_inspect(__otlp_outcome);
    })
}
