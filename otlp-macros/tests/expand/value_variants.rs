#[automatically_derived]
impl<T> ::otlp::__private::Value for Mixed<T>
where
    T: ::otlp::__private::Value,
    Vec<T>: ::core::fmt::Debug,
{
    #[inline]
    fn record(&self, __otlp_writer: &mut ::otlp::__private::ValueWriter<'_>) {
        match self {
            Self::Nothing { .. } => __otlp_writer.str("Nothing"),
            Self::Number { 0: __otlp_value, .. } => {
                ::otlp::__private::inner(&*__otlp_value, ::core::option::Option::Some(__otlp_writer));
            }
            Self::Address { address: __otlp_value, .. } => {
                if let ::core::option::Option::Some(__otlp_text) = &*__otlp_value {
                    __otlp_writer.display(&__otlp_text);
                }
            }
            Self::Seen { 0: __otlp_value, .. } => {
                __otlp_writer.debug(&&*__otlp_value);
            }
        }
    }
    #[inline]
    fn is_plain(&self) -> ::core::primitive::bool {
        match self {
            Self::Nothing { .. } => true,
            Self::Number { 0: __otlp_value, .. } => {
                ::otlp::__private::inner(&*__otlp_value, ::core::option::Option::None)
            }
            Self::Address { .. } => false,
            Self::Seen { .. } => false,
        }
    }
}
