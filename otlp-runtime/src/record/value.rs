//! What can be recorded as an attribute: [`Value`] and [`Attributes`].

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use super::journal::{Journal, Key, Mark};
use super::layout::tag;
use super::text::{Text, caught};

/// A type whose values can be attributes.
///
/// Integers, floats, booleans, text, bytes, [`Duration`] (seconds), slices, arrays and vectors of these, `Option`
/// (`None` is left out) and references and smart pointers to these are values. `#[derive(otlp::Value)]` makes a newtype or
/// an enum a value; any other type records what it consists of:
///
/// ```ignore
/// struct OrderId(u64);
///
/// impl otlp::Value for OrderId {
///     fn record(&self, writer: &mut otlp::ValueWriter<'_>) {
///         writer.u64(self.0);
///     }
/// }
/// ```
///
/// Types of other crates are values with these features:
///
/// | feature | types |
/// |---|---|
/// | `uuid` | `Uuid`: its hyphenated text |
/// | `chrono` | `DateTime`, `NaiveDateTime`, `NaiveDate` and `NaiveTime`: their text as in RFC 3339; `TimeDelta`: seconds |
/// | `url` | `Url`: its text without the name and the password of a user; the query stays |
/// | `http-types` | of `http`: `Method`, `StatusCode` (an integer), `Version` (`1.1`, `2`), `HeaderName`; `Uri`, without the name and the password of a user; `HeaderValue`, left out if it is marked as sensitive or is not visible ASCII |
///
/// A panic in `record` is caught; the attribute is then left out and counted in `dropped_attributes_count`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as an attribute",
    label = "not a `Value`",
    note = "record its text with `%` (Display) or `?` (Debug), or write `#[derive(otlp::Value)]` on a type of your own"
)]
pub trait Value {
    /// Writes the value: one call of one of the writer's methods, or none to leave the attribute out.
    fn record(&self, writer: &mut ValueWriter<'_>);

    /// Whether `record` runs none of the user's code.
    #[doc(hidden)]
    #[inline(always)]
    fn is_plain(&self) -> bool {
        false
    }

    /// The slice as bytes, if that is what it is.
    #[doc(hidden)]
    #[inline(always)]
    fn bytes(slice: &[Self]) -> Option<&[u8]>
    where
        Self: Sized,
    {
        let _ = slice;
        None
    }
}

/// Takes one value; see [`Value::record`]. Of several, the last counts.
pub struct ValueWriter<'w> {
    journal: &'w mut Journal,
    key: Key<'w>,
    /// Where the value begins, unless its type is known to write one.
    start: Option<Mark>,
}

impl fmt::Debug for ValueWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueWriter")
    }
}

impl ValueWriter<'_> {
    /// Forgets what was written before: the last value counts.
    #[inline(always)]
    fn begin(&mut self) {
        if let Some(start) = self.start {
            self.journal.roll_back(start);
        }
    }

    /// A signed integer.
    #[inline(always)]
    pub fn i64(&mut self, value: i64) {
        self.begin();
        self.journal.word(self.key, tag::I64, value.cast_unsigned());
    }

    /// An unsigned integer; above `i64::MAX` it is recorded as decimal text, for OTLP has no such integers.
    #[inline(always)]
    pub fn u64(&mut self, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.i64(value),
            Err(_) => self.by_value().decimal(value.into()),
        }
    }

    /// A signed integer; beyond `i64` it is recorded as decimal text.
    pub fn i128(&mut self, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.i64(value),
            Err(_) => self.display(&value),
        }
    }

    /// An unsigned integer; above `i64::MAX` it is recorded as decimal text.
    pub fn u128(&mut self, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.i64(value),
            Err(_) => self.by_value().decimal(value),
        }
    }

    /// For a call that is not compiled in place: this stays in registers then.
    #[inline(always)]
    fn by_value(&mut self) -> ValueWriter<'_> {
        ValueWriter { journal: self.journal, key: self.key, start: self.start }
    }

    #[cold]
    fn decimal(mut self, value: u128) {
        self.display(&value);
    }

    /// A floating-point number; NaN and the infinities are kept.
    #[inline(always)]
    pub fn f64(&mut self, value: f64) {
        self.begin();
        self.journal.word(self.key, tag::F64, value.to_bits());
    }

    /// True or false.
    #[inline(always)]
    pub fn bool(&mut self, value: bool) {
        self.begin();
        self.journal.flag(self.key, if value { tag::TRUE } else { tag::FALSE });
    }

    /// Text.
    #[inline(always)]
    pub fn str(&mut self, value: &str) {
        self.begin();
        self.journal.bytes(self.key, tag::STR, value.as_bytes());
    }

    /// Bytes.
    #[inline]
    pub fn bytes(&mut self, value: &[u8]) {
        self.begin();
        self.journal.bytes(self.key, tag::BYTES, value);
    }

    /// The text of a `Display`. If that panics, the value is left out and counted.
    pub fn display(&mut self, value: &dyn fmt::Display) {
        self.text(Text::of(value));
    }

    /// The text of a `Debug`. If that panics, the value is left out and counted.
    pub fn debug(&mut self, value: &dyn fmt::Debug) {
        self.text(Text::of_debug(value));
    }

    fn text(&mut self, text: Option<Text>) {
        self.begin();
        match text {
            Some(text) => self.journal.bytes(self.key, tag::STR, text.as_bytes()),
            None => self.journal.lost_mut().add_attributes(1),
        }
    }

    /// Several values. `None` among them stays, as an empty value.
    pub fn array<V: Value>(&mut self, values: impl IntoIterator<Item = V>) {
        self.begin();
        let before = self.journal.mark();
        if let Some(open) = self.journal.open(self.key, tag::ARRAY, &[]) {
            for value in values {
                let element = self.journal.mark();
                let start = (!value.is_plain()).then_some(element);
                value.record(&mut ValueWriter { journal: self.journal, key: Key::None, start });
                if self.journal.is_at(element) {
                    self.journal.flag(Key::None, tag::NULL);
                }
            }
            if self.journal.has_lost_nothing_since(before) {
                return self.journal.close(open);
            }
        }
        // An array with holes would say something else: all of it or nothing.
        self.journal.roll_back(before);
        self.journal.lost_mut().add_attributes(1);
    }
}

impl Journal {
    /// Records `value` under `key`. The journal is not reachable from elsewhere while the user's code runs.
    #[inline(always)]
    pub(crate) fn value<V: Value + ?Sized>(&mut self, key: Key<'_>, value: &V) {
        if value.is_plain() {
            value.record(&mut ValueWriter { journal: self, key, start: None });
        } else {
            let start = Some(self.mark());
            self.guarded(|journal| value.record(&mut ValueWriter { journal, key, start }));
        }
    }

    pub(crate) fn display(&mut self, key: Key<'_>, value: &dyn fmt::Display) {
        ValueWriter { journal: self, key, start: None }.display(value);
    }

    pub(crate) fn debug(&mut self, key: Key<'_>, value: &dyn fmt::Debug) {
        ValueWriter { journal: self, key, start: None }.debug(value);
    }

    pub(crate) fn attributes<A: Attributes + ?Sized>(&mut self, attributes: &A) {
        // Each attribute is written as a whole, so that those before a panic stay.
        if caught(|| attributes.record(&mut AttributeWriter { journal: &mut *self })).is_none() {
            self.lost_mut().add_attributes(1);
        }
    }

    fn guarded(&mut self, write: impl FnOnce(&mut Journal)) {
        let before = self.mark();
        if caught(|| write(&mut *self)).is_none() {
            self.roll_back(before);
            self.lost_mut().add_attributes(1);
        }
    }
}

macro_rules! plain {
    ($($ty:ty => |$value:ident, $writer:ident| $record:expr;)*) => {$(
        impl Value for $ty {
            #[inline(always)]
            fn record(&self, $writer: &mut ValueWriter<'_>) {
                let $value = self;
                $record;
            }
            #[inline(always)]
            fn is_plain(&self) -> bool {
                true
            }
        }
    )*};
}

// Behind the macro, which it uses.
mod foreign;

plain! {
    i8 => |v, w| w.i64((*v).into());
    i16 => |v, w| w.i64((*v).into());
    i32 => |v, w| w.i64((*v).into());
    i64 => |v, w| w.i64(*v);
    i128 => |v, w| w.i128(*v);
    isize => |v, w| w.i64(*v as i64);
    u16 => |v, w| w.i64((*v).into());
    u32 => |v, w| w.i64((*v).into());
    u64 => |v, w| w.u64(*v);
    u128 => |v, w| w.u128(*v);
    usize => |v, w| w.u64(*v as u64);
    f32 => |v, w| w.f64((*v).into());
    f64 => |v, w| w.f64(*v);
    bool => |v, w| w.bool(*v);
    str => |v, w| w.str(v);
    String => |v, w| w.str(v);
    char => |v, w| w.str(v.encode_utf8(&mut [0; 4]));
    Duration => |v, w| w.f64(v.as_secs_f64());
    std::borrow::Cow<'_, str> => |v, w| w.str(v);
}

impl Value for u8 {
    #[inline(always)]
    fn record(&self, writer: &mut ValueWriter<'_>) {
        writer.i64((*self).into());
    }
    #[inline(always)]
    fn is_plain(&self) -> bool {
        true
    }
    #[inline(always)]
    fn bytes(slice: &[Self]) -> Option<&[u8]> {
        Some(slice)
    }
}

macro_rules! pointer {
    ($($pointer:ty),*) => {$(
        impl<V: Value + ?Sized> Value for $pointer {
            #[inline(always)]
            fn record(&self, writer: &mut ValueWriter<'_>) {
                (**self).record(writer);
            }
            #[inline(always)]
            fn is_plain(&self) -> bool {
                (**self).is_plain()
            }
        }
    )*};
}
pointer!(&V, &mut V, Box<V>, std::sync::Arc<V>, std::rc::Rc<V>);

impl<V: Value> Value for Option<V> {
    #[inline(always)]
    fn record(&self, writer: &mut ValueWriter<'_>) {
        if let Some(value) = self {
            value.record(writer);
        }
    }
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.as_ref().is_none_or(Value::is_plain)
    }
}

/// A slice of `u8` is recorded as bytes, any other as an array.
impl<V: Value> Value for [V] {
    #[inline]
    fn record(&self, writer: &mut ValueWriter<'_>) {
        match V::bytes(self) {
            Some(bytes) => writer.bytes(bytes),
            None => writer.array(self),
        }
    }
    #[inline]
    fn is_plain(&self) -> bool {
        self.iter().all(Value::is_plain)
    }
}

macro_rules! list {
    ($([$($generics:tt)*] $list:ty),*) => {$(
        impl<$($generics)*> Value for $list {
            #[inline]
            fn record(&self, writer: &mut ValueWriter<'_>) {
                self.as_slice().record(writer);
            }
            #[inline]
            fn is_plain(&self) -> bool {
                self.as_slice().is_plain()
            }
        }
    )*};
}
list!([V: Value] Vec<V>, [V: Value, const N: usize] [V; N]);

/// Several attributes at once, for events, links and `..spread`.
///
/// `()` has none; arrays, slices, vectors and maps of pairs of key and value are attributes, and so are tuples of up to
/// eight such pairs, whose values may differ in type: `(("file", path), ("lines", 17))`. `#[derive(otlp::Attributes)]` makes
/// a struct attributes.
///
/// A panic in `record` is caught: what was written before it stays, and one more is counted in `dropped_attributes_count`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no attributes to record",
    label = "not `Attributes`",
    note = "write pairs of key and value: `[(\"key\", value)]`, or a tuple of pairs if the values differ in type",
    note = "or write `#[derive(otlp::Attributes)]` on a struct of your own"
)]
pub trait Attributes {
    /// Writes each attribute.
    fn record(&self, writer: &mut AttributeWriter<'_>);
}

/// Takes attributes; see [`Attributes::record`].
pub struct AttributeWriter<'w> {
    journal: &'w mut Journal,
}

impl fmt::Debug for AttributeWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttributeWriter")
    }
}

impl AttributeWriter<'_> {
    /// One attribute. A later one of the same key wins; an empty key is refused and counted.
    pub fn attribute<V: Value + ?Sized>(&mut self, key: &str, value: &V) {
        self.journal.value(Key::Inline(key), value);
    }

    /// One attribute with the text of a `Display`.
    pub fn display(&mut self, key: &str, value: &dyn fmt::Display) {
        self.journal.display(Key::Inline(key), value);
    }

    /// One attribute with the text of a `Debug`.
    pub fn debug(&mut self, key: &str, value: &dyn fmt::Debug) {
        self.journal.debug(Key::Inline(key), value);
    }
}

impl Attributes for () {
    fn record(&self, _: &mut AttributeWriter<'_>) {}
}

macro_rules! pointer_to_attributes {
    ($($pointer:ty),*) => {$(
        impl<A: Attributes + ?Sized> Attributes for $pointer {
            fn record(&self, writer: &mut AttributeWriter<'_>) {
                (**self).record(writer);
            }
        }
    )*};
}
pointer_to_attributes!(&A, &mut A, Box<A>, std::sync::Arc<A>, std::rc::Rc<A>);

/// `None` has none.
impl<A: Attributes> Attributes for Option<A> {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        if let Some(attributes) = self {
            attributes.record(writer);
        }
    }
}

impl<K: AsRef<str>, V: Value> Attributes for [(K, V)] {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.iter().for_each(|(key, value)| writer.attribute(key.as_ref(), value));
    }
}

impl<K: AsRef<str>, V: Value, const N: usize> Attributes for [(K, V); N] {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.as_slice().record(writer);
    }
}

impl<K: AsRef<str>, V: Value> Attributes for Vec<(K, V)> {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.as_slice().record(writer);
    }
}

impl<K: AsRef<str>, V: Value, S> Attributes for HashMap<K, V, S> {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.iter().for_each(|(key, value)| writer.attribute(key.as_ref(), value));
    }
}

impl<K: AsRef<str>, V: Value> Attributes for BTreeMap<K, V> {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.iter().for_each(|(key, value)| writer.attribute(key.as_ref(), value));
    }
}

macro_rules! tuple {
    ($($key:ident $value:ident $index:tt),*) => {
        impl<$($key: AsRef<str>, $value: Value),*> Attributes for ($(($key, $value),)*) {
            fn record(&self, writer: &mut AttributeWriter<'_>) {
                $(writer.attribute(self.$index.0.as_ref(), &self.$index.1);)*
            }
        }
    };
}
tuple!(K0 V0 0);
tuple!(K0 V0 0, K1 V1 1);
tuple!(K0 V0 0, K1 V1 1, K2 V2 2);
tuple!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3);
tuple!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4);
tuple!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5);
tuple!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6);
tuple!(K0 V0 0, K1 V1 1, K2 V2 2, K3 V3 3, K4 V4 4, K5 V5 5, K6 V6 6, K7 V7 7);
