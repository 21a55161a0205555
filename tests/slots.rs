//! Spans of every kind, one after the other on one thread, which keeps its slots: nothing of one is seen in the next.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use otlp::testing::{CapturedSpan, Collector, capture};
use otlp::{
    AttributeWriter, Attributes, Context, OtlpConfig, Sampler, SamplingDecision, SamplingInput, ShouldSample, Span,
    StatusCode, traced,
};
use proptest::prelude::*;

/// Name, attributes, numbers of events and links, status, and what was lost of attributes, events and links.
type Shown = (String, Vec<(String, String)>, usize, usize, StatusCode, [u32; 3]);

/// What a span does besides what it begins with.
#[derive(Clone, Debug)]
enum Later {
    Attribute(String, usize),
    Event(usize),
    Link,
    Error(String),
    Name(String),
    /// More than any span may hold.
    TooMuch,
    /// More than are kept.
    TooManyEvents,
}

#[derive(Clone, Debug)]
struct Plan {
    way: Way,
    /// Lengths of the texts that it begins with.
    first: usize,
    second: usize,
    number: u64,
    spread: Vec<(String, usize)>,
    later: Vec<Later>,
    child: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Function,
    Future,
    /// Given up after its first poll.
    GivenUp,
    Panic,
    /// A field panics, so there is no span.
    FieldPanics,
    Owned,
    Discarded,
}

/// Lengths to around the words of a slot, which are 24.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0..41_usize, 140..200_usize, Just(184), Just(5000)]
}

fn key() -> impl Strategy<Value = String> {
    "[a-z]{1,40}".prop_map(|key| format!("k.{key}"))
}

fn plan() -> impl Strategy<Value = Plan> {
    let later = prop_oneof![
        4 => (key(), length()).prop_map(|(key, length)| Later::Attribute(key, length)),
        2 => length().prop_map(Later::Event),
        1 => Just(Later::Link),
        1 => "[a-z]{0,30}".prop_map(Later::Error),
        1 => "[a-z]{1,200}".prop_map(Later::Name),
        1 => Just(Later::TooMuch),
        1 => Just(Later::TooManyEvents),
    ];
    let way = prop_oneof![
        4 => Just(Way::Function),
        2 => Just(Way::Future),
        1 => Just(Way::GivenUp),
        1 => Just(Way::Panic),
        1 => Just(Way::FieldPanics),
        1 => Just(Way::Owned),
        1 => Just(Way::Discarded),
    ];
    let number = prop_oneof![Just(0), Just(i64::MAX as u64), Just(i64::MAX as u64 + 1), Just(u64::MAX)];
    let spread = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((key(), length()), 0..4)];
    let later = prop_oneof![3 => Just(Vec::new()), 2 => prop::collection::vec(later, 0..5)];
    (way, length(), length(), number, spread, later, any::<bool>()).prop_map(
        |(way, first, second, number, spread, later, child)| Plan { way, first, second, number, spread, later, child },
    )
}

/// Tells itself from others of the same length.
fn text(length: usize, seed: usize) -> String {
    (0..length).map(|at| char::from(b'a' + ((at + seed) % 26) as u8)).collect()
}

struct Spread<'p>(&'p [(String, usize)]);

impl Attributes for Spread<'_> {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        self.0.iter().for_each(|(key, length)| writer.attribute(key, text(*length, 3).as_str()));
    }
}

#[traced]
fn child() {}

fn panic_if(fails: bool) {
    if fails {
        resume_unwind(Box::new(()));
    }
}

impl Plan {
    fn later(&self) {
        let span = Span::current();
        for later in &self.later {
            match later {
                Later::Attribute(key, length) => span.set_attribute(key, text(*length, 4).as_str()),
                Later::Event(length) => span.add_event("event", Spread(&[("k.in".to_owned(), *length)])),
                Later::Link => span.add_link(&span.context(), ()),
                Later::Error(message) => span.set_status(StatusCode::Error, message),
                Later::Name(name) => span.update_name(name),
                Later::TooMuch => span.set_attribute("k.too.much", text(2 << 20, 0).as_str()),
                Later::TooManyEvents => (0..130).for_each(|_| span.add_event("many", ())),
            }
        }
        if self.child {
            child();
        }
    }

    fn take(&self) {
        let (first, second) = (text(self.first, 1), text(self.second, 2));
        match self.way {
            Way::Function => function(self, &first, &second),
            Way::Future | Way::GivenUp => {
                let mut future = Box::pin(future(self, &first, &second));
                let mut task = std::task::Context::from_waker(std::task::Waker::noop());
                let polls = if self.way == Way::Future { 2 } else { 1 };
                (0..polls).for_each(|_| _ = future.as_mut().poll(&mut task));
            }
            Way::Panic | Way::FieldPanics => {
                let fails = self.way == Way::FieldPanics;
                catch_unwind(AssertUnwindSafe(|| panics(self, &first, &second, fails))).unwrap_err();
            }
            Way::Owned | Way::Discarded => {
                let span = otlp::span!("span", first, number = self.number, second, ..Spread(&self.spread));
                span.in_scope(|| self.later());
                if self.way == Way::Owned { span.end() } else { span.discard() }
            }
        }
    }

    fn is_exported(&self) -> bool {
        !matches!(self.way, Way::FieldPanics | Way::Discarded)
    }

    fn expected(&self) -> Shown {
        let (mut name, mut attributes, mut events, mut links, mut lost) = ("span".to_owned(), vec![], 0, 0, [0; 3]);
        let mut status = if self.way == Way::Panic { StatusCode::Error } else { StatusCode::Unset };
        let mut put = |key: &str, value: String| match attributes.iter_mut().find(|(known, _)| known == key) {
            Some((_, earlier)) => *earlier = value,
            None => attributes.push((key.to_owned(), value)),
        };
        put("first", text(self.first, 1));
        put("number", self.number.to_string());
        put("second", text(self.second, 2));
        self.spread.iter().for_each(|(key, length)| put(key, text(*length, 3)));
        for later in &self.later {
            match later {
                Later::Attribute(key, length) => put(key, text(*length, 4)),
                Later::Event(_) => events += 1,
                Later::Link => links += 1,
                Later::Error(_) => status = StatusCode::Error,
                Later::Name(later) => name.clone_from(later),
                Later::TooMuch => lost[0] += 1,
                Later::TooManyEvents => events += 130,
            }
        }
        lost[1] = u32::saturating_sub(events, 128);
        (name, attributes, events.min(128) as usize, links, status, lost)
    }
}

#[traced(name = "span", fields(first, number = plan.number, second, ..Spread(&plan.spread)))]
fn function(plan: &Plan, first: &str, second: &str) {
    plan.later();
}

#[traced(name = "span", fields(first, number = plan.number, second, ..Spread(&plan.spread)))]
async fn future(plan: &Plan, first: &str, second: &str) {
    plan.later();
    let mut polled = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut polled, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[traced(name = "span", fields(first, number = plan.number, second, ..Spread({ panic_if(fails); &plan.spread })))]
fn panics(plan: &Plan, first: &str, second: &str, fails: bool) {
    plan.later();
    resume_unwind(Box::new(()));
}

fn shown(span: &CapturedSpan) -> Shown {
    let attributes = span.attributes.iter().map(|(key, value)| match value {
        otlp::AttributeValue::String(text) => (key.clone(), text.clone()),
        otlp::AttributeValue::I64(number) => (key.clone(), number.to_string()),
        other => panic!("{other:?}"),
    });
    let lost = [span.dropped_attributes, span.dropped_events, span.dropped_links];
    (span.name.clone(), attributes.collect(), span.events.len(), span.links.len(), span.status, lost)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_slot_is_clean_for_its_next_span(plans in prop::collection::vec(plan(), 1..30), below in any::<bool>()) {
        let ((), captured) = capture(|| {
            let take = || plans.iter().for_each(Plan::take);
            if below { otlp::span!("root").in_scope(take) } else { take() }
        });
        let mut spans = captured.spans().iter().filter(|span| !["child", "root"].contains(&span.name.as_str()));
        for (plan, n) in plans.iter().zip(0..).filter(|(plan, _)| plan.is_exported()) {
            let span: &CapturedSpan = spans.next().unwrap();
            prop_assert_eq!(shown(span), plan.expected(), "{} {:?}", n, plan);
        }
        prop_assert_eq!(spans.next(), None);
        for span in captured.named("child") {
            prop_assert_eq!(shown(span), ("child".to_owned(), vec![], 0, 0, StatusCode::Unset, [0; 3]));
        }
    }
}

/// Keeps every third span, drops the next, and panics at the one after that; what it makes current it leaves so.
struct Careless {
    needs_fields: bool,
    asked: AtomicU64,
}

impl ShouldSample for Careless {
    fn should_sample(&self, input: &SamplingInput<'_>) -> SamplingDecision {
        assert_eq!(input.attributes().is_empty(), !self.needs_fields);
        std::mem::forget(Context::root().attach());
        std::mem::forget(otlp::span!("in the sampler").entered());
        Context::current().run(child);
        match self.asked.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => SamplingDecision::record().with_attribute("k.sampler", true),
            1 => SamplingDecision::drop(),
            _ => resume_unwind(Box::new(())),
        }
    }

    fn needs_fields(&self) -> bool {
        self.needs_fields
    }
}

#[traced(fields(number, text = text(number, 0)))]
fn numbered(number: usize) {
    let span = Span::current();
    assert_eq!((span.is_recording(), span.span_id().is_valid()), (number.is_multiple_of(3), true));
    span.set_attribute("later", number);
    span.add_event("event", ());
    child();
    assert_eq!(Span::current().span_id(), span.span_id());
}

/// SMP1, TRC12: spans that are not sampled leave nothing to those that are, and whatever the sampler does, the span is current.
#[test]
fn spans_that_are_not_sampled_take_turns_with_those_that_are() {
    const SPANS: usize = 300;
    for needs_fields in [false, true] {
        let collector = Collector::start().unwrap();
        let sampler = Sampler::parent_based(Sampler::custom(Careless { needs_fields, asked: AtomicU64::new(0) }));
        let config = OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint());
        let guard = config.with_sampler(sampler).init().unwrap();
        (0..SPANS).for_each(|number| Context::root().run(|| numbered(number)));
        drop(guard);
        let captured = collector.captured();
        let spans: Vec<_> = captured.named("numbered").collect();
        assert_eq!((spans.len(), captured.spans().len()), (SPANS / 3, SPANS / 3 * 2));
        for (span, number) in spans.into_iter().zip((0..).step_by(3)) {
            let expected = (Some(number as i64), Some(text(number, 0)), Some(number as i64), Some(true), 4);
            let text = span.string("text").map(str::to_owned);
            let seen = (span.i64("number"), text, span.i64("later"), span.bool("k.sampler"), span.attributes.len());
            assert_eq!((seen, span.events.len(), span.parent_span_id), (expected, 1, None));
            assert_eq!(captured.children_of(span).len(), 1);
        }
    }
}
