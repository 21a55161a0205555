//! What derived values and attributes record.
#![allow(clippy::unwrap_used, missing_docs, dead_code)]

mod support;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use otlp::{Attributes, Span, Value, span, traced};
use support::{attributes, one, pairs};

/// The value that arrives, the same as a field, set later, and within an array.
#[track_caller]
fn arrives(value: &impl Value, expected: &str) {
    let (_, span) = one(|| {
        let span = span!("test", field = value);
        span.set_attribute("set", value);
        span.set_attribute("array", [value, value].as_slice());
    });
    let [field, set] = ["field", "set"].map(|key| format!("{key}={expected}"));
    assert_eq!(attributes(&span), [field, set, format!("array=[{expected}, {expected}]")]);
    assert_eq!(span.dropped_attributes, 0);
}

/// The attributes that arrive, the same by each way to record them.
#[track_caller]
fn gives(value: &impl Attributes, expected: &[&str]) {
    let (_, span) = one(|| {
        let span = span!("test", ..value);
        span.add_event("event", value);
    });
    assert_eq!(attributes(&span), expected);
    assert_eq!(pairs(&span.event("event").unwrap().attributes), expected);
    let (_, set) = one(|| span!("test").set_attributes(value));
    assert_eq!(attributes(&set), expected);
    assert_eq!((span.dropped_attributes, set.dropped_attributes), (0, 0));
}

mod newtypes {
    use super::*;

    #[derive(Value)]
    struct OrderId(u64);

    #[derive(Value)]
    struct Named {
        milliseconds: f64,
    }

    #[derive(Value)]
    struct Borrowed<'a>(Cow<'a, str>);

    #[derive(Value)]
    struct Slice<'a, const N: usize>(&'a [[u16; N]]);

    #[derive(Value)]
    struct Unsized<T: ?Sized>(T);

    #[derive(Value)]
    struct Shared<T>(Arc<T>)
    where
        T: ?Sized;

    #[derive(Value)]
    struct Typed<Of> {
        id: u32,
        _of: PhantomData<Of>,
    }

    struct NoValue;

    #[test]
    fn delegate() {
        arrives(&OrderId(7), "7");
        arrives(&Named { milliseconds: 0.5 }, "0.5");
        arrives(&Borrowed("text".into()), "\"text\"");
        arrives(&Slice(&[[1, 2], [3, 4]]), "[[1, 2], [3, 4]]");
        arrives(&Shared::<str>("text".into()), "\"text\"");
        let sized: &Unsized<[u8]> = &Unsized([1, 2]);
        arrives(&sized, "b[1, 2]");
        arrives(&Typed::<NoValue> { id: 1, _of: PhantomData }, "1");
        arrives(&Unsized(Unsized(OrderId(u64::MAX))), "\"18446744073709551615\"");
    }

    #[derive(Value)]
    struct Maybe(Option<u32>);

    #[test]
    fn none_is_left_out() {
        let (_, span) = one(|| drop(span!("test", none = Maybe(None), some = Maybe(Some(1)))));
        assert_eq!(attributes(&span), ["some=1"]);
    }

    trait Store {
        type Key;
    }
    struct Memory;
    impl Store for Memory {
        type Key = &'static str;
    }

    #[derive(Value)]
    struct KeyOf<S: Store>(S::Key);

    #[derive(Value)]
    struct Nested<T>(Vec<Option<T>>);

    fn generic<T: Value>(value: T) {
        arrives(&Unsized(value), "true");
    }

    #[test]
    fn bounds_are_those_of_the_field() {
        arrives(&KeyOf::<Memory>("key"), "\"key\"");
        arrives(&Nested(vec![Some(Duration::from_secs(1))]), "[1.0]");
        generic(true);
    }

    macro_rules! number {
        ($ty:ty) => {
            $ty
        };
    }

    #[derive(Value)]
    struct ByMacro<T>(number!(T));

    macro_rules! newtype {
        ($name:ident, $ty:ty) => {
            #[derive(Value)]
            struct $name($ty);
        };
    }
    newtype!(Made, &'static str);

    #[test]
    fn made_by_macros() {
        arrives(&ByMacro(1), "1");
        arrives(&Made("x"), "\"x\"");
    }
}

mod texts {
    use super::*;

    #[derive(Value)]
    struct Address(#[value(display)] Ipv4Addr);

    #[derive(Debug, Value)]
    #[value(debug)]
    struct Point {
        x: u32,
        y: u32,
    }

    #[derive(Value)]
    struct Generic<T>(#[value(debug)] Vec<T>);

    #[derive(Value)]
    struct Optional<T>(#[value(display)] Option<T>);

    #[derive(Value)]
    struct Long<'a>(#[value(display)] &'a str);

    #[derive(Value)]
    struct Whole<T: ?Sized>(#[value(display)] T);

    /// What it shows is not what it holds.
    #[derive(Value)]
    #[value(display)]
    struct Secret(String);
    impl Display for Secret {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("***")
        }
    }

    #[derive(Debug, Value)]
    #[value(debug)]
    enum Command<T> {
        Stop,
        Move { by: T, times: u32 },
    }

    #[test]
    fn of_a_field_or_of_the_whole() {
        arrives(&Address(Ipv4Addr::LOCALHOST), "\"127.0.0.1\"");
        arrives(&Point { x: 1, y: 2 }, "\"Point { x: 1, y: 2 }\"");
        arrives(&Generic(vec![Some('x')]), "\"[Some('x')]\"");
        arrives(&Optional(Some(Ipv4Addr::LOCALHOST)), "\"127.0.0.1\"");
        let long = "long ".repeat(200);
        arrives(&Long(&long), &format!("{long:?}"));
        let whole: &Whole<dyn Display> = &Whole("abc");
        arrives(&whole, "\"abc\"");
        arrives(&Secret("4111".to_owned()), "\"***\"");
        arrives(&Command::Move { by: 1.5, times: 2 }, "\"Move { by: 1.5, times: 2 }\"");
        arrives(&Command::<u8>::Stop, "\"Stop\"");
    }

    #[test]
    fn none_is_left_out() {
        let (_, span) = one(|| drop(span!("test", none = Optional::<u8>(None))));
        assert_eq!(attributes(&span), [""; 0]);
    }

    #[derive(Value)]
    #[value(display)]
    struct Panics;
    impl Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("the user's")
        }
    }

    #[derive(Value)]
    struct Within<T>(T);

    #[test]
    fn a_panic_leaves_it_out() {
        let (_, span) = one(|| drop(span!("test", a = Panics, b = Within(Panics), c = 1)));
        assert_eq!(attributes(&span), ["c=1"]);
        assert_eq!(span.dropped_attributes, 2);
    }
}

mod enums {
    use super::*;

    #[derive(Clone, Copy, Value)]
    enum State {
        New,
        InProgress,
        #[value(rename = "all done")]
        Done,
        r#Raw,
    }

    #[derive(Value)]
    #[value(rename_all = "SCREAMING-KEBAB-CASE")]
    enum Renamed {
        GiftCard,
        #[value(rename = "cash")]
        Cash,
        Empty {},
        Parens(),
    }

    #[derive(Value)]
    enum Never {}

    #[derive(Value)]
    #[value(rename_all = "snake_case")]
    enum Mixed<'a, T> {
        NothingKnown,
        Number(u64),
        Text { text: &'a str },
        Shown(#[value(display)] Ipv4Addr),
        Seen(#[value(debug)] Option<u8>),
        Other(T),
        Nested(Box<Self>),
        Typed(PhantomData<T>),
    }

    #[test]
    fn variants_without_fields_are_their_names() {
        arrives(&State::New, "\"New\"");
        arrives(&State::InProgress, "\"InProgress\"");
        arrives(&State::Done, "\"all done\"");
        arrives(&State::Raw, "\"Raw\"");
        arrives(&Renamed::GiftCard, "\"GIFT-CARD\"");
        arrives(&Renamed::Cash, "\"cash\"");
        arrives(&Renamed::Empty {}, "\"EMPTY\"");
        arrives(&Renamed::Parens(), "\"PARENS\"");
        let (_, span) = one(|| drop(span!("test", never = None::<Never>)));
        assert!(span.attributes.is_empty());
    }

    #[test]
    fn variants_with_a_field_are_that_field() {
        arrives(&Mixed::<u8>::NothingKnown, "\"nothing_known\"");
        arrives(&Mixed::<u8>::Number(1), "1");
        let text: Mixed<'_, u8> = Mixed::Text { text: "a" };
        arrives(&text, "\"a\"");
        arrives(&Mixed::<u8>::Shown(Ipv4Addr::LOCALHOST), "\"127.0.0.1\"");
        arrives(&Mixed::<u8>::Seen(Some(1)), "\"1\"");
        arrives(&Mixed::Other(1.5), "1.5");
        arrives(&Mixed::Nested(Box::new(Mixed::Other(true))), "true");
        arrives(&Mixed::<u8>::Typed(PhantomData), "\"typed\"");
        let (_, span) = one(|| drop(span!("test", none = Mixed::<u8>::Seen(None))));
        assert!(span.attributes.is_empty());
    }

    #[test]
    fn in_lists() {
        arrives(&[State::New, State::Done], "[\"New\", \"all done\"]");
        arrives(&vec![Mixed::Number(1), Mixed::Other("x")], "[1, \"x\"]");
    }
}

mod structs {
    use super::*;

    #[derive(Attributes)]
    struct Plain {
        order_id: u64,
        r#type: &'static str,
        total: f64,
        tags: Vec<&'static str>,
    }

    #[derive(Attributes)]
    #[attributes(prefix = "shop.")]
    struct Renamed {
        id: u64,
        #[attribute(rename = "customer.name")]
        name: String,
    }

    #[derive(Attributes)]
    struct Empty {}

    #[derive(Attributes)]
    struct Texts<T> {
        #[attribute(display)]
        address: Ipv4Addr,
        #[attribute(rename = "seen", debug)]
        debug: Vec<T>,
        #[attribute(debug)]
        some: Option<T>,
        #[attribute(display)]
        none: Option<Ipv4Addr>,
    }

    #[test]
    fn keys_and_values() {
        let plain = Plain { order_id: 7, r#type: "new", total: 1.5, tags: vec!["a", "b"] };
        gives(&plain, &["order_id=7", "type=\"new\"", "total=1.5", "tags=[\"a\", \"b\"]"]);
        gives(&Renamed { id: 7, name: "Ada".into() }, &["shop.id=7", "shop.customer.name=\"Ada\""]);
        gives(&Empty {}, &[]);
        let texts = Texts { address: Ipv4Addr::LOCALHOST, debug: vec!["x"], some: Some("y"), none: None };
        gives(&texts, &["address=\"127.0.0.1\"", "seen=\"[\\\"x\\\"]\"", "some=\"\\\"y\\\"\""]);
    }

    #[derive(Attributes)]
    struct Left<'a, T> {
        kept: Option<&'a str>,
        left: Option<u32>,
        #[attribute(skip)]
        skipped: std::cell::Cell<u8>,
        marker: PhantomData<T>,
    }

    #[test]
    fn what_is_left_out() {
        let left = Left::<Empty> { kept: Some("x"), left: None, skipped: 1.into(), marker: PhantomData };
        gives(&left, &["kept=\"x\""]);
    }

    #[derive(Attributes)]
    #[attributes(prefix = "outer.")]
    struct Outer<'a, A: ?Sized, T: Clone = u8>
    where
        T: Send,
    {
        first: T,
        #[attribute(flatten)]
        renamed: Renamed,
        #[attribute(flatten)]
        more: &'a A,
        #[attribute(flatten)]
        maybe: Option<BTreeMap<String, u32>>,
        last: [T; 2],
        #[attribute(flatten)]
        next: Option<Box<Self>>,
    }

    #[test]
    fn flattened() {
        let outer = |first, next| Outer {
            first,
            renamed: Renamed { id: 2, name: "Ada".into() },
            more: &(("key", 3),),
            maybe: None,
            last: [4, 5],
            next,
        };
        let expected = ["outer.first=1", "shop.id=2", "shop.customer.name=\"Ada\"", "key=3", "outer.last=[4, 5]"];
        gives(&outer(1, None), &expected);
        let next = outer(9, Some(Box::new(outer(1, None))));
        gives(&next, &[&["outer.first=1"], &expected[1..]].concat());
        let map = BTreeMap::from([("a".to_owned(), 1)]);
        gives(&Outer { maybe: Some(map), ..outer(1, None) }, &[&expected[..4], &["a=1"], &expected[4..]].concat());
    }

    #[derive(Attributes)]
    struct Labels<'a> {
        method: Method,
        path: &'a str,
    }

    #[derive(Value)]
    #[value(rename_all = "UPPERCASE")]
    enum Method {
        Get,
    }

    #[traced(fields(..labels, labels.method))]
    fn handle(labels: &Labels<'_>) {
        Span::current().set_attributes(labels);
    }

    #[test]
    fn in_a_function() {
        let (_, span) = one(|| handle(&Labels { method: Method::Get, path: "/" }));
        assert_eq!(attributes(&span), ["method=\"GET\"", "path=\"/\"", "labels.method=\"GET\""]);
    }
}
