//! The loop of `otlp-collect`: drain, encode, close what is due, carry out orders, rest.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::desk::{Desk, Order};
use super::feed::{Doze, Feed};
use super::pace::{Pace, Rest};
use super::pipe::Pipe;
use super::pipeline::Pipeline;
use super::routes::{Routes, Say};
use super::ticket::{Mark, Ticket};
use crate::record::drain::Pass;
use crate::record::timeline::Timeline;

/// How often the engine looks whether an ending pipeline has ended.
const LOOK: Duration = Duration::from_millis(50);

/// One engine. All of its state belongs to its thread; others reach it through the [`Desk`].
pub(super) struct Engine<F, D> {
    desk: Arc<Desk>,
    feed: F,
    doze: D,
    timeline: Timeline,
    pace: Pace,
    routes: Routes,
    /// Calls that wait for the pass before their mark, and whether they end their pipeline.
    asked: Vec<(Arc<Ticket>, bool)>,
    /// Pipelines that take nothing in any more, until their last batch has its fate and nobody waits for it.
    ending: Vec<Arc<Pipe>>,
    /// When there is something to do although nothing happens.
    alarm: Option<Instant>,
}

impl<F: Feed, D: Doze> Engine<F, D> {
    pub(super) fn new(desk: Arc<Desk>, feed: F, doze: D, say: Say) -> Self {
        Self {
            desk,
            feed,
            doze,
            timeline: Timeline::start(),
            pace: Pace::new(),
            routes: Routes::new(say),
            asked: Vec::new(),
            ending: Vec::new(),
            alarm: None,
        }
    }

    /// Works until `stop` says so. A panic costs at most the turn it happens in.
    pub(super) fn run(mut self, stop: impl Fn() -> bool) {
        while !stop() {
            let rest = catch_unwind(AssertUnwindSafe(|| {
                let records = self.turn();
                self.pace.after(records)
            }));
            let _ = catch_unwind(AssertUnwindSafe(|| self.rest(rest.unwrap_or(Rest::Sleep(LOOK)))));
        }
    }

    fn rest(&mut self, rest: Rest) {
        let left = self.alarm.map(|alarm| alarm.saturating_duration_since(Instant::now()));
        match (rest, left) {
            (Rest::None, _) => {}
            (Rest::Sleep(time), left) => self.doze.sleep(left.map_or(time, |left| left.min(time))),
            (Rest::Park, Some(left)) => self.doze.sleep(left.min(Pace::LONGEST)),
            (Rest::Park, None) => {
                let doze = self.doze.clone();
                doze.park(|| self.turn() > 0 || self.alarm.is_some());
            }
        }
    }

    /// One turn; says how many records it found.
    pub(super) fn turn(&mut self) -> u64 {
        for order in self.desk.orders() {
            match order {
                Order::Open(pipeline) => self.routes.admit(*pipeline),
                Order::Mark(ticket) => self.asked.push((ticket, false)),
                Order::End(ticket) => self.asked.push((ticket, true)),
            }
        }
        let pass = self.pass();
        let now = Instant::now();
        // What was ended before a call has to be below its mark: else the mark is set a turn later.
        let asked = if pass.unfinished { (!self.asked.is_empty()).then_some(now) } else { self.carry_out(now) };
        self.alarm = [self.routes.close_due(now), self.attend(now), asked].into_iter().flatten().min();
        pass.records
    }

    fn pass(&mut self) -> Pass {
        self.timeline.anchor();
        let now = Instant::now();
        let (routes, timeline, desk) = (&mut self.routes, &self.timeline, &self.desk);
        let clock = |tick| timeline.unix_nanos(tick);
        let pass = self.feed.pass(|record| {
            let route = F::route(&record);
            if let Some(pipeline) = routes.find(route, desk) {
                pipeline.take(&record, clock, now);
            } else if let Some(pipeline) = routes.late(route) {
                pipeline.take(&record, clock, now);
            }
        });
        self.routes.end_pass(&pass);
        pass
    }

    /// Gives every call its mark; then ends what is to end. A call that has the time is put off until the resource is
    /// complete, for half of its time at most; when the next one is due.
    fn carry_out(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        let mut asked = std::mem::take(&mut self.asked);
        self.asked.extend(asked.extract_if(.., |(ticket, _)| {
            let pipeline = self.routes.get(ticket.pipe.route);
            let due = pipeline.and_then(|pipeline| pipeline.resource_due(now)).map(|due| due.min(ticket.half()));
            let due = due.filter(|&due| due > now);
            next = [next, due].into_iter().flatten().min();
            due.is_some()
        }));
        let mut marked = Vec::with_capacity(asked.len());
        for (ticket, _) in &asked {
            // In a pipeline that is closed, everything is below the mark.
            let closed = || Mark { below: u64::MAX, lost: ticket.pipe.lost.load(Ordering::Relaxed) };
            marked.push(self.routes.get(ticket.pipe.route).map_or_else(closed, Pipeline::mark));
        }
        for (ticket, _) in asked.iter().filter(|(_, end)| *end) {
            self.routes.close(ticket.pipe.route);
            ticket.pipe.outlet.end(ticket.deadline());
            if !self.ending.iter().any(|pipe| Arc::ptr_eq(pipe, &ticket.pipe)) {
                self.ending.push(Arc::clone(&ticket.pipe));
            }
        }
        for ((ticket, _), mark) in asked.iter().zip(marked) {
            ticket.mark(mark);
        }
        next
    }

    /// Wakes callers whose deadline has passed, and looks after what is ending; the next time that this is due.
    fn attend(&mut self, now: Instant) -> Option<Instant> {
        let desk = &self.desk;
        self.ending.retain(|pipe| {
            let ended = pipe.outlet.wait_ended(now);
            if ended {
                desk.finish(pipe);
            }
            !ended || pipe.has_waiting()
        });
        let look = (!self.ending.is_empty()).then(|| now + LOOK);
        let pipes = self.routes.pipes().chain(&self.ending);
        pipes.filter_map(|pipe| pipe.expire(now)).chain(look).min()
    }
}
