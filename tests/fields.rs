//! The field grammar, from the text to the recorded values.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::cell::Cell;

use otlp::{AttributeWriter, Attributes, Value, ValueWriter, span, traced};
use support::{attributes, one, pairs, wait};

/// The fields that a span is made with, as `key=value`.
macro_rules! fields {
    ($($fields:tt)*) => {
        attributes(&one(|| drop(span!("test", $($fields)*))).1)
    };
}

struct Customer {
    id: u64,
    name: String,
    r#type: &'static str,
    pair: (u32, (u32, u32)),
}

fn customer() -> Customer {
    Customer { id: 7, name: "Ada".to_owned(), r#type: "new", pair: (1, (2, 3)) }
}

const KEY: &str = "from.constant";

struct Labels(&'static [(&'static str, u32)]);
impl Attributes for Labels {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.0.iter().for_each(|(key, value)| writer.attribute(key, value));
    }
}

#[test]
fn values_name_themselves() {
    let (customer, r#type, n) = (customer(), 5, 1);
    assert_eq!(fields!(n), ["n=1"]);
    assert_eq!(fields!(n,), ["n=1"]);
    assert_eq!(
        fields!(customer.id, %customer.name, ?customer.r#type),
        ["customer.id=7", "customer.name=\"Ada\"", "customer.type=\"\\\"new\\\"\""]
    );
    assert_eq!(fields!(r#type), ["type=5"]);
    assert_eq!(fields!(customer.pair.0, customer.pair.1.1), ["customer.pair.0=1", "customer.pair.1.1=3"]);
}

#[test]
fn keys() {
    assert_eq!(fields!(n = 1, http.request.method = "GET", r#fn = 2), ["n=1", "http.request.method=\"GET\"", "fn=2"]);
    assert_eq!(
        fields!(type = 1, thing.type = 2, self = 3, crate.mod.async = 4),
        ["type=1", "thing.type=2", "self=3", "crate.mod.async=4"]
    );
    assert_eq!(
        fields!("any key, ünïcode" = 1, { KEY } = 2, { Self_::KEY } = 3),
        ["any key, ünïcode=1", "from.constant=2", "associated=3"]
    );
}

struct Self_;
impl Self_ {
    const KEY: &'static str = "associated";
}

#[test]
fn any_expression_may_stand_behind_a_key() {
    let (a, b, name) = (1, 2, Some("x"));
    assert_eq!(fields!(sum = a + b, less = a < b, none = None::<u32>, neg = -a), ["sum=3", "less=true", "neg=-1"]);
    assert_eq!(
        fields!(d = %format!("{a}-{b}"), e = ?name.map(str::len), c = if a > b { a } else { b }),
        ["d=\"1-2\"", "e=\"Some(1)\"", "c=2"]
    );
    assert_eq!(
        fields!(
            m = match a {
                1 => "one",
                _ => "many",
            },
            t = (5)
        ),
        ["m=\"one\"", "t=5"]
    );
    assert_eq!(fields!(g = "1,2".parse::<u32>().is_ok(), v = Vec::<u32>::new().len()), ["g=false", "v=0"]);
}

#[test]
fn spread() {
    let labels = Labels(&[("a", 1), ("b", 2)]);
    assert_eq!(fields!(n = 0, ..labels, last = 3), ["n=0", "a=1", "b=2", "last=3"]);
    assert_eq!(fields!(..Labels(&[("c", 1)]), ..&labels.0.len().pipe()), ["c=1", "count=2"]);
}

trait Pipe: Sized {
    fn pipe(self) -> Labels;
}
impl Pipe for usize {
    fn pipe(self) -> Labels {
        assert_eq!(self, 2);
        Labels(&[("count", 2)])
    }
}

#[test]
fn no_fields() {
    assert!(fields!().is_empty());
    let (_, bare) = one(|| drop(span!("bare")));
    assert_eq!((bare.name.as_str(), bare.attributes.len()), ("bare", 0));
}

#[test]
fn borrowed_and_evaluated_once() {
    let (count, owned) = (Cell::new(0), "owned".to_owned());
    let next = || {
        count.set(count.get() + 1);
        count.get()
    };
    assert_eq!(fields!(n = next(), owned), ["n=1", "owned=\"owned\""]);
    assert_eq!((count.get(), owned.as_str()), (1, "owned"));
    // Neither `init` nor a capture.
    assert!(!span!("off", n = next()).is_recording());
    assert_eq!(count.get(), 1);
}

impl Customer {
    #[traced(fields(self.id, %self.name, self.r#type, self.pair.1.0, kind = "customer"))]
    fn greet(self) -> String {
        self.name
    }

    #[traced(fields(..Labels(&[("a", 1)]), n, order = ?order))]
    async fn order(&self, order: Vec<u32>, n: usize) -> usize {
        let taken = order;
        taken.len() + n
    }
}

#[test]
fn of_an_annotated_method() {
    let (name, span) = one(|| customer().greet());
    assert_eq!(name, "Ada");
    assert_eq!(attributes(&span), ["id=7", "name=\"Ada\"", "type=\"new\"", "pair.1.0=2", "kind=\"customer\""]);
    let customer = customer();
    let (n, spans) = wait(customer.order(vec![1, 2], 3));
    assert_eq!(n, 5);
    assert_eq!(attributes(&spans[0]), ["a=1", "n=3", "order=\"[1, 2]\""]);
}

/// Fails as often as it can.
struct FailsTwice;
impl Value for FailsTwice {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        writer.display(&Fails);
        std::panic::resume_unwind(Box::new("scripted"));
    }
}

struct Fails;
impl std::fmt::Display for Fails {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::panic::resume_unwind(Box::new("scripted"))
    }
}

struct HasAFallback;
impl Value for HasAFallback {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        writer.display(&Fails);
        writer.str("fallback");
    }
}

struct FailsInTheMiddle;
impl Attributes for FailsInTheMiddle {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        writer.attribute("first", &1);
        writer.attribute("second", &FailsTwice);
        writer.attribute("third", &3);
        std::panic::resume_unwind(Box::new("scripted"));
    }
}

#[test]
fn what_is_lost_is_counted_once_and_what_was_recorded_stays() {
    let ((), span) = one(|| span!("s", a = FailsTwice, b = 1).end());
    assert_eq!((pairs(&span.attributes).join(" "), span.dropped_attributes), ("b=1".to_owned(), 1));
    let ((), span) = one(|| span!("s", a = HasAFallback, b = 1).end());
    assert_eq!((pairs(&span.attributes).join(" "), span.dropped_attributes), ("a=\"fallback\" b=1".to_owned(), 0));
    let ((), span) = one(|| span!("s").set_attributes(FailsInTheMiddle));
    assert_eq!((pairs(&span.attributes).join(" "), span.dropped_attributes), ("first=1 third=3".to_owned(), 2));
}
