//! Which threads are ours: there nothing is recorded, and nobody waits for the engine.

use std::cell::Cell;

use crate::record::local;

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// The calling thread belongs to the engine.
pub(crate) fn mark() {
    OURS.set(true);
    local::suppress();
}

/// Whether the calling thread belongs to the engine: if it waited for the engine, it might wait for itself.
pub(super) fn is_marked() -> bool {
    OURS.get()
}
