//! `event!`, and `info!` with its siblings: the grammar of fields once more.
#![allow(clippy::unwrap_used)]

mod support;

use std::cell::Cell;

use otlp::traced;
use support::{one, pairs, spans};

const KEY: &str = "from.constant";

#[derive(otlp::Attributes)]
struct Labels {
    team: &'static str,
}

#[traced(fields(own))]
fn work(own: u8, evaluated: &Cell<u32>) {
    let count = || {
        evaluated.set(evaluated.get() + 1);
        evaluated.get()
    };
    let text = "sum";
    otlp::event!("cart.full", own, items = count(), { KEY } = 2, ..Labels { team: "a" });
    otlp::event!("bare");
    otlp::info!("{text} of {own}", %text, ?evaluated);
    otlp::error!("{{braces}}", r#type = "x",);
    otlp::debug!("plain");
    otlp::trace!("plain");
    otlp::warn!("plain");
}

#[test]
fn they_are_events_of_the_current_span() {
    let evaluated = Cell::new(0);
    let ((), span) = one(|| work(7, &evaluated));
    let events: Vec<_> =
        span.events.iter().map(|event| format!("{}: {}", event.name, pairs(&event.attributes).join(" "))).collect();
    let expected = [
        "cart.full: own=7 items=1 from.constant=2 team=\"a\"",
        "bare: ",
        "{text} of {own}: message=\"sum of 7\" level=\"info\" text=\"sum\" evaluated=\"Cell { value: 1 }\"",
        "{{braces}}: message=\"{braces}\" level=\"error\" type=\"x\"",
        "plain: message=\"plain\" level=\"debug\"",
        "plain: message=\"plain\" level=\"trace\"",
        "plain: message=\"plain\" level=\"warn\"",
    ];
    assert_eq!(events, expected);
}

#[test]
fn without_a_span_that_records_nothing_is_evaluated() {
    let evaluated = Cell::new(0);
    work(1, &evaluated);
    let ((), seen) = spans(|| otlp::info!("nowhere", n = evaluated.replace(9)));
    assert_eq!((evaluated.get(), seen.len()), (0, 0));
}

/// What is spread into an event comes while it is being written, and must not make the journal look for what it can throw away.
#[test]
fn what_is_spread_behind_long_texts_arrives() {
    const LONG_NAME: &str = "an event with a name that takes more words than the head of an entry, so that nobody can take what is \
                             in it for the head of another: it is the only one here that says what it is called";
    let few: Vec<_> = (0..2).map(|n| (format!("k{n}"), -1)).collect();
    let many: Vec<_> = (0..60).map(|n| (format!("k{n}"), -1)).collect();
    for length in [10, 3000, 4000, 4100, 5000, 100_000] {
        let text = "x".repeat(length);
        for rest in [&few, &many] {
            let ((), span) = one(|| {
                let span = otlp::span!("spreads").entered();
                otlp::event!("e", text = &text, ..rest);
                otlp::event!(
                    "an event with a name that takes more words than the head of an entry, so that nobody can take what is in it for the head of another: it is the only one here that says what it is called",
                    text = &text,
                    ..rest
                );
                span.set_attribute("after", 1);
            });
            let events: Vec<_> = span
                .events
                .iter()
                .map(|event| (&*event.name, event.string("text") == Some(&text), event.attributes.len()))
                .collect();
            let all = rest.len() + 1;
            assert_eq!(events, [("e", true, all), (LONG_NAME, true, all)], "{length}");
            assert_eq!((span.i64("after"), span.dropped_attributes, span.dropped_events), (Some(1), 0, 0));
        }
    }
}
