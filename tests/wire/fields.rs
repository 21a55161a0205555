//! The field grammar, from the source to the receiver.

use std::cell::Cell;
use std::fmt;

use otlp::{AttributeWriter, Attributes, traced};

use super::{attributes, spans_of};

struct Customer {
    id: u64,
    name: &'static str,
    r#type: &'static str,
    pair: (u32, (u32, u32)),
}

impl fmt::Display for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name)
    }
}

const ADA: Customer = Customer { id: 7, name: "Ada", r#type: "new", pair: (1, (2, 3)) };
const KEY: &str = "from.constant";

struct Labels;
impl Attributes for Labels {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        writer.attribute("region", "eu");
        writer.attribute("zone", &2);
    }
}

impl Customer {
    #[traced(fields(self.id, %self, self.pair.1.0, name = ?self.name.chars().rev().collect::<String>()))]
    fn greet(&self) {}
}

#[traced(fields(
    n,
    text,
    %customer,
    ?customer.name,
    customer.id,
    r#type = customer.r#type,
    order.total = n * 2,
    "quoted key!" = true,
    {KEY} = 1.5,
    http.response.status_code = 200,
    r#match,
    ..Labels,
    after = %n,
))]
fn everything(n: u64, text: &str, customer: &Customer, r#match: Option<bool>) {}

#[test]
fn every_form_of_a_field_in_traced() {
    let captured = spans_of(|| {
        everything(21, "abc", &ADA, Some(true));
        everything(1, "", &ADA, None);
    });
    let spans: Vec<_> = captured.named("everything").map(attributes).collect();
    let expected = [
        "n=21",
        "text=\"abc\"",
        "customer=\"<Ada>\"",
        "customer.name=\"\\\"Ada\\\"\"",
        "customer.id=7",
        "type=\"new\"",
        "order.total=42",
        "quoted key!=true",
        "from.constant=1.5",
        "http.response.status_code=200",
        "match=true",
        "region=\"eu\"",
        "zone=2",
        "after=\"21\"",
    ];
    assert_eq!(spans[0], expected);
    assert_eq!(spans[1].len(), expected.len() - 1, "{:?}", spans[1]);
}

#[test]
fn methods_record_their_self() {
    let captured = spans_of(|| ADA.greet());
    assert_eq!(attributes(captured.one("greet")), ["id=7", "self=\"<Ada>\"", "pair.1.0=2", "name=\"\\\"adA\\\"\""]);
}

#[test]
fn every_form_of_a_field_in_span() {
    let (customer, r#type, n) = (ADA, "t", 3);
    let captured = spans_of(|| {
        drop(otlp::span!("none"));
        drop(otlp::span!(
            "all", n, r#type, customer.pair.0, %customer.name, debug = ?Some(n), a.b.type.c = n + 1,
            "é ü" = 'x', {KEY} = [1, 2], ..Labels, ..[("last", "spread")],
        ));
    });
    assert!(captured.one("none").attributes.is_empty());
    assert_eq!(
        attributes(captured.one("all")),
        [
            "n=3",
            "type=\"t\"",
            "customer.pair.0=1",
            "customer.name=\"Ada\"",
            "debug=\"Some(3)\"",
            "a.b.type.c=4",
            "é ü=\"x\"",
            "from.constant=[1, 2]",
            "region=\"eu\"",
            "zone=2",
            "last=\"spread\"",
        ]
    );
}

#[test]
fn values_are_evaluated_once_in_order_on_entry_and_only_if_the_span_is_recorded() {
    let calls = Cell::new(0);
    let next = || {
        calls.set(calls.get() + 1);
        calls.get()
    };
    #[traced(fields(at_entry = text.len()))]
    fn changes(text: &mut String) {
        text.push('!');
    }
    let captured = spans_of(|| {
        drop(otlp::span!("ordered", a = next(), b = next(), c = next()));
        changes(&mut "abc".to_owned());
    });
    assert_eq!(attributes(captured.one("ordered")), ["a=1", "b=2", "c=3"]);
    assert_eq!(attributes(captured.one("changes")), ["at_entry=3"]);
}

/// PRO3, ATT3: the last value counts, in the first one's place.
#[test]
fn pro3_att3_keys_are_unique_whoever_repeats_them() {
    let captured = spans_of(|| {
        let span = otlp::span!("spread", region = "us", n = 1, ..Labels, ..[("n", 2)]);
        span.set_attribute("region", "ap");
        span.set_attribute("n", 3);
        span.set_attribute("n", None::<i32>);
        span.set_attribute("zone", "text now");
        span.add_event("e", [("k", 1), ("k", 2)]);
        span.add_link(&span.context(), [("k", 1), ("k", 2)]);
    });
    let span = captured.one("spread");
    assert_eq!(attributes(span), ["region=\"ap\"", "n=3", "zone=\"text now\""]);
    assert_eq!(super::pairs(&span.events[0].attributes), ["k=2"]);
    assert_eq!(super::pairs(&span.links[0].attributes), ["k=2"]);
    assert_eq!((span.dropped_attributes, span.events[0].dropped_attributes), (0, 0));
}

/// What a `Display` or a `Value` records while it is asked belongs above the new span, and disturbs nothing.
#[test]
fn user_code_in_a_field_may_record_too() {
    struct Nosy;
    impl fmt::Display for Nosy {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let _span = otlp::span!("inside", big = "x".repeat(3000)).entered();
            otlp::Span::current().set_attribute("seen", true);
            f.write_str("nosy")
        }
    }
    let captured = spans_of(|| {
        let _outer = otlp::span!("outer").entered();
        let span = otlp::span!("nosy", before = 1, text = %Nosy, after = "y".repeat(3000));
        span.set_attribute("later", 1);
    });
    let (outer, inside, nosy) = (captured.one("outer"), captured.one("inside"), captured.one("nosy"));
    assert_eq!((inside.parent_span_id, nosy.parent_span_id), (Some(outer.span_id), Some(outer.span_id)));
    assert_eq!((inside.bool("seen"), inside.string("big").map(str::len)), (Some(true), Some(3000)));
    assert_eq!((nosy.string("text"), nosy.i64("before"), nosy.i64("later")), (Some("nosy"), Some(1), Some(1)));
    assert_eq!(nosy.string("after").map(str::len), Some(3000));
}
