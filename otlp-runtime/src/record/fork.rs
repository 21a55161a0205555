//! What a forked child leaves behind.
//!
//! It has one thread, and nobody reads what that recorded: so recording is off there until it calls `init`. Its parent's
//! logs are left as they are, spans that were open are its parent's to export, and ids are drawn from a new seed. What is
//! recorded later has the spans of the parent's process for its remote parents.

use super::{doze, local, route, span};
use crate::os;

/// From now on forked children start anew.
pub(crate) fn watch() {
    os::fork::watch(in_child);
}

/// Async-signal-safe: it stores to atomics and to its thread's own state, and neither allocates nor takes a lock.
fn in_child() {
    route::forget();
    span::forget_handed_over();
    doze::forget();
    local::forget();
}
