#[automatically_derived]
impl<'a, T, More: ?Sized> ::otlp::__private::Attributes for Order<'a, T, More>
where
    Option<T>: ::otlp::__private::Value,
    T: ::core::fmt::Debug,
    Box<More>: ::otlp::__private::Attributes,
{
    #[inline]
    fn record(&self, __otlp_writer: &mut ::otlp::__private::AttributeWriter<'_>) {
        __otlp_writer.attribute("shop.id", &self.id);
        __otlp_writer.attribute("shop.type", &self.r#type);
        __otlp_writer.display("shop.customer.name", &&self.customer);
        if let ::core::option::Option::Some(__otlp_text) = &self.coupon {
            __otlp_writer.debug("shop.coupon", &__otlp_text);
        }
        ::otlp::__private::Attributes::record(&self.more, __otlp_writer);
    }
}
