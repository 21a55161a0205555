#[automatically_derived]
impl<T> crate::telemetry::__private::Value for Command<T>
where
    Self: ::core::fmt::Display,
{
    #[inline]
    fn record(&self, __otlp_writer: &mut crate::telemetry::__private::ValueWriter<'_>) {
        __otlp_writer.display(&self);
    }
}
