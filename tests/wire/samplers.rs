//! Branches of parent-based samplers, and samplers of the program's own, as the receiver sees them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otlp::testing::Collector;
use otlp::{
    AttributeValue, AttributeWriter, Attributes, Context, Level, OtlpConfig, ParentBased, Sampler, SamplingDecision,
    SamplingInput, ShouldSample, Span, SpanKind, TraceFlags, traced,
};

use crate::sampling::{alone, remote, sampled};

/// SMP4: each of the four kinds of parents, with either decision; TRC13: whoever is dropped has an id of its own.
#[test]
fn smp4_every_branch_decides_for_its_own_kind_of_parent() {
    let either = |on: bool| if on { Sampler::always_on() } else { Sampler::always_off() };
    for bits in 0..16_u8 {
        let on = |bit: u8| bits & 1 << bit != 0;
        let sampler = |root: bool| {
            ParentBased::new(either(root))
                .with_remote_parent_sampled(either(on(0)))
                .with_remote_parent_not_sampled(either(on(1)))
                .with_local_parent_sampled(either(on(2)))
                .with_local_parent_not_sampled(either(on(3)))
        };
        for root in [true, false] {
            let (_, captured) = sampled(sampler(root), || {
                remote(TraceFlags::SAMPLED).run(|| drop(otlp::span!("remote sampled")));
                remote(TraceFlags::NONE).run(|| drop(otlp::span!("remote not sampled")));
                let parent = otlp::span!("root");
                assert_eq!(parent.is_recording(), root);
                let child = parent.in_scope(|| otlp::span!("child"));
                assert_eq!(child.trace_id(), parent.trace_id());
                let asked = on(if root { 2 } else { 3 });
                assert_eq!(child.is_recording(), asked, "{bits:04b} {root}");
                // The grandchild's parent is the child, on whatever thread.
                let context = child.context();
                std::thread::spawn(move || context.run(|| drop(otlp::span!("grandchild")))).join().unwrap();
                if !on(2) || on(3) {
                    assert_ne!(child.span_id(), parent.span_id());
                }
            });
            let child = on(if root { 2 } else { 3 });
            for (name, expected) in [
                ("remote sampled", on(0)),
                ("remote not sampled", on(1)),
                ("root", root),
                ("child", child),
                ("grandchild", on(if child { 2 } else { 3 })),
            ] {
                assert_eq!(captured.named(name).count(), usize::from(expected), "{name} {bits:04b} {root}");
            }
        }
    }
}

/// What a sampler was told.
#[derive(Debug, PartialEq)]
struct Asked {
    name: String,
    kind: SpanKind,
    level: Level,
    path: String,
    parent: Option<(bool, bool)>,
    links: usize,
    attributes: Vec<(String, AttributeValue)>,
}

/// Writes down what it is told, and decides by `decide`.
struct Scribe<F> {
    asked: Arc<Mutex<Vec<Asked>>>,
    needs_fields: bool,
    decide: F,
}

impl<F: Fn(&SamplingInput<'_>) -> SamplingDecision + Send + Sync + 'static> ShouldSample for Scribe<F> {
    fn should_sample(&self, input: &SamplingInput<'_>) -> SamplingDecision {
        // What a sampler does is not recorded, and cannot ask it again.
        drop(otlp::span!("within the sampler"));
        assert!(input.trace_id().is_valid());
        self.asked.lock().unwrap().push(Asked {
            name: input.name().to_owned(),
            kind: input.kind(),
            level: input.level(),
            path: input.path().to_owned(),
            parent: input.parent().map(|parent| (parent.is_remote, parent.flags.is_sampled())),
            links: input.link_count(),
            attributes: input.attributes().to_vec(),
        });
        (self.decide)(input)
    }

    fn needs_fields(&self) -> bool {
        self.needs_fields
    }
}

fn scribe<F>(needs_fields: bool, decide: F) -> (Scribe<F>, Arc<Mutex<Vec<Asked>>>)
where
    F: Fn(&SamplingInput<'_>) -> SamplingDecision + Send + Sync + 'static,
{
    let asked = Arc::default();
    (Scribe { asked: Arc::clone(&asked), needs_fields, decide }, asked)
}

#[traced(level = warn, kind = server, fields(order = 7, text = "x"))]
fn place() {
    inner();
}

#[traced]
fn inner() {}

#[traced(links = links, fields(cheap = true))]
fn linked(links: &[Context]) {}

/// SMP1: what ShouldSample gets, and what becomes of what it returns. U78.
#[test]
fn smp1_a_sampler_of_the_programs_own_is_asked_for_every_span() {
    let (sampler, asked) = scribe(false, |input| {
        if input.name() == "inner" {
            return SamplingDecision::drop();
        }
        let list = AttributeValue::Array(vec![AttributeValue::I64(1), AttributeValue::Bool(true)]);
        let map = AttributeValue::Map(vec![("key".to_owned(), AttributeValue::I64(1))]);
        let decision = SamplingDecision::record().with_attribute("rule", "a").with_attribute("order", 8);
        let decision = decision.with_attribute("list", list).with_attribute("empty", AttributeValue::Empty);
        decision.with_attribute("maps", AttributeValue::Array(vec![map.clone()])).with_attribute("map", map)
    });
    let (_, captured) = sampled(Sampler::custom(sampler), || {
        place();
        remote(TraceFlags::NONE).run(place);
        otlp::span!("late").in_scope(|| assert!(Span::current().is_recording()));
    });
    let asked = asked.lock().unwrap();
    let names: Vec<_> = asked.iter().map(|asked| asked.name.as_str()).collect();
    assert_eq!(names, ["place", "inner", "place", "inner", "late"]);
    assert_eq!(
        (asked[0].kind, asked[0].level, asked[0].path.as_str(), asked[0].parent),
        (SpanKind::Server, Level::Warn, "wire::samplers::place", None)
    );
    assert_eq!((asked[1].parent, asked[2].parent), (Some((false, true)), Some((true, false))));
    assert!(asked.iter().all(|asked| asked.attributes.is_empty()));
    assert_eq!(captured.spans().len(), 3);
    let span = captured.named("place").next().unwrap();
    // The span's own fields come later, and win.
    assert_eq!((span.string("rule"), span.i64("order"), span.string("text")), (Some("a"), Some(7), Some("x")));
    assert_eq!(
        span.attributes.iter().find(|(key, _)| key == "list").unwrap().1,
        AttributeValue::Array(vec![AttributeValue::I64(1), AttributeValue::Bool(true)])
    );
    // ATT1: what cannot be held is counted, not lost in silence; what says nothing is neither.
    assert!(!span.attributes.iter().any(|(key, _)| ["map", "maps", "empty"].contains(&key.as_str())));
    assert_eq!(span.dropped_attributes, 2);
}

struct Pair;

impl Attributes for Pair {
    fn record(&self, writer: &mut AttributeWriter<'_>) {
        writer.attribute("a", &1);
        writer.attribute("b", &[1.5]);
    }
}

#[test]
fn smp1_a_sampler_that_needs_fields_is_asked_when_they_are_there() {
    let (sampler, asked) = scribe(true, |input| {
        let decision = SamplingDecision::from(input.attribute("drop").is_none() && input.kind() != SpanKind::Client);
        decision.with_attribute("seen", input.attributes().len() as i64)
    });
    let (_, captured) = sampled(Sampler::parent_based(Sampler::custom(sampler)), || {
        place();
        linked(&[otlp::span!("dropped", drop = 1).context()]);
        let dropped = otlp::span!("dropped too", drop = true);
        assert!(!dropped.is_recording() && dropped.span_id().is_valid());
        dropped.in_scope(inner);
        Span::builder("built").kind(SpanKind::Producer).attributes(Pair).attribute("a", "2").start().end();
        Span::builder("built and dropped").kind(SpanKind::Client).start().end();
        let big = "x".repeat(20_000);
        otlp::span!("big", big, n = 1).in_scope(|| drop(otlp::span!("child")));
    });
    let asked = asked.lock().unwrap();
    let find = |name: &str| asked.iter().find(|asked| asked.name == name).unwrap();
    assert_eq!(find("place").attributes.len(), 2);
    assert_eq!(find("place").attributes[0], ("order".to_owned(), AttributeValue::I64(7)));
    assert_eq!((find("linked").links, find("linked").attributes.len()), (1, 1));
    let built = find("built");
    assert_eq!((built.kind, built.path.as_str()), (SpanKind::Producer, "otlp::Span::builder"));
    assert_eq!(
        built.attributes,
        [
            ("a".to_owned(), AttributeValue::String("2".to_owned())),
            ("b".to_owned(), AttributeValue::Array(vec![AttributeValue::F64(1.5)]))
        ]
    );
    assert!(matches!(&find("big").attributes[0].1, AttributeValue::String(text) if text.len() == 20_000));
    // Below the parent-based one, roots alone are asked for.
    assert!(!asked.iter().any(|asked| ["child", "inner"].contains(&asked.name.as_str())));
    let mut names: Vec<_> = captured.spans().iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["big", "built", "child", "inner", "linked", "place"]);
    assert_eq!((captured.one("place").i64("seen"), captured.one("linked").i64("seen")), (Some(2), Some(1)));
}

#[test]
fn a_sampler_that_panics_drops_the_span_and_is_counted() {
    let before = otlp::status().sampler_panics;
    let (_, captured) = sampled(
        Sampler::custom(|input: &SamplingInput<'_>| {
            assert_ne!(input.name(), "bad");
            SamplingDecision::record()
        }),
        || {
            otlp::span!("good").in_scope(|| drop(otlp::span!("bad")));
            assert!(!otlp::span!("bad").is_recording());
            drop(otlp::span!("good"));
        },
    );
    assert_eq!((captured.spans().len(), captured.named("good").count()), (2, 2));
    assert_eq!(otlp::status().sampler_panics - before, 2);
}

/// The callsite's own `sample` decides where a trace starts, and the sampler where there is a parent.
#[test]
fn a_callsites_share_goes_before_the_sampler_at_its_root_alone() {
    #[traced(sample = 1.0)]
    fn all() {}
    let off = || ParentBased::new(Sampler::always_off()).with_remote_parent_not_sampled(Sampler::always_on());
    let (_, captured) = sampled(off(), || {
        all();
        remote(TraceFlags::SAMPLED).run(all);
        remote(TraceFlags::NONE).run(inner);
        inner();
    });
    assert_eq!((captured.named("all").count(), captured.named("inner").count()), (2, 1));
}

/// What is not used any more goes, at the latest when the next `init` brings another one.
#[test]
fn a_sampler_lives_as_long_as_its_pipeline() {
    let kept = Arc::new(());
    let weak = Arc::downgrade(&kept);
    let sampler = Sampler::custom(move |_: &SamplingInput<'_>| {
        let _ = &kept;
        SamplingDecision::record()
    });
    let (_, captured) = sampled(sampler, inner);
    assert_eq!(captured.spans().len(), 1);
    assert!(weak.upgrade().is_none());
}

/// Sets it when the test ends, however it ends.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts what is dropped, and panics then.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("on purpose");
    }
}

/// Samplers come and go while spans start: nobody waits for them, and their drop is the program's own code.
#[test]
fn samplers_change_while_spans_start() {
    const ROUNDS: usize = 10;
    let _alone = alone();
    let (stop, dropped) = (AtomicBool::new(false), Arc::new(AtomicUsize::new(0)));
    let collector = Collector::start().unwrap();
    std::thread::scope(|scope| {
        let _stop = SetOnDrop(&stop);
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    otlp::span!("parent").in_scope(inner);
                    std::thread::yield_now();
                }
            });
        }
        for round in 0..ROUNDS {
            let counted = Counted(Arc::clone(&dropped));
            let custom = Sampler::custom(move |_: &SamplingInput<'_>| {
                let _ = &counted;
                SamplingDecision::record()
            });
            let sampler = if round % 2 == 0 { custom } else { Sampler::parent_based(custom) };
            let config = OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint());
            let guard = config.with_sampler(sampler).init().unwrap();
            otlp::flush(Duration::from_secs(30)).unwrap();
            drop(guard);
            assert!(otlp::status().traces.balanced());
        }
    });
    assert_eq!(dropped.load(Ordering::Relaxed), ROUNDS);
}
