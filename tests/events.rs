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
