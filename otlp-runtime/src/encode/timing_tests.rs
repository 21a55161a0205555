//! How long a span takes from raw record to OTLP bytes. Not a check: run it by hand, in release mode,
//! `cargo test --release -p otlp-runtime --features export --lib timing -- --ignored --nocapture`.
//!
//! `benches/instructions.sh` counts the instructions of [`counted`], which is a check.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use super::{OpenBatch, SpanLimits};
use crate::data::{Level, Resource, Scope, SpanKind};
use crate::record::callsite::{Callsite, Metadata};
use crate::record::journal::{Journal, Key};
use crate::record::layout::{HEADER, RecordView, flag};

static CALLSITE: Callsite = Callsite::new(Metadata {
    name: "load_order",
    path: "shop::orders::load_order",
    file: "src/orders.rs",
    line: 17,
    level: Level::Info,
    kind: SpanKind::Internal,
    keys: &["order.id", "user.id", "cart.items", "cart.total", "http.route", "region", "tenant", "retries"],
    scope: Scope { name: "shop", version: "1.2.3" },
    root: false,
    sample: None,
});

/// Records one after the other, as they lie in a segment of the log; each with `attributes` numbers and texts.
fn records(attributes: u16, amended: bool) -> Vec<Vec<u64>> {
    let record = |i: u64| {
        let mut journal = Journal::new();
        for key in 0..attributes {
            match key % 2 {
                0 => journal.value(Key::Callsite(key), &(i * 1000 + u64::from(key))),
                _ => journal.value(Key::Callsite(key), "eu-central-1"),
            }
        }
        let (inline, heap) = journal.words();
        let flags = u64::from(flag::RANDOM | if amended { flag::AMENDED } else { 0 });
        let mut words = vec![(HEADER + inline.len() + heap.len()) as u64 | flags << 32];
        words.extend([std::ptr::from_ref(&CALLSITE) as u64, i * 1000, i * 1000 + 500, i, !i, i + 1, i + 2, 1]);
        words.extend(inline);
        words.extend(heap);
        words
    };
    (0..512).map(record).collect()
}

#[test]
#[ignore = "measures, and checks nothing"]
fn from_a_raw_record_to_bytes() {
    for (attributes, amended) in [(0, false), (2, false), (8, false), (2, true), (8, true)] {
        let records = records(attributes, amended);
        let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
        let (mut spans, mut bytes) = (0u64, 0);
        let mut best = [f64::MAX; 2];
        // The best of many rounds, each of one batch of a mebibyte: the machine is shared.
        for _ in 0..200 {
            let before = spans;
            let start = Instant::now();
            while batch.bytes() < 1 << 20 {
                for words in &records {
                    batch
                        .push(&RecordView::from_words(words).unwrap(), |tick| tick + 1_700_000_000_000_000_000)
                        .unwrap();
                }
                spans += records.len() as u64;
            }
            let pushed = start.elapsed();
            let payload = batch.close().unwrap();
            let closed = start.elapsed();
            bytes = payload.body.len();
            drop(payload);
            let per_span = |time: Duration| time.as_nanos() as f64 / (spans - before) as f64;
            best[0] = best[0].min(per_span(pushed));
            best[1] = best[1].min(per_span(closed));
        }
        let [push, with_close] = best;
        println!(
            "{attributes} attributes, amended {amended}: {push:.1} ns a span, {with_close:.1} with closing ({bytes} B)"
        );
    }
}

/// Warms up, and then encodes the 512 spans for which callgrind counts.
#[test]
#[ignore = "for benches/instructions.sh"]
fn instructions() {
    let records = records(2, false);
    let mut batch = OpenBatch::new(&Resource::new(), SpanLimits::default());
    for _ in 0..4 {
        encode(&mut batch, &records);
        batch.close().unwrap();
    }
    // Room for them is there, as in most of the life of a batch.
    counted(&mut batch, &records);
}

#[inline(never)]
fn counted(batch: &mut OpenBatch, records: &[Vec<u64>]) {
    encode(batch, records);
}

fn encode(batch: &mut OpenBatch, records: &[Vec<u64>]) {
    for words in records {
        batch.push(&RecordView::from_words(words).unwrap(), |tick| tick + 1_700_000_000_000_000_000).unwrap();
    }
}
