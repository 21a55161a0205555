//! Receivers that come late, and receivers that die under load.

use std::collections::HashSet;

use otlp::testing::Collector;

use crate::port::UnusedPort;
use crate::process::LONG;
use crate::run::{PROTOCOLS, Run, each};

#[test]
fn a_receiver_that_comes_late_gets_everything() {
    each(&PROTOCOLS, |&protocol| {
        let port = UnusedPort::reserve();
        let endpoint = format!("http://{port}");
        let running = Run::new(endpoint.clone(), protocol).start();
        running.wait_for("fails: ");
        let collector = port.listen(|address| Collector::start_on(address.port()).unwrap());
        let outcome = running.outcome();
        assert_eq!((outcome.exported(), collector.span_count()), (300, 300), "{outcome:?}");
        outcome.says(&["export to", &endpoint, "works again after"]);
    });
}

/// It dies with requests under way, and another comes in its place: nothing is lost, and what was under way may be there twice.
#[test]
fn a_receiver_that_dies_under_load_loses_nothing() {
    each(&PROTOCOLS, |&protocol| {
        let first = Collector::start().unwrap();
        let mut run = Run::new(first.endpoint(), protocol);
        run.spans = 20_000;
        let running = run.start();
        assert!(first.wait_for(3_000, LONG));
        first.stop();
        running.wait_for("fails: ");
        let second = Collector::start_on(first.port()).unwrap();
        let outcome = running.outcome();
        assert_eq!((outcome.exported(), outcome.dropped()), (20_000, 0), "{outcome:?}");
        let all: Vec<_> = first.spans().into_iter().chain(second.spans()).collect();
        let different: HashSet<_> = all.iter().map(|span| span.i64("n").unwrap()).collect();
        assert_eq!(different.len(), 20_000);
        // No more than was under way at once: eight requests, and as many on connections that were open when it died.
        assert!((20_000..=21_600).contains(&all.len()), "{}", all.len());
        outcome.says(&["works again after"]);
    });
}

/// It dies and nobody comes: what it has taken is exported, the rest is dropped, and nothing else.
#[test]
fn a_receiver_that_dies_for_good_has_what_is_counted() {
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        let mut run = Run::new(collector.endpoint(), protocol);
        run.spans = 20_000;
        (run.flush, run.shutdown) = (std::time::Duration::from_millis(100), std::time::Duration::from_millis(300));
        let running = run.start();
        assert!(collector.wait_for(1_000, LONG));
        collector.stop();
        let outcome = running.outcome();
        let (received, unknown) = (collector.span_count(), outcome.count("unknown_outcome"));
        assert!((outcome.exported()..=outcome.exported() + unknown).contains(&received), "{received}: {outcome:?}");
        // Eight requests of a hundred spans, and as many again on connections that were open when it died.
        assert!(unknown <= 1_600, "no more than was under way at once: {outcome:?}");
    });
}
