impl<T> Shop<T> {
    const LIMIT: usize = 1;
    fn left_out(&self) {}
    fn order(&self, id: u64, #[cfg(x)] more: u8, token: &str) {
        let __otlp_guard = {
            let __otlp_callsite = {
                static __OTLP_CALLSITE: ::otlp::__private::Callsite =
                    ::otlp::__private::Callsite::new(::otlp::__private::Metadata {
                        name: "Shop::order",
                        path: ::core::concat!(::core::module_path!(), "::", "Shop::order"),
                        file: ::core::file!(),
                        line: ::core::line!(),
                        level: ::otlp::__private::Level::Trace,
                        kind: ::otlp::__private::SpanKind::Server,
                        keys: &["id", "more"],
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
                ::otlp::__private::enter(__otlp_callsite, |__otlp_fields: &mut ::otlp::__private::Fields<'_>| {
                    use ::otlp::__private::RecordArgument as _;
                    (&::otlp::__private::Argument(&id)).otlp_argument(__otlp_fields, 0u16);
                    #[cfg(x)]
                    (&::otlp::__private::Argument(&more)).otlp_argument(__otlp_fields, 1u16);
                })
            } else {
                ::core::option::Option::None
            }
        };
        {}
    }
}
