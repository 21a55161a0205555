//! Detectors that hang: nobody is held up by them, and nothing is lost (law 4).

use std::sync::mpsc::{Sender, channel};

use super::outlet::{ByHand, Fate};
use super::record::Kind;
use super::*;
use crate::collector::ticket::Ticket;
use crate::error::OtlpError;

/// A pipeline whose detectors hang until the sender is dropped, or has sent what they find.
struct Hung {
    rig: Rig,
    engine: Engine<Tape, Bell>,
    pipe: Arc<Pipe>,
    outlet: ByHand,
    found: Sender<Resource>,
}

/// Far more than a turn takes, and less than the detectors may.
const SOON: Duration = Duration::from_millis(500);

impl Hung {
    fn new(limits: BatchLimits) -> Self {
        let mut rig = Rig::new();
        let (found, hangs) = channel();
        let detection = Detection::by(Resource::new(), move || hangs.recv().unwrap_or_default());
        let mut outlet = None;
        let by_hand = |ledger: &Arc<Ledger>| Box::new(outlet.insert(ByHand::new(ledger)).clone()) as Box<dyn Outlet>;
        let pipe = rig.open_detecting(limits, Some(detection), by_hand);
        Self { engine: rig.engine(), rig, pipe, outlet: outlet.unwrap(), found }
    }

    fn record(&self, count: u64) {
        (0..count).for_each(|_| self.rig.tape.record(Record { route: self.pipe.route, kind: Kind::Small }));
    }

    fn turn(&mut self) {
        let start = Instant::now();
        self.engine.turn();
        let took = start.elapsed();
        assert!(took < SOON, "a turn took {took:?}");
    }

    /// Turns until the first batch is handed over, which has to be by `latest`.
    fn until_handed_over(&mut self, latest: Instant) {
        while self.outlet.batches().is_empty() {
            assert!(Instant::now() < latest, "not handed over in time");
            self.turn();
            std::thread::yield_now();
        }
    }

    fn answer(&mut self, ticket: &Ticket) -> Result<(), OtlpError> {
        self.outlet.settle(0, Fate::Accepted);
        self.turn();
        ticket.outcome()
    }
}

/// Each with the half of its time to spare.
#[test]
fn a_flush_and_a_shutdown_wait_half_of_their_time_and_then_go_without() {
    for shutdown in [false, true] {
        let mut hung = Hung::new(LIMITS);
        hung.record(5);
        let (start, allowed) = (Instant::now(), Duration::from_millis(1600));
        let ticket =
            if shutdown { hung.rig.desk.ask_shutdown(None, allowed, || ()) } else { hung.rig.desk.ask_flush(allowed) };
        hung.turn();
        assert!(hung.outlet.batches().is_empty() && !hung.outlet.is_ending(), "the detectors may be done in a moment");
        hung.until_handed_over(start + allowed);
        assert!(start.elapsed() >= allowed / 2);
        hung.answer(&ticket.unwrap()).unwrap();
        assert_eq!((balanced(&hung.pipe).exported, hung.outlet.is_ending()), (5, shutdown));
    }
}

#[test]
fn whoever_waits_gets_the_whole_resource_as_soon_as_it_is_there() {
    let mut hung = Hung::new(LIMITS);
    hung.record(5);
    let ticket = hung.rig.desk.ask_flush(HOUR).unwrap();
    hung.turn();
    let mut found = Resource::new();
    found.set("host.name", "web");
    hung.found.send(found).unwrap();
    hung.until_handed_over(Instant::now() + SOON);
    assert_eq!(hung.outlet.resources(), [["host.name"]]);
    hung.answer(&ticket).unwrap();
}

#[test]
fn a_full_batch_goes_at_once_and_a_later_one_has_the_whole_resource() {
    let mut hung = Hung::new(LIMITS);
    hung.record(25);
    hung.turn();
    assert_eq!(hung.outlet.batches().len(), 2);
    let mut found = Resource::new();
    found.set("host.name", "web");
    hung.found.send(found).unwrap();
    let ticket = hung.rig.desk.ask_flush(HOUR).unwrap();
    while hung.outlet.batches().len() < 3 {
        hung.turn();
    }
    assert_eq!(hung.outlet.resources(), [vec![], vec![], vec!["host.name".to_owned()]]);
    while hung.outlet.batches().iter().any(|batch| batch.fate.is_none()) {
        hung.outlet.settle(0, Fate::Accepted);
    }
    hung.turn();
    ticket.outcome().unwrap();
}

/// Only what is asked for by somebody waits: a batch that is due is due when the detectors are given up.
#[test]
fn a_batch_that_nobody_asks_for_waits_for_the_detectors_for_a_bounded_time() {
    let mut hung = Hung::new(BatchLimits { age: Duration::ZERO, ..LIMITS });
    hung.record(5);
    let start = Instant::now();
    hung.turn();
    assert!(hung.outlet.batches().is_empty());
    hung.until_handed_over(start + Duration::from_secs(2) + SOON);
}
