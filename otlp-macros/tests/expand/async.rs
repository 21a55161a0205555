async fn wait(n: u32) {
    let __otlp_span = {
        let __otlp_span = {
            let __otlp_callsite = {
                static __OTLP_CALLSITE: crate::telemetry::__private::Callsite =
                    crate::telemetry::__private::Callsite::new(crate::telemetry::__private::Metadata {
                        name: "wait",
                        path: ::core::concat!(::core::module_path!(), "::", "wait"),
                        file: ::core::file!(),
                        line: ::core::line!(),
                        level: crate::telemetry::__private::Level::Info,
                        kind: crate::telemetry::__private::SpanKind::Internal,
                        keys: &[KEY],
                        scope: crate::telemetry::__private::Scope {
                            name: ::core::env!("CARGO_PKG_NAME"),
                            version: ::core::env!("CARGO_PKG_VERSION"),
                        },
                        root: false,
                        sample: ::core::option::Option::None,
                    });
                crate::telemetry::__private::register! { __OTLP_CALLSITE }
                &__OTLP_CALLSITE
            };
            if __otlp_callsite.is_enabled() {
                crate::telemetry::__private::start(
                    __otlp_callsite,
                    |__otlp_fields: &mut crate::telemetry::__private::Fields<'_>| {
                        __otlp_fields.value(0u16, &(n));
                    },
                )
            } else {
                crate::telemetry::__private::SpanHandle::none()
            }
        };
        __otlp_span.open()
    };
    let __otlp_future = crate::telemetry::__private::keep(async move {
        if false {
            return;
        }
        { sleep(n).await }
    });
    if let ::core::option::Option::Some(__otlp_span) = __otlp_span {
        __otlp_future.within(__otlp_span, |_, _| {}).await
    } else {
        __otlp_future.alone().await
    }
}
