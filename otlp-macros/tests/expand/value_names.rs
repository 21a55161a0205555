#[automatically_derived]
impl ::otlp::__private::Value for State {
    #[inline]
    fn record(&self, __otlp_writer: &mut ::otlp::__private::ValueWriter<'_>) {
        match self {
            Self::New { .. } => __otlp_writer.str("new"),
            Self::InProgress { .. } => __otlp_writer.str("in_progress"),
            Self::Done { .. } => __otlp_writer.str("all done"),
        }
    }
    #[inline]
    fn is_plain(&self) -> ::core::primitive::bool {
        true
    }
}
