//! The context: which span is current on a thread.

use std::marker::PhantomData;

use super::local::{self, Local};
use super::span::SpanHandle;

/// Flags of a context.
pub(crate) mod flag {
    /// The span is recorded (and sampled).
    pub(crate) const RECORDING: u8 = 1;
    /// The span is one of another process.
    pub(crate) const REMOTE: u8 = 2;
    /// The trace id's lower half is random.
    pub(crate) const RANDOM: u8 = 4;
    /// The thread was unwinding when the span started.
    pub(crate) const UNWINDING: u8 = 8;
}

/// A span as its children see it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Parent {
    pub(crate) trace_high: u64,
    pub(crate) trace_low: u64,
    /// 0: there is no span.
    pub(crate) span_id: u64,
    /// If it is recorded by this process.
    pub(crate) handle: Option<SpanHandle>,
    /// 0: the global one.
    pub(crate) route: u32,
    pub(crate) flags: u8,
}

impl Parent {
    pub(crate) const NONE: Self = Self { trace_high: 0, trace_low: 0, span_id: 0, handle: None, route: 0, flags: 0 };
}

/// A thread's current context, and how it was entered.
#[derive(Clone, Copy)]
pub(crate) struct Current {
    pub(crate) parent: Parent,
    /// Contexts below this one.
    depth: u32,
    /// The thread's count of entries when this one was entered.
    entry: u64,
}

impl Current {
    pub(crate) const NONE: Self = Self { parent: Parent::NONE, depth: 0, entry: 0 };
}

/// A context that was entered; dropping it restores the one before.
///
/// It restores only if the thread's context is still its own or one entered later and deeper, so guards that are dropped
/// out of order do no harm.
#[must_use]
pub(crate) struct Guard {
    displaced: Current,
    entry: u64,
    /// Belongs to its thread.
    thread: PhantomData<*const ()>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// Enters `parent`.
    ///
    /// The guard must not be leaked or kept past the call it was made in, unless the displaced span is shared first: see
    /// [`Guard::enter_leakable`].
    #[inline(always)]
    pub(crate) fn enter(local: &Local, parent: Parent) -> Self {
        let displaced = local.current.get();
        let entry = local.entries.get() + 1;
        local.entries.set(entry);
        local.current.set(Current { parent, depth: displaced.depth.saturating_add(1), entry });
        Self { displaced, entry, thread: PhantomData }
    }

    /// Enters `parent` with a guard that users may keep: if they do, the displaced span could be current here and on
    /// another thread at once, so from now on it is treated as shared.
    pub(crate) fn enter_leakable(parent: Parent) -> Self {
        local::with(|local| {
            if let Some(handle) = local.current.get().parent.handle {
                // SAFETY: the span is current on this thread, and if it was shared with no other it is so nowhere else.
                unsafe { handle.share() };
            }
            Self::enter(local, parent)
        })
    }

    #[inline(always)]
    pub(crate) fn exit(&self, local: &Local) {
        let now = local.current.get();
        if now.entry == self.entry || (now.entry > self.entry && now.depth > self.displaced.depth) {
            local.current.set(self.displaced);
        }
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        local::with(|local| self.exit(local));
    }
}

/// The current context of this thread, for children on this thread alone.
#[inline(always)]
pub(crate) fn current() -> Parent {
    local::with(|local| local.current.get().parent)
}

/// The current context, to be handed out: its span may be updated from any thread from now on.
pub(crate) fn shared() -> Parent {
    let parent = current();
    if let Some(handle) = parent.handle {
        // SAFETY: the span is current on this thread, and if it was shared with no other it is so nowhere else.
        unsafe { handle.share() };
    }
    parent
}
