//! One pipeline as the engine sees it: records go in, closed batches come out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::detection::{Detection, Outcome};
use super::losses::Losses;
use super::outlet::Outlet;
use super::pipe::Pipe;
use super::ticket::Mark;
use crate::account::{DropReason, Ledger};
use crate::data::Resource;
use crate::encode::{OpenBatch, Payload, SpanLimits, split};
use crate::exporter::Batch;
use crate::processor::RecordSource;

/// What a scope may take beside its spans; where one takes more, the batch is split.
const SCOPE_ROOM: usize = 1024;

/// When an open batch is closed: at the first of these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Encoded bytes.
    pub(crate) bytes: usize,
    /// Items.
    pub(crate) items: u64,
    /// Time since its first item.
    pub(crate) age: Duration,
}

/// The engine's end of a pipeline.
pub(crate) struct Pipeline {
    pipe: Arc<Pipe>,
    global: bool,
    limits: BatchLimits,
    batch: OpenBatch,
    /// Items in the open batch, and those among them that the book does not have yet.
    items: u64,
    unbooked: u64,
    /// When its first item came.
    opened: Option<Instant>,
    /// The number of the open batch.
    seq: u64,
    /// What a batch that has room waits for.
    detection: Option<Detection>,
    /// How large a request may be.
    request_bytes: usize,
    losses: Losses,
}

impl Pipeline {
    /// A pipeline for `route`; the one of `init` if `global`.
    pub(crate) fn new(
        route: u32,
        global: bool,
        resource: &Resource,
        limits: BatchLimits,
        ledger: Arc<Ledger>,
        outlet: Box<dyn Outlet>,
    ) -> Self {
        Self {
            pipe: Pipe::new(route, ledger, outlet),
            global,
            limits,
            batch: OpenBatch::new(resource, SpanLimits::default()),
            items: 0,
            unbooked: 0,
            opened: None,
            seq: 0,
            detection: None,
            request_bytes: usize::MAX,
            losses: Losses::default(),
        }
    }

    /// Has its resource completed; until then, its batch is closed only if it is full, or if somebody waits.
    pub(super) fn detecting(mut self, detection: Detection) -> Self {
        self.detection = Some(detection);
        self
    }

    /// Limits the spans that it takes; without, the defaults hold.
    ///
    /// `request` is how many bytes a request may have; a span that has more alone is refused at once.
    pub(super) fn limited(mut self, limits: SpanLimits, request: usize) -> Self {
        self.request_bytes = request;
        let room = request.saturating_sub(self.batch.bytes()).saturating_sub(SCOPE_ROOM);
        self.batch.limit(SpanLimits { bytes: room, ..limits });
        self
    }

    pub(super) fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }

    pub(super) fn is_global(&self) -> bool {
        self.global
    }

    /// Encodes one record. A record that makes the encoder panic is lost alone.
    pub(super) fn take(&mut self, record: &impl RecordSource, clock: impl Fn(u64) -> u64, now: Instant) {
        let batch = &mut self.batch;
        match catch_unwind(AssertUnwindSafe(|| batch.push(record, clock))) {
            Ok(Ok(_)) => self.tell_of_limits(),
            Ok(Err(_)) => return self.lose(DropReason::TooLarge, 1),
            Err(_) => {
                self.batch.repair();
                return self.lose(DropReason::Poison, 1);
            }
        }
        self.items += 1;
        self.unbooked += 1;
        if self.opened.is_none() {
            self.open(now);
        }
        if self.items >= self.limits.items || self.batch.bytes() >= self.limits.bytes {
            self.close();
        }
    }

    #[cold]
    fn open(&mut self, now: Instant) {
        self.opened = Some(now);
        if let Some(detection) = &mut self.detection {
            detection.start(now);
        }
    }

    /// Says once that a span had more to say than its limits allow (spec-checklist LIM4), or than there was room for.
    #[inline]
    fn tell_of_limits(&mut self) {
        if let Some(shortfall) = self.batch.shortfall() {
            self.pipe.outlet.say(shortfall.kind(), shortfall.text().to_owned());
        }
    }

    /// Records were lost before they could be encoded.
    pub(super) fn lose(&mut self, reason: DropReason, records: u64) {
        if records == 0 {
            return;
        }
        self.pipe.lost.fetch_add(records, Ordering::Relaxed);
        self.pipe.ledger.lost(reason, records);
        self.tell_of_loss(reason, records);
    }

    fn tell_of_loss(&mut self, reason: DropReason, records: u64) {
        let text = self.losses.add(reason, records, Instant::now());
        self.pipe.outlet.say(reason.as_str(), text);
    }

    /// Items of a closed batch are lost, which the book has as queued.
    fn lose_queued(&mut self, reason: DropReason, items: u64) {
        self.pipe.lost.fetch_add(items, Ordering::Relaxed);
        self.pipe.ledger.dropped_queued(reason, items);
        self.tell_of_loss(reason, items);
    }

    /// Says that dropping has ended, if it has; when it will have, if not.
    pub(super) fn tell_of_recovery(&mut self, now: Instant) -> Option<Instant> {
        if let Some(text) = self.losses.ended(now) {
            self.pipe.outlet.say("loss ended", text);
        }
        self.losses.due()
    }

    /// Writes down what the pass brought.
    pub(super) fn book(&mut self) {
        match std::mem::take(&mut self.unbooked) {
            0 => {}
            items => self.pipe.ledger.recorded(items),
        }
    }

    /// When the open batch is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.opened.and_then(|opened| opened.checked_add(self.limits.age))?;
        let pending = self.detection.as_ref().and_then(Detection::pending);
        Some(pending.map_or(due, |pending| pending.max(due)))
    }

    /// Until when whoever waits for the open batch may wait for its resource too, if that is still being found out.
    pub(super) fn resource_due(&self, now: Instant) -> Option<Instant> {
        let pending = self.detection.as_ref().filter(|_| self.items > 0).and_then(Detection::pending);
        pending.filter(|&pending| pending > now)
    }

    /// Completes the resource, if that can be done now: the engine waits for nobody.
    #[cold]
    fn complete_resource(&mut self) {
        let Some(detection) = &self.detection else { return };
        match detection.outcome(Instant::now()) {
            Outcome::Found(resource, line) => {
                self.batch.describe(&resource);
                if let Some(line) = line {
                    self.pipe.outlet.say("resource schema", line);
                }
            }
            Outcome::Failed => {
                let text = format!(
                    "the host, the process and the container {}; going on without their attributes \
                     (`with_resource_detectors`, OTLP_RESOURCE_DETECTORS)",
                    detection.failure()
                );
                self.pipe.outlet.say("resource", text);
            }
            Outcome::Waiting => return,
        }
        self.detection = None;
    }

    /// Closes the batch, and hands it over with what is known of its resource.
    pub(super) fn close(&mut self) {
        if self.items > 0 && self.detection.is_some() {
            self.complete_resource();
        }
        self.book();
        self.opened = None;
        let items = std::mem::take(&mut self.items);
        if items == 0 {
            return;
        }
        let batch = &mut self.batch;
        let closed = catch_unwind(AssertUnwindSafe(|| batch.close())).ok().flatten();
        self.hand_over_or_lose(closed, items);
    }

    /// Hands over what closing the batch gave; nothing is a fault of ours, and costs its items.
    fn hand_over_or_lose(&mut self, closed: Option<Payload>, items: u64) {
        match closed {
            Some(mut payload) => {
                // The book's own count: what it is told about a batch must add up, whatever the encoder counts.
                payload.items = items;
                if payload.body.len() > self.request_bytes {
                    self.hand_over_parts(&payload)
                } else {
                    self.hand_over(payload)
                }
            }
            None => {
                // Its spans are not to come with those of the next batch, which counts its own.
                self.batch.clear();
                self.lose_queued(DropReason::Poison, items);
            }
        }
    }

    fn hand_over(&mut self, payload: Payload) {
        self.pipe.outlet.take(Batch { seq: self.seq, payload });
        self.seq += 1;
    }

    /// A batch that is larger than a request may be (spec-checklist OTP1).
    #[cold]
    fn hand_over_parts(&mut self, payload: &Payload) {
        let parts = catch_unwind(AssertUnwindSafe(|| split(payload, self.request_bytes)));
        let reason = if parts.is_err() { DropReason::Poison } else { DropReason::TooLarge };
        let mut left = payload.items;
        for mut part in parts.ok().flatten().unwrap_or_default() {
            // However the parts were counted, they are no more than the whole.
            part.items = part.items.min(left);
            left -= part.items;
            self.hand_over(part);
        }
        if left > 0 {
            self.lose_queued(reason, left);
        }
    }

    /// Closes the batch: everything that was taken so far is below the mark.
    pub(super) fn mark(&mut self) -> Mark {
        self.close();
        Mark { below: self.seq, lost: self.pipe.lost.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::collector::tests::{
        LIMITS,
        outlet::ByHand,
        record::{Kind, Record},
    };
    use crate::collector::ticket::{Operation, Ticket};
    use crate::error::OtlpError;

    /// Law 2: whoever waits is told, and so is stderr.
    #[test]
    fn a_batch_that_cannot_be_closed_is_a_loss_like_any_other() {
        let ledger = Arc::new(Ledger::default());
        let outlet = ByHand::new(&ledger);
        let mut pipeline = Pipeline::new(1, true, &Resource::new(), LIMITS, ledger, Box::new(outlet.clone()));
        let record = Record { route: 1, kind: Kind::Small };
        (0..3).for_each(|_| pipeline.take(&record, |tick| tick, Instant::now()));
        pipeline.book();
        let items = std::mem::take(&mut pipeline.items);
        pipeline.hand_over_or_lose(None, items);
        assert_eq!(pipeline.mark().lost, 3);
        let flush = Ticket::new(Operation::Flush, Arc::clone(pipeline.pipe()), Duration::from_secs(60));
        flush.mark(pipeline.mark());
        let flushed = flush.wait();
        assert!(matches!(flushed, Err(OtlpError::Lost { operation: "flush", lost: 3, .. })), "{flushed:?}");
        assert_eq!(pipeline.pipe.counts().dropped(DropReason::Poison), 3);
        assert!(outlet.said()[0].starts_with("3 spans dropped (poison)"), "{:?}", outlet.said());
        // The next batch has none of its spans.
        pipeline.take(&record, |tick| tick, Instant::now());
        pipeline.close();
        assert_eq!(outlet.batches()[0].items, 1);
        assert!(pipeline.pipe.counts().balanced());
        // And its end is a line too.
        let due = pipeline.tell_of_recovery(Instant::now()).unwrap();
        assert_eq!(pipeline.tell_of_recovery(due), None);
        assert!(outlet.said()[1].starts_with("no span was dropped"), "{:?}", outlet.said());
    }
}
