//! The engine on scripted records, with outlets that tests settle by hand, and on real threads.
#![allow(clippy::unwrap_used)]

mod detection;
mod model;
pub(super) mod outlet;
pub(super) mod record;
mod threads;

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::desk::Desk;
use super::detection::Detection;
use super::engine::Engine;
use super::feed::{Doze, Feed};
use super::outlet::Outlet;
use super::pipe::Pipe;
use super::pipeline::{BatchLimits, Pipeline};
use crate::account::{Counts, Ledger};
use crate::data::Resource;
use crate::record::drain::Pass;
use crate::record::log::Loss;
use record::Record;

const HOUR: Duration = Duration::from_secs(3600);
pub(super) const LIMITS: BatchLimits = BatchLimits { bytes: 1 << 20, items: 10, age: HOUR };

/// What a test's threads have recorded.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<(Vec<Record>, Pass)>>);

impl Tape {
    fn record(&self, record: Record) {
        self.0.lock().unwrap().0.push(record);
    }

    fn lose(&self, no_room: u64, no_slot: u64) {
        let mut tape = self.0.lock().unwrap();
        tape.1.lost[Loss::NoRoom as usize] += no_room;
        tape.1.lost[Loss::NoSlot as usize] += no_slot;
    }
}

impl Feed for Tape {
    type Record<'a> = Record;

    fn route(record: &Record) -> u32 {
        record.route
    }

    fn pass(&mut self, each: impl FnMut(Record)) -> Pass {
        let (records, lost) = std::mem::take(&mut *self.0.lock().unwrap());
        let pass = Pass { records: records.len() as u64, ..lost };
        records.into_iter().for_each(each);
        pass
    }
}

/// Rings when there is news.
#[derive(Clone, Default)]
struct Bell(Arc<(Mutex<bool>, Condvar)>);

impl Bell {
    fn ring(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

impl Doze for Bell {
    fn sleep(&self, time: Duration) {
        let rung = self.0.0.lock().unwrap();
        *self.0.1.wait_timeout_while(rung, time, |rung| !*rung).unwrap().0 = false;
    }

    fn park(&self, look: impl FnOnce() -> bool) {
        if !look() {
            let rung = self.0.0.lock().unwrap();
            *self.0.1.wait_while(rung, |rung| !*rung).unwrap() = false;
        }
    }
}

/// A desk, an engine's parts, and what it reads.
struct Rig {
    desk: Arc<Desk>,
    tape: Tape,
    bell: Bell,
    routes: u32,
}

impl Rig {
    fn new() -> Self {
        let bell = Bell::default();
        let ring = bell.clone();
        Self { desk: Arc::new(Desk::new(move || ring.ring())), tape: Tape::default(), bell, routes: 0 }
    }

    fn engine(&self) -> Engine<Tape, Bell> {
        Engine::new(Arc::clone(&self.desk), self.tape.clone(), self.bell.clone(), |_, _| ())
    }

    /// What `init` does.
    fn open(&mut self, limits: BatchLimits, outlet: impl FnOnce(&Arc<Ledger>) -> Box<dyn Outlet>) -> Arc<Pipe> {
        self.open_detecting(limits, None, outlet)
    }

    fn open_detecting(
        &mut self,
        limits: BatchLimits,
        detection: Option<Detection>,
        outlet: impl FnOnce(&Arc<Ledger>) -> Box<dyn Outlet>,
    ) -> Arc<Pipe> {
        self.routes += 1;
        let (route, ledger) = (self.routes, Arc::new(Ledger::default()));
        let outlet = outlet(&ledger);
        let reservation = self.desk.reserve().unwrap();
        let pipeline = || {
            let pipeline = Pipeline::new(route, true, &Resource::new(), limits, ledger, outlet);
            match detection {
                Some(detection) => pipeline.detecting(detection),
                None => pipeline,
            }
        };
        self.desk.open_global(reservation, pipeline)
    }
}

fn balanced(pipe: &Pipe) -> Counts {
    let counts = pipe.counts();
    assert!(counts.balanced(), "{counts:?}");
    counts
}

/// Panics with the payload "scripted" are part of a test, and not to be printed.
fn silence_scripted_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload_as_str() != Some("scripted") {
                hook(info);
            }
        }));
    });
}
