//! The delivery contract, as the OpenTelemetry Collector's own exporters are tested (its `exportertest`): uniquely numbered
//! elements, a receiver that decides about each request, and exact arithmetic about the result.

use std::collections::HashSet;

use otlp::TransportProtocol;
use otlp::testing::{Collector, Reply};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::run::{PROTOCOLS, Run, each};

/// Elements, each in a request of its own.
const ELEMENTS: u64 = 100;

fn retryable() -> Reply {
    Reply::grpc(14, "later")
}

fn permanent() -> Reply {
    Reply::grpc(3, "never")
}

/// The receiver decides as `replies` say, and then accepts.
fn contract(protocol: TransportProtocol, replies: &[Reply]) {
    let again = replies.iter().filter(|reply| **reply == retryable()).count();
    let lost = replies.iter().filter(|reply| **reply == permanent()).count();
    let collector = Collector::start().unwrap();
    collector.script(replies.to_vec());
    let mut run = Run::new(collector.endpoint(), protocol);
    (run.spans, run.batch) = (ELEMENTS, 1);
    let outcome = run.outcome();
    // Success is what was not refused for good, each was sent once and once more for each time it was put off, nothing else.
    assert_eq!(outcome.exported(), ELEMENTS - lost as u64, "{outcome:?}");
    assert_eq!((outcome.rejected(), outcome.dropped()), (lost as u64, 0), "{outcome:?}");
    assert_eq!(collector.requests().len(), ELEMENTS as usize + again);
    let spans = collector.spans();
    let different: HashSet<_> = spans.iter().map(|span| span.i64("n").unwrap()).collect();
    assert_eq!((spans.len(), different.len()), (different.len(), (ELEMENTS as usize) - lost));
}

/// Four scenarios, the last with replies that differ in every run, on both transports.
#[test]
fn the_arithmetic_of_delivery_is_exact() {
    let reply = prop::sample::select(vec![Reply::Accept, retryable(), permanent()]);
    let mixed = prop::collection::vec(reply, 80).new_tree(&mut TestRunner::default()).unwrap().current();
    let scenarios = [vec![], vec![retryable(); ELEMENTS as usize], vec![permanent(); ELEMENTS as usize], mixed];
    let all: Vec<_> = PROTOCOLS.into_iter().flat_map(|p| scenarios.iter().map(move |replies| (p, replies))).collect();
    each(&all, |(protocol, replies)| contract(*protocol, replies));
}
