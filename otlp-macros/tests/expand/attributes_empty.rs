#[automatically_derived]
impl crate::telemetry::__private::Attributes for Nothing {
    #[inline]
    fn record(&self, _: &mut crate::telemetry::__private::AttributeWriter<'_>) {}
}
