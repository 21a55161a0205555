#[inline]
pub(crate) fn load<'a, T: Read>(&'a mut self, key: &str) -> Result<&'a T, Error> {
    #![allow(unused)]
    let __otlp_guard = {
        let __otlp_callsite = {
            static __OTLP_CALLSITE: ::otlp::__private::Callsite =
                ::otlp::__private::Callsite::new(::otlp::__private::Metadata {
                    name: "load it",
                    path: ::core::concat!(::core::module_path!(), "::", "load"),
                    file: ::core::file!(),
                    line: ::core::line!(),
                    level: ::otlp::__private::Level::Debug,
                    kind: ::otlp::__private::SpanKind::Client,
                    keys: &["key", "name", "n"],
                    scope: ::otlp::__private::Scope {
                        name: ::core::env!("CARGO_PKG_NAME"),
                        version: ::core::env!("CARGO_PKG_VERSION"),
                    },
                    root: true,
                    sample: ::core::option::Option::None,
                });
            ::otlp::__private::register! { __OTLP_CALLSITE }
            &__OTLP_CALLSITE
        };
        if __otlp_callsite.is_enabled() {
            ::otlp::__private::enter(__otlp_callsite, |__otlp_fields: &mut ::otlp::__private::Fields<'_>| {
                __otlp_fields.value(0u16, &(key));
                __otlp_fields.display(1u16, &(self.name));
                __otlp_fields.debug(2u16, &(key.len()));
                __otlp_fields.spread(&(more));
            })
        } else {
            ::core::option::Option::None
        }
    };
    let __otlp_body = ::otlp::__private::once(move || -> Result<&'a T, Error> { self.find(key) });
    let ::core::option::Option::Some(__otlp_guard) = __otlp_guard else { return __otlp_body() };
    let __otlp_returned = ::otlp::__private::call(__otlp_body);
    {
        let (__otlp_outcome, __otlp_returned) = (&__otlp_guard.outcome(), &__otlp_returned);
        use ::otlp::__private::InspectReturn as _;
        (&&&&&::otlp::__private::Inspect(__otlp_returned)).otlp_inspect(__otlp_outcome);
    }
    __otlp_returned
}
