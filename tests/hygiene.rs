//! Annotated functions in the most hostile surroundings: what the user's crate forbids, denies, shadows or renames.
#![forbid(unsafe_code, unreachable_code, unused_variables, unused_mut)]
#![deny(warnings, rust_2018_idioms, clippy::pedantic, clippy::nursery)]
#![allow(clippy::redundant_pub_crate)]
#![deny(missing_docs, unreachable_pub, unused_qualifications, single_use_lifetimes, let_underscore_drop)]
#![deny(
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    unused_lifetimes,
    unused_results,
    clippy::unwrap_used
)]

mod support;

mod denied {
    //! Lints.

    use otlp::traced;
    use std::fmt::Display;

    /// A value with a lifetime.
    #[derive(Debug)]
    pub(crate) struct Reader<'a> {
        text: &'a str,
    }

    /// One error.
    #[derive(Debug)]
    pub(crate) struct Missing;

    impl Display for Missing {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("missing")
        }
    }
    impl std::error::Error for Missing {}

    impl<'a> Reader<'a> {
        /// Makes one.
        #[traced(fields(text))]
        pub(crate) fn new(text: &'a str) -> Self {
            Self { text }
        }

        /// Reads.
        ///
        /// # Errors
        /// When there is nothing.
        #[traced(fields(self.text, ?pattern, n = pattern.len() + 1, %self.text.0 = 1))]
        #[cfg(any())]
        pub(crate) fn never(&self) {}

        /// Reads.
        ///
        /// # Errors
        /// When there is nothing.
        #[traced(fields(self.text, ?pattern, len = pattern.len() + 1))]
        pub(crate) fn find<'r>(&'r mut self, pattern: &str) -> Result<&'r str, Missing> {
            use std::ops::Not as _;
            const LIMIT: usize = 10;
            if (pattern.len() < LIMIT).not() {
                return Err(Missing);
            }
            let _guard = otlp::span!("find.inner", LIMIT, text = %self.text);
            self.text.find(pattern).map(|at| &self.text[at..]).ok_or(Missing)
        }

        /// Asynchronously.
        ///
        /// # Errors
        /// When there is nothing.
        #[traced(level = debug, fields(self.text))]
        pub(crate) async fn find_later(&mut self, pattern: String) -> Result<Vec<&str>, Missing> {
            use std::iter::once;
            std::future::ready(()).await;
            let found = self.find(&pattern)?;
            Ok(once(found).collect())
        }

        /// Nothing to say.
        #[traced]
        pub(crate) async fn unit(&self) {
            std::future::ready(()).await;
        }
    }

    /// A newtype.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, otlp::Value)]
    pub(crate) struct Id<'a>(&'a str);

    /// An enum.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, otlp::Value)]
    #[value(rename_all = "snake_case")]
    #[non_exhaustive]
    pub(crate) enum State<'a, T> {
        /// One word.
        New,
        /// A field.
        Of(T),
        /// Its text.
        Shown {
            /// That.
            #[value(display)]
            text: &'a str,
        },
        /// No more.
        #[deprecated]
        #[allow(dead_code)]
        Old,
    }

    /// A struct.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, otlp::Attributes)]
    #[attributes(prefix = "labels.")]
    pub(crate) struct Labels<'a, T> {
        /// One.
        pub(crate) id: Id<'a>,
        /// Another.
        pub(crate) state: State<'a, T>,
        /// Its text.
        #[attribute(debug)]
        pub(crate) seen: Option<&'a str>,
    }

    #[test]
    fn derived() {
        let labels = Labels { id: Id("a"), state: State::Of(1), seen: None };
        let ((), spans) = crate::support::spans(|| drop(otlp::span!("labels", ..labels)));
        assert_eq!(crate::support::attributes(&spans[0]), ["labels.id=\"a\"", "labels.state=1"]);
        let shown: State<'_, u8> = State::Shown { text: "x" };
        drop(otlp::span!("more", shown, new = State::<u8>::New));
    }

    #[test]
    fn run() -> Result<(), Missing> {
        let (found, spans) = crate::support::spans(|| Reader::new("abc").find("b").map(str::to_owned));
        assert_eq!(found?, "bc");
        assert_eq!(crate::support::names(&spans), ["new", "find.inner", "find"]);
        let mut reader = Reader::new("abc");
        drop(reader.find_later(String::new()));
        drop(reader.unit());
        Ok(())
    }
}

#[allow(dead_code, unused_macros, clippy::pedantic, clippy::nursery)]
mod shadowed {
    //! Names of the language mean something else here.

    use ::otlp::traced;

    mod std {}
    mod core {}
    mod alloc {}
    mod otlp {}
    mod inventory {}
    struct Option;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct String;
    type Result<T> = ::std::result::Result<T, Fault>;
    struct Fault;
    struct Level;
    struct SpanKind;
    struct Fields;
    struct Inspect;
    macro_rules! concat {
        ($($t:tt)*) => {
            compile_error!("the user's")
        };
    }
    macro_rules! env {
        ($($t:tt)*) => {
            concat!()
        };
    }
    macro_rules! line {
        ($($t:tt)*) => {
            env!()
        };
    }
    fn enter() {}
    fn start() {}
    fn instrument() {}
    fn call_once() {}

    #[traced(fields(__otlp_guard, __otlp_fields, f = __otlp_span))]
    fn sync(__otlp_guard: u32, __otlp_fields: u32, __otlp_span: u32, __otlp_returned: u32) -> Result<u32> {
        if __otlp_guard > 9 {
            return ::std::result::Result::Err(Fault);
        }
        ::std::result::Result::Ok(__otlp_guard + __otlp_fields + __otlp_span + __otlp_returned)
    }

    #[traced(fields(__otlp_span, __otlp_fields))]
    async fn later(__otlp_span: u32, __otlp_fields: u32, __otlp_outcome: u32, f: u32, span: u32) -> Result<u32> {
        ::std::result::Result::Ok(__otlp_span + __otlp_fields + __otlp_outcome + f + span)
    }

    trait Value {
        fn record(&self);
        fn is_plain(&self) {}
    }
    trait Attributes {
        fn record(&self);
    }
    struct ValueWriter;
    struct AttributeWriter;
    fn inner() {}

    #[derive(::otlp::Value)]
    enum State<Value> {
        Some,
        Ok(#[value(display)] &'static str),
        Option(Value),
        Value { __otlp_writer: u32, _of: ::std::marker::PhantomData<u8> },
    }
    impl<V> Value for State<V> {
        fn record(&self) {}
    }
    #[derive(::otlp::Attributes)]
    struct Labels<T> {
        record: u32,
        __otlp_writer: T,
        #[attribute(display)]
        __otlp_text: ::std::option::Option<u32>,
    }
    impl<V> Attributes for Labels<V> {
        fn record(&self) {}
    }

    #[test]
    fn derived() {
        let text = ::std::option::Option::Some(3);
        let labels = Labels { record: 1, __otlp_writer: State::Option(2), __otlp_text: text };
        let (_, spans) = crate::support::spans(|| drop(::otlp::span!("labels", ..labels)));
        let expected = ["record=1", "__otlp_writer=2", "__otlp_text=\"3\""];
        assert_eq!(crate::support::attributes(&spans[0]), expected);
    }

    #[test]
    fn run() {
        let (result, spans) = crate::support::spans(|| sync(1, 2, 3, 4));
        assert!(matches!(result, ::std::result::Result::Ok(10)));
        assert_eq!(spans[0].i64("f"), ::std::option::Option::Some(3));
        let (result, spans) = crate::support::spans(|| sync(10, 2, 3, 4));
        assert!(result.is_err());
        assert!(spans[0].error().is_some());
        drop(later(1, 2, 3, 4, 5));
    }
}

#[allow(clippy::pedantic, clippy::nursery)]
mod bare {
    //! No prelude at all.
    #![no_implicit_prelude]

    #[::otlp::traced(fields(n, twice = n * 2))]
    fn sync(n: u32) -> ::std::result::Result<u32, ::std::string::String> {
        ::std::mem::drop((::otlp::span!("inner", n), ::otlp::enabled!(), ::otlp::enabled!(::otlp::Level::Debug)));
        ::otlp::event!("event", n);
        ::otlp::info!("text {n}", twice = n * 2);
        ::std::result::Result::Ok(n)
    }

    #[derive(::otlp::Value)]
    pub(super) struct Id(u32);

    #[derive(::otlp::Value)]
    #[value(debug)]
    #[derive(::std::fmt::Debug)]
    #[allow(dead_code)]
    struct Point(u32, u32);

    #[derive(::otlp::Value)]
    enum State<T> {
        New,
        Of(#[value(display)] ::std::option::Option<T>),
    }

    #[derive(::otlp::Attributes)]
    struct Labels {
        id: Id,
        point: Point,
        #[attribute(display)]
        text: ::std::option::Option<u32>,
        #[attribute(flatten)]
        more: [(&'static str, State<u32>); 2],
    }

    #[test]
    fn derived() {
        let more = [("a", State::New), ("b", State::Of(::std::option::Option::Some(3)))];
        let labels = Labels { id: Id(1), point: Point(1, 2), text: ::std::option::Option::None, more };
        let (_, spans) = crate::support::spans(|| ::std::mem::drop(::otlp::span!("labels", ..labels)));
        let expected = ["id=1", "point=\"Point(1, 2)\"", "a=\"New\"", "b=\"3\""];
        ::std::assert_eq!(crate::support::attributes(&spans[0]), expected);
    }

    #[::otlp::traced(fields(%n))]
    async fn later(n: u32) -> ::std::result::Result<u32, ::std::string::String> {
        ::std::result::Result::Ok(n)
    }

    #[test]
    fn run() {
        let (_, spans) = crate::support::spans(|| sync(1));
        ::std::assert_eq!(spans.len(), 2);
        ::std::mem::drop(later(1));
    }
}

mod vendored {
    //! A crate that passes on what it uses.

    pub(crate) use otlp as telemetry;
}

mod renamed {
    //! The crate under another name.

    extern crate otlp as telemetry;

    #[telemetry::traced(crate = self::telemetry)]
    fn traced() {
        drop((telemetry::span!("inner"), telemetry::enabled!(warn)));
    }

    #[telemetry::traced(crate = super::vendored::telemetry)]
    fn above() {}

    #[derive(telemetry::Value)]
    #[value(crate = self::telemetry)]
    struct Id(u32);

    #[derive(telemetry::Attributes)]
    #[attributes(crate = super::vendored::telemetry)]
    struct Labels {
        id: Id,
    }

    #[test]
    fn derived() {
        let span = |id| drop(telemetry::span!("labels", ..Labels { id: Id(id) }));
        assert_eq!(crate::support::attributes(&crate::support::spans(|| span(1)).1[0]), ["id=1"]);
    }

    #[test]
    fn run() {
        assert_eq!(crate::support::names(&crate::support::spans(traced).1), ["inner", "traced"]);
        assert_eq!(crate::support::names(&crate::support::spans(above).1), ["above"]);
    }
}

mod items {
    //! Items have no hygiene, and a user may have one of any name.
    #![allow(non_snake_case)]

    use otlp::{span, traced};

    const __OTLP_CALLSITE: u32 = 3;

    #[traced(fields(n = __OTLP_CALLSITE), ret)]
    fn constant() -> Result<u32, ()> {
        let _span = span!("inner", n = __OTLP_CALLSITE);
        otlp::event!("event", n = __OTLP_CALLSITE);
        Ok(__OTLP_CALLSITE)
    }

    mod arguments {
        use otlp::traced;

        #[traced(args)]
        pub(super) fn argument(__OTLP_CALLSITE: u32) -> u32 {
            __OTLP_CALLSITE
        }

        #[traced]
        pub(super) fn parameter<const __OTLP_CALLSITE: u32>() -> u32 {
            __OTLP_CALLSITE
        }

        #[traced(fields(__OTLP_CALLSITE))]
        pub(super) async fn bound(__OTLP_CALLSITE: u32) -> Result<u32, u32> {
            match __OTLP_CALLSITE {
                0 => Err(0),
                __OTLP_CALLSITE => Ok(__OTLP_CALLSITE),
            }
        }
    }

    #[test]
    fn run() {
        let (made, seen) = crate::support::spans(constant);
        assert_eq!((made, crate::support::attributes(&seen[1]).join(" ")), (Ok(3), "n=3 return=3".to_owned()));
        assert_eq!(crate::support::spans(|| (arguments::argument(7), arguments::parameter::<8>())).0, (7, 8));
        let (made, seen) = crate::support::wait(arguments::bound(9));
        assert_eq!((made, crate::support::attributes(&seen[0]).join(" ")), (Ok(9), "__OTLP_CALLSITE=9".to_owned()));
    }
}
