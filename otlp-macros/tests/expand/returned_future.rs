fn load<'a>(&'a self, key: Key) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send + 'a>> {
    let __otlp_span = {
        let __otlp_callsite = {
            static __OTLP_CALLSITE: ::otlp::__private::Callsite =
                ::otlp::__private::Callsite::new(::otlp::__private::Metadata {
                    name: "load",
                    path: ::core::concat!(::core::module_path!(), "::", "load"),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    level: ::otlp::__private::Level::Info,
                    kind: ::otlp::__private::SpanKind::Internal,
                    keys: &["name"],
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
            ::otlp::__private::start(__otlp_callsite, |__otlp_fields: &mut ::otlp::__private::Fields<'_>| {
                __otlp_fields.value(0u16, &(self.name));
            })
        } else {
            ::otlp::__private::SpanHandle::none()
        }
    };
    let key = key.normal();
    Box::pin(::otlp::__private::instrument(
        __otlp_span,
        async move {
            if false {
                return ::otlp::__private::unreached::<Result<u32, Error>>();
            }
            { self.get(key).await }
        },
        |__otlp_outcome, __otlp_returned| {
            use ::otlp::__private::InspectReturn as _;
            (&&&&&::otlp::__private::Inspect(__otlp_returned)).otlp_inspect(__otlp_outcome);
        },
    ))
}
