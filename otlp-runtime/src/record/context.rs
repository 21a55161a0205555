//! The context: which span is current on a thread.

use std::marker::PhantomData;

use super::local::{self, Local};
use super::span::{Header, HeldSpan, Open, SpanHandle};

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

    /// A span that is open.
    #[inline(always)]
    pub(super) fn of(span: HeldSpan) -> Self {
        span.header(|Open { header, .. }| Self {
            handle: (header.flags & flag::RECORDING != 0).then(|| span.handle()),
            ..Self::without_handle(header)
        })
    }

    /// The same for its children alone.
    #[inline(always)]
    pub(super) fn without_handle(header: &Header) -> Self {
        Self {
            trace_high: header.trace_high,
            trace_low: header.trace_low,
            span_id: header.span_id,
            handle: None,
            route: header.route,
            flags: header.flags & !flag::OWN,
        }
    }

    /// The same span as a process sees it that is not its own: a forked child, whose parent has the span.
    #[cold]
    pub(crate) fn as_remote(&self) -> Self {
        let remote = if self.span_id == 0 { 0 } else { flag::REMOTE };
        Self { handle: None, route: 0, flags: self.flags | remote, ..*self }
    }
}

/// What is current on a thread, and how it was entered.
#[derive(Clone, Copy)]
pub(crate) struct Current {
    /// A span that stays open while it is current. `None`: whatever [`Local::other`] says.
    pub(super) span: Option<HeldSpan>,
    /// Contexts below this one.
    depth: u64,
    /// The thread's count of entries when this one was entered.
    entry: u64,
}

impl Current {
    pub(crate) const NONE: Self = Self { span: None, depth: 0, entry: 0 };

    /// Makes something else current; returns its entry.
    #[inline(always)]
    fn give_way(self, local: &Local, span: Option<HeldSpan>) -> u64 {
        let entry = local.entries.get() + 1;
        local.entries.set(entry);
        local.current.set(Self { span, depth: self.depth + 1, entry });
        entry
    }
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

/// A context that was entered, and what to restore.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    displaced: Current,
    /// What [`Local::other`] was, if that was current.
    other: Parent,
    entry: u64,
}

impl Frame {
    pub(super) const NONE: Self = Self { displaced: Current::NONE, other: Parent::NONE, entry: 0 };

    /// Enters a span.
    ///
    /// # Safety
    /// The frame is left before the span ends, before its header changes, and before any frame that was there already, but for
    /// those of [`Guard::enter_leakable`].
    #[inline(always)]
    pub(super) unsafe fn enter(&mut self, local: &Local, span: HeldSpan) {
        let displaced = local.current.get();
        if displaced.span.is_none() {
            self.other = local.other.get();
        }
        (self.displaced, self.entry) = (displaced, displaced.give_way(local, Some(span)));
    }

    /// Restores what was displaced, unless the thread's context is neither this one nor one that was entered later and deeper:
    /// so it does no harm to leave frames out of order.
    #[inline(always)]
    pub(super) fn exit(&self, local: &Local) {
        if local.current.get().entry == self.entry {
            self.restore(local);
        } else {
            self.exit_out_of_order(local);
        }
    }

    #[inline(always)]
    fn restore(&self, local: &Local) {
        local.current.set(self.displaced);
        if self.displaced.span.is_none() {
            local.other.set(self.other);
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
            self.restore(local);
        }
    }
}

/// A context that was entered; dropping it leaves it.
#[must_use]
pub(crate) struct Guard {
    frame: Frame,
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
    /// The guard must not be leaked or kept past the call it was made in: use [`Guard::enter_leakable`] where users could.
    #[inline(always)]
    pub(crate) fn enter(parent: Parent) -> Self {
        let local = local::here();
        Self::displace(local, local.current.get(), local.other.replace(parent), None)
    }

    /// Enters a span.
    ///
    /// # Safety
    /// As for [`Frame::enter`].
    #[inline(always)]
    pub(super) unsafe fn enter_span(span: HeldSpan) -> Self {
        let local = local::here();
        let displaced = local.current.get();
        let other = if displaced.span.is_none() { local.other.get() } else { Parent::NONE };
        Self::displace(local, displaced, other, Some(span))
    }

    #[inline(always)]
    fn displace(local: &Local, displaced: Current, other: Parent, span: Option<HeldSpan>) -> Self {
        Self { frame: Frame { displaced, other, entry: displaced.give_way(local, span) }, thread: PhantomData }
    }

    /// Enters `parent` with a guard that users may keep: if they do, the displaced span could be current here and on
    /// another thread at once, so from now on it is treated as shared; and it may have ended when it is current again.
    pub(crate) fn enter_leakable(parent: Parent) -> Self {
        let local = local::here();
        let other = hand_out(local);
        local.other.set(parent);
        Self::displace(local, Current { span: None, ..local.current.get() }, other, None)
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        self.frame.exit(local::here());
    }
}

/// The current context of this thread, for children on this thread alone; none where nothing may be recorded.
#[inline(always)]
pub(crate) fn current() -> Parent {
    let local = local::here();
    if local.is_silent() { Parent::NONE } else { local.parent() }
}

/// The current context, to be handed out: its span may be updated from any thread from now on.
pub(crate) fn shared() -> Parent {
    let local = local::here();
    if local.is_silent() { Parent::NONE } else { hand_out(local) }
}

/// The same where nothing may be recorded, too.
#[inline(always)]
fn hand_out(local: &Local) -> Parent {
    let parent = local.parent();
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
    use crate::record::span::{Live, ScopedSpan, Starting};

    #[derive(Clone, Debug)]
    enum Step {
        /// A span, for as long as it is open.
        Begin,
        /// A span, for less than that.
        Enter,
        /// A context, with a guard that goes before anything that was there already.
        Run,
        /// The innermost of these.
        End,
        /// A context, with a guard that may go at any time.
        Attach,
        /// The guard of this number, among those that are there; the newest are the likeliest.
        Drop(usize),
        Leak(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => Just(Step::Begin),
            1 => Just(Step::Enter),
            1 => Just(Step::Run),
            4 => Just(Step::End),
            3 => Just(Step::Attach),
            4 => (0..8_usize).prop_map(Step::Drop),
            1 => (0..8_usize).prop_map(Step::Leak),
        ]
    }

    /// What the crate itself leaves, the innermost first. Its parts go in this order.
    enum Scope {
        Span(ScopedSpan),
        Within { _guard: Guard, live: Live },
        Run { _guard: Guard },
    }

    impl Scope {
        /// The id of its span, which is open.
        fn span_id(&self) -> Option<u64> {
            match self {
                Self::Span(span) => Some(span.live().parent().span_id),
                Self::Within { live, .. } => Some(live.parent().span_id),
                Self::Run { .. } => None,
            }
        }
    }

    /// A span that is not recorded.
    fn starting(id: u64) -> Starting {
        // SAFETY: the slot was just taken for us alone.
        let mut owned = unsafe { local::here().take_slot().unwrap().claim() };
        owned.header_mut(|Open { header, .. }| (header.span_id, header.flags) = (id, 0));
        Starting::new(owned)
    }

    fn context(id: u64) -> Parent {
        Parent { span_id: id, ..Parent::NONE }
    }

    /// Takes the steps on a thread of its own, whose context is empty. After each, `check` is given what should be current.
    fn take(
        steps: Vec<Step>,
        check: impl Fn(u64) -> Result<(), TestCaseError> + Send + 'static,
    ) -> Result<(), TestCaseError> {
        let run = move || {
            let mut scopes: Vec<(u64, Scope)> = Vec::new();
            let (mut guards, mut entered): (Vec<(u64, Guard)>, Vec<u64>) = (Vec::new(), Vec::new());
            for (step, id) in steps.into_iter().zip(1..) {
                let mut left = None;
                if matches!(step, Step::Begin | Step::Enter | Step::Run | Step::Attach) {
                    entered.push(id);
                }
                match step {
                    Step::Begin => scopes.push((id, Scope::Span(ScopedSpan::new(starting(id))))),
                    Step::Enter => {
                        let live = starting(id).begin();
                        scopes.push((id, Scope::Within { _guard: live.enter(), live }));
                    }
                    Step::Run => scopes.push((id, Scope::Run { _guard: Guard::enter(context(id)) })),
                    Step::End => left = scopes.pop().map(|(id, _)| id),
                    Step::Attach => guards.push((id, Guard::enter_leakable(context(id)))),
                    _ if guards.is_empty() => {}
                    Step::Drop(n) => left = Some(guards.remove(guards.len() - 1 - n % guards.len()).0),
                    Step::Leak(n) => std::mem::forget(guards.remove(guards.len() - 1 - n % guards.len())),
                }
                if let Some(at) = entered.iter().position(|&other| Some(other) == left) {
                    entered.truncate(at);
                }
                let open = scopes.iter().filter_map(|(_, scope)| scope.span_id()).collect::<Vec<_>>();
                let current = local::here().current_span().map(|span| Parent::of(span).span_id);
                prop_assert!(current.is_none_or(|id| open.contains(&id)), "{current:?} has ended; open are {open:?}");
                check(entered.last().copied().unwrap_or(0))?;
            }
            // The innermost first.
            while scopes.pop().is_some() {}
            Ok(())
        };
        std::thread::spawn(run).join().unwrap()
    }

    /// Compiles only if neither is `Send`: else it would not be clear which of the implementations is meant.
    #[test]
    fn what_was_entered_stays_on_its_thread() {
        trait Ambiguous<A> {
            fn of() {}
        }
        impl<T> Ambiguous<()> for T {}
        impl<T: Send> Ambiguous<u8> for T {}
        <Guard as Ambiguous<_>>::of();
        <ScopedSpan as Ambiguous<_>>::of();
    }

    proptest! {
        #[test]
        fn leaving_a_context_leaves_what_lies_within_it(steps in prop::collection::vec(step(), 0..60)) {
            take(steps, |expected| {
                prop_assert_eq!(current().span_id, expected);
                Ok(())
            })?;
        }

        /// Also where so many guards are dropped out of order that not all can be told apart.
        #[test]
        fn what_is_current_is_open(steps in prop::collection::vec(step(), 0..600)) {
            take(steps, |_| Ok(()))?;
        }
    }
}
