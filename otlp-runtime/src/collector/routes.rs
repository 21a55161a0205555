//! Which pipeline a record belongs to.

use std::sync::Arc;
use std::time::Instant;

use super::desk::Desk;
use super::pipe::Pipe;
use super::pipeline::Pipeline;
use crate::account::DropReason;
use crate::record::drain::Pass;
use crate::record::log::Loss;
use crate::record::route;

/// Says a line of a kind.
pub(super) type Say = fn(&'static str, String);

/// The open pipelines, by route; there are few.
pub(super) struct Routes {
    open: Vec<Pipeline>,
    /// Where the last record's pipeline stands in `open`: the next record mostly belongs to the same.
    last: usize,
    /// The last global pipeline that was closed.
    closed: Option<Arc<Pipe>>,
    late: u64,
    say: Say,
}

impl Routes {
    pub(super) fn new(say: Say) -> Self {
        Self { open: Vec::new(), last: 0, closed: None, late: 0, say }
    }

    pub(super) fn admit(&mut self, pipeline: Pipeline) {
        self.open.push(pipeline);
    }

    #[inline]
    fn position(&self, route: u32) -> Option<usize> {
        if self.open.get(self.last).is_some_and(|pipeline| pipeline.pipe().route == route) {
            return Some(self.last);
        }
        self.open.iter().position(|pipeline| pipeline.pipe().route == route)
    }

    pub(super) fn get(&mut self, route: u32) -> Option<&mut Pipeline> {
        let at = self.position(route)?;
        self.open.get_mut(at)
    }

    /// The pipeline of a record; one that was opened a moment ago may still be on the desk.
    #[inline]
    pub(super) fn find(&mut self, route: u32, desk: &Desk) -> Option<&mut Pipeline> {
        let at = self.position(route).or_else(|| {
            self.open.extend(desk.opened());
            self.position(route)
        })?;
        self.last = at;
        self.open.get_mut(at)
    }

    /// The open global pipeline.
    fn global(&mut self) -> Option<&mut Pipeline> {
        self.open.iter_mut().rev().find(|pipeline| pipeline.is_global())
    }

    /// A record came after its pipeline was closed: the one of a later `init` takes it, else the last one's book has it as
    /// dropped. A capture that is over does not care, and the spans of
    /// the process that this one was forked off are that one's to export.
    pub(super) fn late(&mut self, route: u32) -> Option<&mut Pipeline> {
        if route::is_capture(route) || route::is_inherited(route) {
            return None;
        }
        if self.open.iter().any(|pipeline| pipeline.is_global()) {
            return self.global();
        }
        if let Some(closed) = &self.closed {
            closed.ledger.lost(DropReason::Shutdown, 1);
            self.late += 1;
        }
        None
    }

    /// Books what the pass brought, and what was lost before it. Of which capture a loss was, nobody knows: all that are
    /// open are told.
    pub(super) fn end_pass(&mut self, pass: &Pass) {
        let lost = |loss: Loss| pass.lost[loss as usize];
        for (reason, lost) in
            [(DropReason::BufferFull, lost(Loss::NoRoom)), (DropReason::LiveSpans, lost(Loss::NoSlot))]
        {
            if let Some(global) = self.global() {
                global.lose(reason, lost);
            } else if let Some(closed) = self.closed.as_ref().filter(|_| lost > 0) {
                closed.ledger.lost(reason, lost);
                (self.say)(reason.as_str(), format!("{lost} spans dropped ({reason}): {}", reason.remedy()));
            }
        }
        for capture in self.open.iter_mut().filter(|pipeline| !pipeline.is_global()) {
            capture.lose(DropReason::BufferFull, lost(Loss::Captured));
        }
        self.open.iter_mut().for_each(|pipeline| pipeline.book());
        let late = std::mem::take(&mut self.late);
        if late > 0 {
            let reason = DropReason::Shutdown;
            (self.say)(reason.as_str(), format!("{late} spans dropped ({reason}): {}", reason.remedy()));
        }
    }

    /// Closes the batches that are due, and says where dropping has ended; when there is more of that to do.
    pub(super) fn close_due(&mut self, now: Instant) -> Option<Instant> {
        for pipeline in self.open.iter_mut().filter(|pipeline| pipeline.due().is_some_and(|due| due <= now)) {
            pipeline.close();
        }
        let recovery = self.open.iter_mut().filter_map(|pipeline| pipeline.tell_of_recovery(now)).min();
        self.open.iter().filter_map(|pipeline| pipeline.due()).chain(recovery).min()
    }

    /// Closes a pipeline: its last batch is handed over, and what comes from now on is late.
    pub(super) fn close(&mut self, route: u32) {
        let Some(at) = self.position(route) else { return };
        let mut pipeline = self.open.swap_remove(at);
        pipeline.close();
        if pipeline.is_global() {
            self.closed = Some(Arc::clone(pipeline.pipe()));
        }
    }

    pub(super) fn pipes(&self) -> impl Iterator<Item = &Arc<Pipe>> {
        self.open.iter().map(|pipeline| pipeline.pipe())
    }
}
