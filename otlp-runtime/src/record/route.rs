//! Which pipeline a new trace belongs to, and who consumes which spans: what `init`, captures and filters set, and what
//! starting spans read.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::callsite::{self, Metadata};
use super::sampling::{self, Own};
use crate::config::{Filter, Sampler};

/// The route of traces that start outside of captures; 0: no pipeline is open.
static GLOBAL: AtomicU32 = AtomicU32::new(0);
static CONSUMERS: Mutex<Consumers> =
    Mutex::new(Consumers { last_route: 0, global: false, captures: 0, filter: Filter::new(), filter_was_set: false });

/// Who consumes spans. Whoever changes it sets the interest of every callsite before letting it go.
struct Consumers {
    /// The last route given out.
    last_route: u32,
    /// Whether the global pipeline is open.
    global: bool,
    /// How many captures are.
    captures: u32,
    /// What the global pipeline takes.
    filter: Filter,
    /// Whether the filter is from [`set_filter`], and not one that `init` brought.
    filter_was_set: bool,
}

/// The global pipeline, in the interest of a callsite.
pub(super) const GLOBAL_CONSUMER: u8 = 1;
/// The captures. They are not filtered: what a test sees must not depend on the environment.
const CAPTURES: u8 = 2;

/// Who consumes the spans of a route; 0 is the global one.
#[inline(always)]
pub(super) fn consumer(route: u32) -> u8 {
    GLOBAL_CONSUMER << (route / CAPTURE)
}

/// Set in the routes of captures.
const CAPTURE: u32 = 1 << 31;

/// Whether it is, or was, a capture's route.
#[inline]
pub(crate) fn is_capture(route: u32) -> bool {
    route & CAPTURE != 0
}

impl Consumers {
    fn next_route(&mut self) -> u32 {
        // 0 means none; after two billion pipelines the numbers start again.
        self.last_route = ((self.last_route + 1) % CAPTURE).max(1);
        self.last_route
    }

    fn interest(&self, metadata: &Metadata) -> u8 {
        let global = self.global && self.filter.admits(metadata.path, metadata.level);
        let bit = |on: bool, consumer: u8| if on { consumer } else { 0 };
        bit(global, GLOBAL_CONSUMER) | bit(self.captures > 0, CAPTURES)
    }

    fn changed(&self) {
        callsite::set_all(|metadata| self.interest(metadata));
    }
}

fn consumers() -> MutexGuard<'static, Consumers> {
    CONSUMERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives `f` the interest of a callsite, which does not change meanwhile. `false`: just now it does. Never waits.
pub(super) fn with_interest(metadata: &Metadata, f: impl FnOnce(u8)) -> bool {
    let consumers = match CONSUMERS.try_lock() {
        Ok(consumers) => consumers,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return false,
    };
    f(consumers.interest(metadata));
    true
}

/// Opens the global route. Its filter counts if it is from the program's code, or if [`set_filter`] was not used before.
///
/// Gives back the samplers that are not used any more, here and in [`close_global`]: they are the program's own code, to be
/// dropped where no lock is held.
pub(crate) fn open_global(sampler: &Sampler, (filter, filter_is_code): (Filter, bool)) -> (u32, Vec<Own>) {
    let mut consumers = consumers();
    let route = consumers.next_route();
    let before = sampling::set(sampler);
    GLOBAL.store(route, Ordering::Release);
    consumers.global = true;
    if filter_is_code || !consumers.filter_was_set {
        consumers.filter = filter;
        consumers.filter_was_set = false;
    }
    consumers.changed();
    (route, before)
}

/// Closes the global route: no trace starts on it any more.
pub(crate) fn close_global() -> Vec<Own> {
    let mut consumers = consumers();
    GLOBAL.store(0, Ordering::Relaxed);
    consumers.global = false;
    consumers.changed();
    sampling::set(&Sampler::always_off())
}

/// Sets what the global pipeline takes, this one and later ones.
pub(super) fn set_filter(filter: Filter) {
    let mut consumers = consumers();
    let before = std::mem::replace(&mut consumers.filter, filter);
    consumers.filter_was_set = true;
    consumers.changed();
    drop(consumers);
    drop(before);
}

/// Opens a route of its own, on which everything is sampled.
#[cfg(feature = "testing")]
pub(crate) fn open_capture() -> u32 {
    let mut consumers = consumers();
    consumers.captures += 1;
    if consumers.captures == 1 {
        consumers.changed();
    }
    consumers.next_route() | CAPTURE
}

/// Closes a capture's route.
#[cfg(feature = "testing")]
pub(crate) fn close_capture() {
    let mut consumers = consumers();
    consumers.captures = consumers.captures.saturating_sub(1);
    if consumers.captures == 0 {
        consumers.changed();
    }
}

/// The global route.
#[inline]
pub(crate) fn global() -> u32 {
    GLOBAL.load(Ordering::Acquire)
}
