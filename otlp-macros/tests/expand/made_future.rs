fn f() -> Later<u8> {
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
    let __otlp_span = if __OTLP_CALLSITE.is_enabled() {
        ::otlp::__private::start(&__OTLP_CALLSITE, |_| {})
    } else {
        ::otlp::__private::SpanHandle::none()
    };
    let __otlp_future = ::otlp::__private::call_once(move || -> Later<u8> { g() });
    if __otlp_span.is_none() {
        __otlp_future
    } else {
        ::otlp::__private::pin(::otlp::__private::instrument(
            __otlp_span,
            __otlp_future,
            |__otlp_outcome, __otlp_returned| {
                use ::otlp::__private::InspectReturn as _;
                (&&&&&::otlp::__private::Inspect(__otlp_returned)).otlp_inspect(__otlp_outcome);
            },
        ))
    }
}
