//! Every order of recording, turns, calls and fates, against a plain model of what each call must answer.

use proptest::prelude::*;

use super::outlet::{ByHand, Fate};
use super::record::Kind;
use super::*;
use crate::account::DropReason;
use crate::collector::ticket::{Operation, Ticket};
use crate::error::OtlpError;

#[derive(Clone, Debug)]
enum Step {
    /// Records on the global route, which may be closed by then.
    Record(Kind, u64),
    /// Records that found no room, and no slot.
    Lose(u64, u64),
    Turn,
    Flush,
    Shutdown,
    Settle(usize, Fate),
    /// `init`, if that is possible.
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![8 => Just(Kind::Small), 1 => Just(Kind::TooLarge), 1 => Just(Kind::Poison)];
    let fate = prop_oneof![4 => Just(Fate::Accepted), 1 => Just(Fate::Rejected), 1 => Just(Fate::Dropped)];
    prop_oneof![
        6 => (kind, 1..15_u64).prop_map(|(kind, n)| Step::Record(kind, n)),
        1 => (0..3_u64, 0..3_u64).prop_map(|(no_room, no_slot)| Step::Lose(no_room, no_slot)),
        4 => Just(Step::Turn),
        3 => Just(Step::Flush),
        1 => Just(Step::Shutdown),
        5 => (0..20_usize, fate).prop_map(|(nth, fate)| Step::Settle(nth, fate)),
        1 => Just(Step::Open),
    ]
}

/// What a call waits for, as the model sees it.
struct Call {
    ticket: Arc<Ticket>,
    /// Once a turn has taken it up: good records made by then, and bad ones.
    marked: Option<(u64, u64)>,
}

/// One global pipeline.
struct Life {
    pipe: Arc<Pipe>,
    outlet: ByHand,
    /// Records made on its route in all, and those that can be encoded and came in time.
    made: u64,
    good: u64,
    bad: u64,
    /// Made since the last turn, good ones and bad ones.
    fresh: (u64, u64),
    calls: Vec<Call>,
    shutting_down: bool,
    /// The engine has closed it: what comes is late.
    closed: bool,
    late: u64,
}

struct Model {
    rig: Rig,
    engine: Engine<Tape, Bell>,
    lives: Vec<Life>,
}

impl Model {
    fn new() -> Self {
        let rig = Rig::new();
        let engine = rig.engine();
        Self { rig, engine, lives: Vec::new() }
    }

    fn open(&mut self) {
        if self.lives.last().is_some_and(|life| !life.outlet.wait_ended(Instant::now())) {
            assert!(matches!(self.rig.desk.reserve(), Err(OtlpError::AlreadyInitialized)));
            return;
        }
        // Nobody has waited for the end of the last one: a turn finds that it is over.
        self.turn();
        let mut outlet = None;
        let pipe = self.rig.open(LIMITS, |ledger| Box::new(outlet.insert(ByHand::new(ledger)).clone()));
        self.lives.push(Life {
            pipe,
            outlet: outlet.unwrap(),
            made: 0,
            good: 0,
            bad: 0,
            fresh: (0, 0),
            calls: Vec::new(),
            shutting_down: false,
            closed: false,
            late: 0,
        });
    }

    fn turn(&mut self) {
        self.engine.turn();
        if let Some(life) = self.lives.last_mut() {
            life.turned();
        }
    }

    fn act(&mut self, step: Step) {
        match (step, self.lives.last_mut()) {
            (Step::Turn, _) => self.turn(),
            (Step::Open, _) => self.open(),
            (step, Some(life)) => life.act(step, &self.rig),
            (_, None) => assert!(self.rig.desk.ask_flush(HOUR).is_none()),
        }
    }

    fn check(&self) {
        self.lives.iter().for_each(Life::check);
        if let Some(life) = self.lives.last() {
            assert_eq!(self.rig.desk.ledger().unwrap().counts(), life.pipe.counts());
        }
    }
}

impl Life {
    fn act(&mut self, step: Step, rig: &Rig) {
        let ticket = match step {
            Step::Record(kind, n) => {
                (0..n).for_each(|_| rig.tape.record(Record { route: self.pipe.route, kind }));
                self.made += n;
                match kind {
                    _ if self.closed => self.late += n,
                    Kind::Small => self.fresh.0 += n,
                    Kind::TooLarge | Kind::Poison => self.fresh.1 += n,
                }
                return;
            }
            Step::Lose(no_room, no_slot) => {
                rig.tape.lose(no_room, no_slot);
                self.made += no_room + no_slot;
                self.fresh.1 += if self.closed { 0 } else { no_room + no_slot };
                return;
            }
            Step::Settle(nth, fate) => return self.outlet.settle(nth, fate),
            Step::Flush => rig.desk.ask_flush(HOUR),
            Step::Shutdown => rig.desk.ask_shutdown(None, HOUR, || self.shutting_down = true),
            Step::Turn | Step::Open => return,
        };
        match ticket {
            Some(ticket) => self.calls.push(Call { ticket, marked: None }),
            None => assert!(self.closed && self.outlet.wait_ended(Instant::now())),
        }
    }

    fn turned(&mut self) {
        let (good, bad) = std::mem::take(&mut self.fresh);
        self.good += good;
        self.bad += bad;
        let mark = (if self.closed { u64::MAX } else { self.good }, self.bad);
        for call in &mut self.calls {
            call.marked.get_or_insert(mark);
        }
        self.closed |= self.shutting_down;
    }

    fn check(&self) {
        let counts = balanced(&self.pipe);
        assert!(counts.recorded <= self.made);
        assert_eq!(counts.in_flight, 0);
        assert!(counts.dropped(DropReason::Shutdown) <= self.late);
        assert_eq!(self.outlet.is_ending(), self.closed);
        self.calls.iter().for_each(|call| self.check_call(call));
    }

    fn check_call(&self, call: &Call) {
        let outcome = call.ticket.outcome();
        let Some((below, bad)) = call.marked else {
            assert!(matches!(outcome, Err(OtlpError::DeadlineExceeded { .. })), "{outcome:?}");
            return;
        };
        let (mut first, mut pending, mut lost, mut settled) = (0, 0, bad, true);
        for batch in self.outlet.batches() {
            if first >= below {
                break;
            }
            first += batch.items;
            assert!(first <= below, "a mark closes the batch");
            match batch.fate {
                None => (pending, settled) = (pending + batch.items, false),
                Some(_) => lost += batch.lost(),
            }
        }
        let expected = match call.ticket.operation {
            Operation::Flush => "flush",
            Operation::Shutdown => "shutdown",
        };
        match outcome {
            Ok(()) => assert!(settled && lost == 0),
            Err(OtlpError::Lost { lost: told, operation, last_error }) => {
                assert!(settled);
                assert_eq!((told, operation, last_error.as_deref()), (lost, expected, Some("by hand")));
            }
            Err(OtlpError::DeadlineExceeded { pending: told, operation, .. }) => {
                assert!(!settled);
                assert_eq!((told, operation), (pending, expected));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn every_call_is_answered_truly_and_the_book_is_always_balanced(steps in prop::collection::vec(step(), 1..120)) {
        silence_scripted_panics();
        let mut model = Model::new();
        model.open();
        for step in steps {
            model.act(step);
            model.check();
        }
        // In the end everything has its fate.
        model.act(Step::Shutdown);
        model.turn();
        while model.lives.iter().any(|life| !life.outlet.wait_ended(Instant::now())) {
            model.act(Step::Settle(0, Fate::Accepted));
        }
        model.turn();
        model.check();
        for life in &model.lives {
            let counts = balanced(&life.pipe);
            prop_assert_eq!((counts.recorded, counts.queued), (life.made, 0));
            prop_assert_eq!(counts.dropped(DropReason::Shutdown), life.late);
            prop_assert_eq!(counts.exported + counts.rejected + counts.dropped(DropReason::RetryExhausted), life.good);
        }
    }
}
