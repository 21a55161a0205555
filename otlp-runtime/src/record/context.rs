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
    /// The sampler is asked for the span's children too.
    pub(crate) const ASKS: u8 = 4;
    /// The thread was unwinding when the span started.
    pub(crate) const UNWINDING: u8 = 8;
    /// The trace id's lower half is random; as in records.
    pub(crate) const RANDOM: u8 = super::super::layout::flag::RANDOM;
    /// The sampler wants to see the fields: it is asked when they are there. The span counts as recorded until then.
    pub(crate) const UNDECIDED: u8 = 32;
    /// Until it is decided: the span above is sampled.
    pub(crate) const PARENT_SAMPLED: u8 = 64;
    const _: () = assert!(RANDOM & (RECORDING | REMOTE | ASKS | OWN) == 0);
    /// What a span's children do not need to know.
    pub(crate) const OWN: u8 = UNWINDING | UNDECIDED | PARENT_SAMPLED;
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

    /// The same span as a process sees it that is not its own: a forked child, whose parent has the span.
    #[cold]
    pub(crate) fn as_remote(&self) -> Self {
        let remote = if self.span_id == 0 { 0 } else { flag::REMOTE };
        Self { handle: None, route: 0, flags: self.flags | remote, ..*self }
    }
}

/// A thread's current context, and how it was entered.
#[derive(Clone, Copy)]
pub(crate) struct Current {
    pub(crate) parent: Parent,
    /// Contexts below this one.
    depth: u64,
    /// The thread's count of entries when this one was entered.
    entry: u64,
}

impl Current {
    pub(crate) const NONE: Self = Self { parent: Parent::NONE, depth: 0, entry: 0 };
}

/// Which contexts are left although their guards are still there, because an outer one went first.
///
/// Each pair says: of those up to this entry, all that lie so deep or deeper. Both numbers grow from pair to pair. When
/// there are too many, the two oldest become one that says more than both; a guard that is then taken for left by mistake, and
/// dropped out of order too, leaves its context to the next one outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    pairs: [(u64, u64); 8],
    len: u8,
}

impl Left {
    pub(crate) const NONE: Self = Self { pairs: [(0, 0); 8], len: 0 };

    fn pairs(&self) -> &[(u64, u64)] {
        self.pairs.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn has(&self, entry: u64, depth: u64) -> bool {
        self.pairs().iter().any(|&(last, least)| entry <= last && depth >= least)
    }

    fn add(&mut self, last: u64, least: u64) {
        // What lies deeper is said with it.
        while self.pairs().last().is_some_and(|&(_, before)| before >= least) {
            self.len -= 1;
        }
        if usize::from(self.len) == self.pairs.len() {
            self.pairs[1].1 = self.pairs[0].1;
            self.pairs.copy_within(1.., 0);
            self.len -= 1;
        }
        self.pairs[usize::from(self.len)] = (last, least);
        self.len += 1;
    }
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
        local.current.set(Current { parent, depth: displaced.depth + 1, entry });
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
        if local.current.get().entry == self.entry {
            local.current.set(self.displaced);
        } else {
            self.exit_out_of_order(local);
        }
    }

    /// Guards that were entered within this one are left with it: their own exits do nothing later.
    #[cold]
    #[inline(never)]
    fn exit_out_of_order(&self, local: &Local) {
        let (now, depth) = (local.current.get(), self.displaced.depth + 1);
        let mut left = local.left.get();
        if now.entry > self.entry && now.depth >= depth && !left.has(self.entry, depth) {
            left.add(local.entries.get(), depth);
            local.left.set(left);
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

/// The current context of this thread, for children on this thread alone; none where nothing may be recorded.
#[inline(always)]
pub(crate) fn current() -> Parent {
    local::with(|local| if local.is_silent() { Parent::NONE } else { local.current.get().parent })
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Enter,
        /// The guard of this number, among those that are there.
        Drop(usize),
        Leak(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Enter),
            5 => (0..8_usize).prop_map(Step::Drop),
            1 => (0..8_usize).prop_map(Step::Leak),
        ]
    }

    proptest! {
        #[test]
        fn dropping_a_guard_leaves_what_lies_within_it(steps in prop::collection::vec(step(), 0..60)) {
            // On a thread of its own, whose context is empty.
            let run = move || -> Result<(), TestCaseError> {
                let (mut guards, mut entered): (Vec<(u64, Guard)>, Vec<u64>) = (Vec::new(), Vec::new());
                for (step, id) in steps.into_iter().zip(1..) {
                    match step {
                        Step::Enter => {
                            let parent = Parent { span_id: id, ..Parent::NONE };
                            guards.push((id, local::with(|local| Guard::enter(local, parent))));
                            entered.push(id);
                        }
                        // The newest are the likeliest.
                        _ if guards.is_empty() => {}
                        Step::Drop(n) => {
                            let (id, guard) = guards.remove(guards.len() - 1 - n % guards.len());
                            drop(guard);
                            if let Some(at) = entered.iter().position(|&other| other == id) {
                                entered.truncate(at);
                            }
                        }
                        Step::Leak(n) => std::mem::forget(guards.remove(guards.len() - 1 - n % guards.len())),
                    }
                    prop_assert_eq!(current().span_id, entered.last().copied().unwrap_or(0));
                }
                Ok(())
            };
            std::thread::spawn(run).join().unwrap()?;
        }
    }
}
