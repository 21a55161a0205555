fn expansion() -> ::otlp::Span {
    let __otlp_callsite = {
        static __OTLP_CALLSITE: ::otlp::__private::Callsite =
            ::otlp::__private::Callsite::new(::otlp::__private::Metadata {
                name: "step",
                path: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                level: ::otlp::__private::Level::Info,
                kind: ::otlp::__private::SpanKind::Internal,
                keys: &["n", "label"],
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
    ::otlp::__private::span(__otlp_callsite, |__otlp_fields: &mut ::otlp::__private::Fields<'_>| {
        __otlp_fields.value(0u16, &(n));
        __otlp_fields.display(1u16, &(text));
    })
}
