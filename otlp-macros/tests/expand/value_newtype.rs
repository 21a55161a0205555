#[automatically_derived]
impl<'a, T: ?Sized, const N: usize> ::otlp::__private::Value for Page<'a, T, N>
where
    T: Send,
    &'a [Box<T>; N]: ::otlp::__private::Value,
{
    #[inline]
    fn record(&self, __otlp_writer: &mut ::otlp::__private::ValueWriter<'_>) {
        ::otlp::__private::inner(&self.0, ::core::option::Option::Some(__otlp_writer));
    }
    #[inline]
    fn is_plain(&self) -> ::core::primitive::bool {
        ::otlp::__private::inner(&self.0, ::core::option::Option::None)
    }
}
