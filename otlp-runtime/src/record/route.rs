//! Which pipeline a new trace belongs to, and who consumes which spans: what `init`, captures and filters set, and what
//! starting spans read.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::callsite::{self, Metadata};
use super::sampling::{self, Own};
use crate::config::{Filter, Sampler};
use crate::os::fork::{self, PerProcess};

/// The route of traces that start outside of captures; 0: no pipeline is open.
static GLOBAL: AtomicU32 = AtomicU32::new(0);
static CONSUMERS: PerProcess<Mutex<Consumers>> = PerProcess::new(Mutex::new(Consumers::new()), Consumers::inherit);

/// Who consumes spans. Whoever changes it sets the interest of every callsite before letting it go.
struct Consumers {
    /// The number of the last route given out.
    last: u32,
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
const CAPTURES: u8 = 1 << (CAPTURE >> NUMBER_BITS);

/// Who consumes the spans of a route, as a bit of a callsite's interest. It is the route's upper bits that say it:
///
/// | bits | |
/// |---|---|
/// | 0 | no route: the global pipeline |
/// | 1, 2, 3 | the global pipeline of this process, or of one that it was forked off |
/// | 4 | a capture |
///
/// So what asks for the interest that a forked child has in its parent's spans finds none, at no cost.
#[inline(always)]
pub(super) fn consumer(route: u32) -> u8 {
    GLOBAL_CONSUMER << (route >> NUMBER_BITS)
}

/// The same where a parent's process may be another one.
pub(super) fn consumer_here(route: u32) -> u8 {
    if is_inherited(route) { GLOBAL_CONSUMER } else { consumer(route) }
}

/// What the routes of this process's global pipelines have in their upper bits. A process and its great-grandchild have
/// the same.
fn process() -> u32 {
    fork::generation() % 3 + 1
}

/// Whether it is the route of a process that this one was forked off.
pub(crate) fn is_inherited(route: u32) -> bool {
    let of = route >> NUMBER_BITS;
    of != 0 && !is_capture(route) && of != process()
}

/// Set in the routes of captures.
const CAPTURE: u32 = 1 << 31;
/// Bits of a route that count; for the others see [`consumer`].
const NUMBER_BITS: u32 = 29;

/// Whether it is, or was, a capture's route.
#[inline]
pub(crate) fn is_capture(route: u32) -> bool {
    route & CAPTURE != 0
}

impl Consumers {
    const fn new() -> Self {
        Self { last: 0, global: false, captures: 0, filter: Filter::new(), filter_was_set: false }
    }

    /// Those of a forked child: the filter stays, if nobody was changing it just then.
    fn inherit(parent: &Mutex<Self>) -> Mutex<Self> {
        let parent = match parent.try_lock() {
            Ok(parent) => parent,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Mutex::new(Self::new()),
        };
        let filter = parent.filter.clone();
        Mutex::new(Self { last: parent.last, filter, filter_was_set: parent.filter_was_set, ..Self::new() })
    }

    /// The number of a new route.
    fn next(&mut self) -> u32 {
        // 0 means none; after half a billion pipelines the numbers start again.
        self.last = ((self.last + 1) % (1 << NUMBER_BITS)).max(1);
        self.last
    }

    fn interest(&self, metadata: &Metadata) -> u8 {
        let global = self.global && self.filter.admits(metadata.path, metadata.level);
        let bit = |on: bool, consumer: u8| if on { consumer } else { 0 };
        bit(global, GLOBAL_CONSUMER | 1 << process()) | bit(self.captures > 0, CAPTURES)
    }

    fn changed(&self) {
        callsite::set_all(|metadata| self.interest(metadata));
    }
}

fn consumers() -> MutexGuard<'static, Consumers> {
    CONSUMERS.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives `f` the interest of a callsite, which does not change meanwhile. `false`: just now it does. Never waits.
pub(super) fn with_interest(metadata: &Metadata, f: impl FnOnce(u8)) -> bool {
    let consumers = match CONSUMERS.get().try_lock() {
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
    let route = consumers.next() | process() << NUMBER_BITS;
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

/// In a forked child: no pipeline is there, and nobody consumes anything. Async-signal-safe.
pub(super) fn forget() {
    GLOBAL.store(0, Ordering::Relaxed);
    callsite::set_all(|_| 0);
}

/// Sets what the global pipeline takes, this one and later ones.
pub(super) fn set_filter(filter: Filter) {
    super::fork::watch();
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
    consumers.next() | CAPTURE
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
