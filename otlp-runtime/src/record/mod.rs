//! Recording: what happens on the application's threads, and the raw records that the collector reads.
//!
//! A span lives in a `slot` while it is open; when it ends, its raw record (see `layout`) is copied to the `log` of
//! the thread that ends it. Nothing here locks, waits, or allocates in steady state. Nearly all `unsafe` of the
//! crate is in this folder.
#![cfg_attr(not(feature = "export"), allow(dead_code))]
#![allow(unsafe_code)]

#[cfg(not(loom))]
pub(crate) mod ahead;
#[cfg(not(loom))]
pub mod callsite;
#[cfg(not(loom))]
pub(crate) mod clock;
#[cfg(not(loom))]
mod compact;
#[cfg(not(loom))]
pub(crate) mod context;
#[cfg(not(loom))]
pub(crate) mod counters;
#[cfg(all(target_arch = "x86_64", not(loom)))]
mod cpuid;
#[cfg(not(loom))]
pub(crate) mod doze;
#[cfg(not(loom))]
pub(crate) mod drain;
#[cfg(not(loom))]
pub(crate) mod fork;
#[cfg(not(loom))]
pub(crate) mod heap;
#[cfg(not(loom))]
mod id;
#[cfg(not(loom))]
mod inline;
#[cfg(not(loom))]
pub(crate) mod journal;
#[cfg(not(loom))]
pub mod layout;
#[cfg(not(loom))]
pub(crate) mod local;
pub(crate) mod log;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(not(loom))]
pub mod lost;
pub(crate) mod pool;
#[cfg(not(loom))]
pub mod registry;
#[cfg(not(loom))]
pub(crate) mod route;
#[cfg(not(loom))]
pub(crate) mod sampling;
pub(crate) mod slot;
#[cfg(not(loom))]
pub(crate) mod span;
#[cfg(not(loom))]
pub(crate) mod start;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(not(loom))]
pub(crate) mod text;
#[cfg(not(loom))]
pub(crate) mod timeline;
#[cfg(not(loom))]
pub mod value;

/// Asks once what the processor can do. The clock is chosen here.
#[cfg(not(loom))]
pub(crate) fn prepare() {
    clock::start();
    ahead::start();
}

/// Sets the budgets, in bytes: logs, slots of open spans, and heap blocks of spans that outgrow their slot.
#[cfg(not(loom))]
pub(crate) fn set_memory(logs: usize, slots: usize, heap: usize) {
    local::POOL.set_limit(logs);
    local::SLOTS.set_limit(slots);
    heap::set_limit(heap);
}

/// Bytes that recording holds.
#[cfg(not(loom))]
pub(crate) fn memory() -> usize {
    local::POOL.usage().0 + local::SLOTS.held() + heap::held()
}
