//! What stands on a stdout that takes text now and then.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::data::Signal;

/// Takes as many bytes as it has room for.
#[derive(Default)]
struct Paper(Mutex<(Vec<u8>, usize)>);

impl Paper {
    fn make_room(&self, room: usize) {
        self.0.lock().unwrap().1 = room;
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
    }
}

impl Out for Arc<Paper> {
    fn state(&self) -> State {
        if self.0.lock().unwrap().1 > 0 { State::Ready } else { State::Full }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let (text, room) = &mut *self.0.lock().unwrap();
        let written = bytes.len().min(*room);
        text.extend_from_slice(&bytes[..written]);
        *room -= written;
        Ok(written)
    }
}

/// A batch of spans whose names are these.
fn batch(names: &[String]) -> Payload {
    let spans: Vec<Span> = names.iter().map(|name| Span { name: name.clone(), ..Span::default() }).collect();
    let items = spans.len() as u64;
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    Payload { signal: Signal::Traces, body: request.encode_to_vec().into(), gzip: false, items }
}

fn console() -> (Arc<Paper>, Console<Arc<Paper>>) {
    let paper = Arc::new(Paper::default());
    (Arc::clone(&paper), Console::to(paper))
}

fn names(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.strip_prefix("span ").unwrap().split_once(' ').unwrap().0).collect()
}

fn on_a_paused_clock<R>(f: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(f)
}

fn may_have_arrived(answer: &Result<Accepted, TransportError>) -> Option<bool> {
    match answer {
        Err(TransportError::Retryable { may_have_arrived, .. }) => Some(*may_have_arrived),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    /// Wherever and however often it is cut, and whichever batch comes next.
    #[test]
    fn every_span_is_printed_once_and_whole(
        lens in prop::collection::vec(prop::collection::vec(0..900_usize, 1..4), 1..4),
        turns in prop::collection::vec((any::<prop::sample::Index>(), 0..3000_usize), 0..20),
    ) {
        let expected: Vec<Vec<String>> = lens.iter().enumerate().map(|(batch, lens)| {
            lens.iter().enumerate().map(|(n, len)| format!("{batch}.{n}{}", "x".repeat(*len))).collect()
        }).collect();
        on_a_paused_clock(async {
            let (paper, console) = console();
            let mut waiting: Vec<Payload> = expected.iter().map(|names| batch(names)).collect();
            for (which, room) in turns {
                if waiting.is_empty() {
                    break;
                }
                paper.make_room(room);
                let next = waiting.remove(which.index(waiting.len()));
                match console.print(next.clone()).await {
                    Ok(accepted) => assert_eq!(accepted, Accepted::default()),
                    Err(TransportError::Retryable { .. }) => waiting.push(next),
                    Err(error) => panic!("{error}"),
                }
            }
            paper.make_room(usize::MAX);
            for left in waiting {
                console.print(left).await.unwrap();
            }
            let (text, mut expected) = (paper.text(), expected.concat());
            let mut printed = names(&text);
            printed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(printed, expected);
            assert!(console.begun.lock().await.is_empty());
        });
    }
}

/// What may be printed is known by what was: that is the difference between `retry_exhausted` and `unknown_outcome`.
#[test]
fn a_batch_that_is_given_up_leaves_whole_lines_and_nothing_behind() {
    on_a_paused_clock(async {
        let (paper, console) = console();
        let (first, second) = (batch(&["a".repeat(600), "b".into()]), batch(&["c".into()]));
        assert_eq!(may_have_arrived(&console.print(second.clone()).await), Some(false));
        paper.make_room(550);
        assert_eq!(may_have_arrived(&console.print(first.clone()).await), Some(true));
        // The text that was cut goes first, and nothing of the second is there yet.
        paper.make_room(10);
        assert_eq!(may_have_arrived(&console.print(second.clone()).await), Some(false));
        drop(first);
        paper.make_room(usize::MAX);
        console.print(second).await.unwrap();
        let text = paper.text();
        assert_eq!(names(&text), ["a".repeat(600), "c".into()]);
        console.print(batch(&["d".into()])).await.unwrap();
        assert!(console.begun.lock().await.is_empty());
    });
}
