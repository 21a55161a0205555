//! What a span costs the thread that records it, as a ratio to the floor. See `benches/README.md`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use otlp::testing::Collector;
use otlp::{OtlpConfig, Sampler};

mod harness;

use harness::floor::Floor;
use harness::table::{self, Budget};
use harness::workload::{self as work, Eight, SPANS, TEXT};
use harness::{Case, Plan, Sample, measure, system};

/// The callers' core, and everybody else's.
const CALLER: usize = 0;
const OTHERS: usize = 1;
const LONG: Duration = Duration::from_secs(30);

/// Tight loops, for what needs nobody to keep up.
const TIGHT: Plan = Plan { rounds: 60, calls: 100_000, pause: Duration::ZERO };
/// Bursts of a hundred roots, with time for the collector between.
const BURSTS: Plan = Plan { rounds: 80, calls: 100, pause: Duration::from_millis(15) };

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "instructions");
    if arguments.next().is_some() {
        return instructions(arguments.next(), arguments.next());
    }
    table::title("Spans: time on the calling thread");
    disabled();
    system::pin(OTHERS);
    let floor = Floor::start();
    let collector = Collector::start()?;
    collector.count_only();
    filtered(&collector)?;
    recorded(&floor, &collector)?;
    unsampled(&floor, &collector)
}

fn config(collector: &Collector) -> OtlpConfig {
    OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint()).with_service("bench", "1")
}

/// Before `init`.
fn disabled() {
    system::pin(CALLER);
    over_the_bare_call("not initialised, over the bare call");
    let shop = work::Shop(black_box(1));
    let mut cases = [
        Case::new("bare result", 1, |i| {
            let _ = black_box(work::bare_result(black_box(i), black_box(TEXT)));
        }),
        Case::new("annotated result", 1, |i| {
            let _ = black_box(work::result(black_box(i), black_box(TEXT)));
        }),
        Case::new("bare method", 1, |i| {
            black_box(shop.bare_method(black_box(i)));
        }),
        Case::new("annotated method", 1, |i| {
            black_box(shop.method(black_box(i)));
        }),
        Case::new("bare future", 1, |i| {
            black_box(work::now(work::bare_ready(black_box(i), black_box(TEXT))));
        }),
        Case::new("nested future", 1, |i| {
            black_box(work::now(work::nested_ready(black_box(i), black_box(TEXT))));
        }),
        Case::new("annotated future", 1, |i| {
            black_box(work::now(work::ready(black_box(i), black_box(TEXT))));
        }),
    ];
    let samples = measure(TIGHT, &mut cases);
    if let [bare, result, bare_method, method, bare_future, nested, future] = *samples {
        let budget = || Some(Budget::new(1.0, 0.5));
        table::row("the same, args, ret and a Result", result.best - bare.best, " ns", budget());
        table::row("the same, a method of an annotated block", method.best - bare_method.best, " ns", budget());
        table::row("the same, an async function that is ready", future.best - bare_future.best, " ns", budget());
        table::row("  of this, an async block in an async function", nested.best - bare_future.best, " ns", None);
    }
}

/// With an engine that runs, and a filter that leaves the function out.
fn filtered(collector: &Collector) -> Result<(), Box<dyn Error>> {
    system::pin(OTHERS);
    let guard = config(collector).with_filter("info,span::harness::workload::two=off").init()?;
    system::pin(CALLER);
    over_the_bare_call("filtered out, over the bare call");
    drop(guard);
    Ok(())
}

fn over_the_bare_call(name: &str) {
    let mut cases = [
        Case::new("bare call", 1, |i| work::bare(black_box(i), black_box(TEXT))),
        Case::new("annotated call", 1, |i| work::two(black_box(i), black_box(TEXT))),
    ];
    let samples = measure(TIGHT, &mut cases);
    if let [bare, annotated] = *samples {
        table::row(name, annotated.best - bare.best, " ns", Some(Budget::new(1.0, 0.5)));
    }
}

/// With an engine that runs, and a receiver that counts.
fn recorded(floor: &Floor, collector: &Collector) -> Result<(), Box<dyn Error>> {
    system::pin(OTHERS);
    let guard = config(collector).init()?;
    system::pin(CALLER);
    let mut cases = cases(floor);
    let samples = measure(BURSTS, &mut cases);
    if let [floor, rows @ ..] = &*samples {
        table::against(*floor, *floor, None);
        for row in rows {
            let budget = (row.name == TWO).then(|| Budget::new(1.8, 1.4));
            table::against(*floor, *row, budget);
        }
        set_attribute(*floor, rows);
    }
    otlp::flush(LONG)?;
    let counts = otlp::status().traces;
    let arrived = collector.span_count();
    drop(guard);
    table::note(&format!(
        "{} spans recorded, {arrived} arrived, {} dropped\n",
        counts.recorded,
        counts.dropped_total()
    ));
    Ok(())
}

const TWO: &str = "span, 2 attributes";
const NONE: &str = "span, 0 attributes";
const ATTRIBUTE: &str = "span, 1 attribute set later";
/// A call while nothing is set up; for `instructions` alone.
const DISABLED: &str = "disabled call, 2 attributes";

fn cases(floor: &Floor) -> Vec<Case<'_>> {
    let text = || black_box(TEXT);
    vec![
        Case::new("floor: two clock reads, 128 bytes, live reader", SPANS, |_| (0..SPANS).for_each(|_| floor.record())),
        Case::new(NONE, SPANS, |_| work::root_none()),
        Case::new(TWO, SPANS, move |i| work::root_two(i, text())),
        Case::new("span, 8 attributes", SPANS, |i| work::root_eight(Eight::new(i))),
        Case::new("span, 2 attributes, a trace of its own", SPANS, move |i| {
            (0..SPANS).for_each(|_| work::two(i, text()));
        }),
        Case::new("async span, 2 attributes, one ready await", SPANS, move |i| {
            black_box(work::now(work::root_ready(i, text())));
        }),
        Case::new("span!(2 attributes).entered()", SPANS, move |i| work::root_entered(i, text())),
        Case::new(ATTRIBUTE, SPANS, work::root_attribute),
    ]
}

/// What `Span::current().set_attribute` adds to a span.
fn set_attribute(floor: Sample, rows: &[Sample]) {
    let find = |name| rows.iter().find(|row| row.name == name);
    if let (Some(with), Some(without)) = (find(ATTRIBUTE), find(NONE)) {
        // The root has none.
        let share = SPANS as f64 / work::CHILDREN as f64;
        let sample = Sample {
            name: "  of this, Span::current().set_attribute()",
            best: (with.best - without.best) * share,
            median: (with.median - without.median) * share,
        };
        table::against(floor, sample, None);
    }
}

/// With a sampler that records nothing.
fn unsampled(floor: &Floor, collector: &Collector) -> Result<(), Box<dyn Error>> {
    system::pin(OTHERS);
    let guard = config(collector).with_sampler(Sampler::always_off()).init()?;
    system::pin(CALLER);
    let mut cases = [
        Case::new("floor, again", SPANS, |_| (0..SPANS).for_each(|_| floor.record())),
        Case::new("span, 2 attributes, not sampled", SPANS, |i| work::root_two(i, black_box(TEXT))),
    ];
    if let [floor, unsampled] = *measure(BURSTS, &mut cases) {
        table::against(floor, unsampled, None);
    }
    drop(guard);
    Ok(())
}

/// For callgrind: runs one case so many times in [`counted`], and nothing else; without arguments, lists the cases.
fn instructions(name: Option<String>, calls: Option<String>) -> Result<(), Box<dyn Error>> {
    let floor = Floor::start();
    let mut cases = cases(&floor);
    cases.push(Case::new(DISABLED, SPANS, |i| (0..SPANS).for_each(|_| work::two(i, black_box(TEXT)))));
    let (Some(name), Some(calls)) = (name, calls) else {
        cases.iter().for_each(|case| println!("{}", case.name));
        return Ok(());
    };
    let collector = Collector::start()?;
    collector.count_only();
    let _guard = if name == DISABLED { None } else { Some(config(&collector).init()?) };
    let case = cases.iter_mut().find(|case| case.name == name).ok_or("no such case")?;
    let calls: u64 = calls.parse()?;
    // All the room that is needed is made, and given back: a new segment of the log is memory that is cleared first.
    (0..2 * calls).for_each(&mut case.run);
    otlp::flush(LONG)?;
    counted(calls, case);
    Ok(())
}

#[inline(never)]
fn counted(calls: u64, case: &mut Case<'_>) {
    (0..black_box(calls)).for_each(&mut case.run);
}
