//! What the engine and its callers share of one pipeline.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::outlet::Outlet;
use super::ticket::Ticket;
use crate::account::{Counts, Ledger};

/// The shared end of a pipeline: its route, its book, its outlet, and who waits for it.
pub(crate) struct Pipe {
    pub(super) route: u32,
    pub(super) ledger: Arc<Ledger>,
    pub(super) outlet: Box<dyn Outlet>,
    waiting: Mutex<Vec<Arc<Ticket>>>,
    /// Items lost before they were in a batch. Written by the engine alone.
    pub(super) lost: AtomicU64,
    /// Losses that a flush or shutdown has told its caller of.
    pub(super) told: AtomicU64,
    /// They were of batches with lower numbers, so far as they were in one.
    pub(super) told_below: AtomicU64,
}

impl Pipe {
    pub(super) fn new(route: u32, ledger: Arc<Ledger>, outlet: Box<dyn Outlet>) -> Arc<Self> {
        let pipe = Arc::new(Self {
            route,
            ledger,
            outlet,
            waiting: Mutex::default(),
            lost: AtomicU64::new(0),
            told: AtomicU64::new(0),
            told_below: AtomicU64::new(0),
        });
        let weak = Arc::downgrade(&pipe);
        pipe.outlet.subscribe(Box::new(move || {
            if let Some(pipe) = weak.upgrade() {
                pipe.tell();
            }
        }));
        pipe
    }

    /// The route whose records come here.
    #[cfg(feature = "testing")]
    pub(crate) fn route(&self) -> u32 {
        self.route
    }

    /// What became of them.
    pub(crate) fn counts(&self) -> Counts {
        self.ledger.counts()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Arc<Ticket>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, ticket: &Arc<Ticket>) {
        self.waiting().push(Arc::clone(ticket));
    }

    pub(super) fn forget(&self, ticket: &Arc<Ticket>) {
        self.waiting().retain(|other| !Arc::ptr_eq(other, ticket));
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// Wakes those whose wait is over. Their wakers are other people's code, so no lock is held.
    pub(super) fn tell(&self) {
        let waiting = self.waiting().clone();
        waiting.iter().for_each(|ticket| ticket.tell());
    }

    /// Wakes those whose deadline has passed; the next deadline of the others.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        let waiting = self.waiting().clone();
        let (over, left): (Vec<_>, Vec<_>) = waiting.iter().partition(|ticket| ticket.deadline() <= now);
        over.iter().for_each(|ticket| ticket.tell());
        left.iter().map(|ticket| ticket.deadline()).min()
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("route", &self.route)
            .field("counts", &self.ledger.counts())
            .finish_non_exhaustive()
    }
}
