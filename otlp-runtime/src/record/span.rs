//! An open span from its start to its record.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::callsite::{BUILT, Callsite};
use super::clock;
use super::context::{Frame, Guard, Parent, flag as context_flag};
use super::heap::Block;
use super::journal::Journal;
use super::layout::{HEADER, ROUTE, SPILL, flag};
use super::local::{self, Local};
use super::route;
use super::sampling::{self, Case, Judge};
use super::slot::{Content, Handle, Held, Owned, Refused, Slot};
use crate::config::Branch;

/// What a span's slot holds.
pub(crate) struct Span;

/// Spans that have ended for their owners, and whose records are still to come.
static HANDED_OVER: AtomicUsize = AtomicUsize::new(0);

/// Whether spans have ended whose records may not be in a log yet.
pub(crate) fn some_are_handed_over() -> bool {
    HANDED_OVER.load(Ordering::Acquire) > 0
}

/// In a forked child, where those who would finish them are not.
pub(super) fn forget_handed_over() {
    HANDED_OVER.store(0, Ordering::Relaxed);
}

pub(crate) type SpanSlot = Slot<Span>;
pub(crate) type SpanHandle = Handle<Span>;
pub(crate) type HeldSpan = Held<Span>;

/// What is known of a span when it starts.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(super) callsite: &'static Callsite,
    pub(super) start: u64,
    pub(super) trace_high: u64,
    pub(super) trace_low: u64,
    pub(super) span_id: u64,
    pub(super) parent_id: u64,
    pub(super) route: u32,
    /// As in contexts.
    pub(super) flags: u8,
    /// As in records.
    pub(super) record_flags: u8,
}

impl Header {
    /// The same, recorded or not.
    #[inline(always)]
    pub(super) fn recording(mut self, recorded: bool) -> Self {
        self.flags |= if recorded { context_flag::RECORDING } else { 0 };
        self
    }
}

/// What the owner of a span keeps in its slot.
pub(crate) struct Open {
    pub(super) header: Header,
    /// Of a span that is current for as long as it is open.
    frame: Frame,
}

impl Content for Span {
    type Header = Open;
    type Journal = Journal;

    fn empty() -> (Open, Journal) {
        let header = Header {
            callsite: &BUILT,
            start: 0,
            trace_high: 0,
            trace_low: 0,
            span_id: 0,
            parent_id: 0,
            route: 0,
            flags: 0,
            record_flags: 0,
        };
        (Open { header, frame: Frame::NONE }, Journal::new())
    }

    #[inline(always)]
    fn finish(Open { header, .. }: &Open, journal: &mut Journal, end: u64, unwound: bool) {
        let recorded = header.flags & context_flag::RECORDING != 0;
        let done = recorded && !unwound && journal.is_whole() && publish_here(local::here(), header, journal, end);
        if recorded && !done {
            publish_specially(header, journal, end, unwound);
        }
        journal.recycle();
    }

    #[inline(always)]
    fn free(slot: &'static SpanSlot) {
        local::here().put_slot(slot);
    }

    #[cold]
    fn is_inherited(open: &Open) -> bool {
        route::is_inherited(open.header.route)
    }

    #[cold]
    fn handing_over(begins: bool) {
        if begins {
            HANDED_OVER.fetch_add(1, Ordering::Relaxed);
        } else {
            // The record is in the log of this thread.
            HANDED_OVER.fetch_sub(1, Ordering::Release);
        }
    }
}

/// The words before the journal, of a record with so many words after them.
#[inline(always)]
fn head(header: &Header, journal: &Journal, words: usize, end: u64) -> [u64; HEADER] {
    let flags = header.record_flags | if journal.is_amended() { flag::AMENDED } else { 0 };
    [
        (HEADER + words) as u64 | u64::from(flags) << 32,
        std::ptr::from_ref(header.callsite) as u64,
        header.start,
        end,
        header.trace_high,
        header.trace_low,
        header.span_id,
        header.parent_id,
        u64::from(header.route),
    ]
}

/// A span with a whole journal that ends where the log has room. `false`: it has none, or it is wanted back.
#[inline(always)]
fn publish_here(local: &Local, header: &Header, journal: &Journal, end: u64) -> bool {
    let (body, _) = journal.words();
    // SAFETY: all the words are written.
    unsafe {
        let Some(room) = local.room_here(HEADER + body.len()) else { return false };
        local::write(room.words, head(header, journal, body.len(), end), body);
        local.publish_here(room);
    }
    true
}

/// A span that found no room for something, went to the heap, or may have panicked; or one that ends where the log has no room,
/// or is wanted back, and on a thread that has none yet, or no more, or does not record now.
#[cold]
#[inline(never)]
fn publish_specially(header: &Header, journal: &mut Journal, end: u64, unwound: bool) {
    let (inline, heap) = journal.words();
    let mut head = head(header, journal, inline.len(), end);
    if unwound && header.flags & context_flag::UNWINDING == 0 {
        head[0] |= u64::from(flag::PANICKED) << 32;
    }
    let (lost_first, lost_last) = journal.lost().words();
    head[0] |= lost_first;
    head[ROUTE] |= lost_last;
    if heap.is_empty() {
        local::here().publish(&head, inline);
    } else {
        publish_block(head, journal);
    }
}

/// A journal that went to the heap: copied if it is short, else handed over in its block.
fn publish_block(mut head: [u64; HEADER], journal: &mut Journal) {
    let words = journal.give_up();
    if words.len() <= SPILL {
        head[0] = head[0] & !0xffff_ffff | (HEADER + words.len()) as u64;
        local::here().publish(&head, &words);
        journal.take_back(words);
        return;
    }
    let mut words = std::mem::ManuallyDrop::new(words);
    let parts = [words.as_mut_ptr() as u64, words.len() as u64, words.capacity() as u64];
    head[0] = head[0] & !0xffff_ffff | (HEADER + parts.len()) as u64 | u64::from(flag::HEAP) << 32;
    if !local::here().publish(&head, &parts) {
        drop(Block::adopt(std::mem::ManuallyDrop::into_inner(words)));
    }
}

/// A span that has started and is not yet the current one of its thread; dropped now, it leaves no trace.
pub(crate) struct Starting(ManuallyDrop<Owned<Span>>);

/// A span that is open. Dropping it ends it.
pub(crate) struct Live(ManuallyDrop<Owned<Span>>);

// A panic leaves a span as it is, and user code never runs while it is written: a future stays what it was without one.
impl std::panic::UnwindSafe for Live {}
impl std::panic::RefUnwindSafe for Live {}

impl Starting {
    /// In a slot that was claimed for it.
    #[inline(always)]
    pub(super) fn new(owned: Owned<Span>) -> Self {
        Self(ManuallyDrop::new(owned))
    }

    /// Whether what is written to its journal will be seen.
    #[inline(always)]
    pub(crate) fn is_recording(&self) -> bool {
        is_recording(&self.0)
    }

    /// Lets `f` write the first attributes; it may run user code, for nobody else can reach the journal yet.
    #[inline(always)]
    pub(crate) fn journal<R>(&mut self, f: impl FnOnce(&mut Journal) -> R) -> R {
        // SAFETY: a span that is starting has no handles.
        unsafe { self.0.first_write(f) }
    }

    #[inline(always)]
    fn into_owned(self) -> Owned<Span> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, and not used again.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }

    /// The span begins now.
    #[inline(always)]
    pub(crate) fn begin(self) -> Live {
        let mut owned = self.into_owned();
        if owned.header(|open| open.header.flags & context_flag::UNDECIDED != 0) {
            decide(&mut owned);
        }
        owned.header_mut(|open| open.header.start = clock::now());
        Live(ManuallyDrop::new(owned))
    }

    /// The span began at this time, in Unix nanoseconds.
    pub(crate) fn begin_at(self, nanos: u64) -> Live {
        let mut live = self.begin();
        live.0.header_mut(|Open { header, .. }| {
            header.start = nanos;
            header.record_flags |= flag::START_UNIX;
        });
        live
    }
}

impl Drop for Starting {
    /// The evaluation of its fields panicked: it never began.
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: dropped once, and not used again.
        abandon(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

/// By value, so that a span that starts may stay in a register.
#[cold]
#[inline(never)]
fn abandon(mut owned: Owned<Span>) {
    owned.header_mut(|open| open.header.flags = 0);
    owned.end(0, false);
}

/// Has the program's own sampler decide, now that the fields are there.
#[cold]
#[inline(never)]
fn decide(owned: &mut Owned<Span>) {
    let header = owned.header(|open| open.header);
    let (is_remote, is_sampled) =
        (header.record_flags & flag::REMOTE_PARENT != 0, header.flags & context_flag::PARENT_SAMPLED != 0);
    let (branch, parent_flags) = match (header.parent_id, is_remote, is_sampled) {
        (0, ..) => (Branch::Root, 0),
        (_, true, true) => (Branch::RemoteSampled, context_flag::REMOTE | context_flag::RECORDING),
        (_, true, false) => (Branch::RemoteNotSampled, context_flag::REMOTE),
        (_, false, true) => (Branch::LocalSampled, context_flag::RECORDING),
        (_, false, false) => (Branch::LocalNotSampled, 0),
    };
    let Header { callsite, trace_high, trace_low, parent_id: span_id, .. } = header;
    let parent = Parent { span_id, flags: parent_flags | header.flags & context_flag::RANDOM, ..Parent::NONE };
    let case = Case { callsite, trace_high, trace_low, parent };
    // The sampler sees a copy, so that none of its code runs while the journal is borrowed.
    // SAFETY: a span that is starting has no handles.
    let words = unsafe {
        owned.first_write(|journal| {
            let (inline, heap) = journal.words();
            [inline, heap].concat()
        })
    };
    let decision = case.ask(Judge::own(branch), &words);
    if decision.sampled {
        // SAFETY: the same; the sampler was given none.
        unsafe { owned.first_write(|journal| sampling::add_attributes(journal, &decision)) };
    }
    owned.header_mut(|Open { header, .. }| {
        header.flags &= !(context_flag::UNDECIDED | if decision.sampled { 0 } else { context_flag::RECORDING });
    });
}

#[inline(always)]
fn is_recording(owned: &Owned<Span>) -> bool {
    owned.header(|open| open.header.flags & context_flag::RECORDING != 0)
}

impl Live {
    #[inline(always)]
    fn is_recording(&self) -> bool {
        is_recording(&self.0)
    }

    /// The span as its children see it.
    #[inline(always)]
    pub(crate) fn parent(&self) -> Parent {
        // SAFETY: it is open and borrowed, and what is made of it here is a copy.
        Parent::of(unsafe { self.0.hold() })
    }

    /// The id of the span above, 0 for a root.
    pub(crate) fn parent_id(&self) -> u64 {
        self.0.header(|open| open.header.parent_id)
    }

    /// From now on it may be updated from any thread.
    pub(crate) fn share(&self) {
        // SAFETY: called by its owner, on whose thread alone it is current, if anywhere.
        unsafe { self.0.handle().share() };
    }

    /// Makes it the current span of this thread until the guard drops, which the caller's own frame does: before it lets go of
    /// the span, and before any other guard that was there already.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Guard {
        // SAFETY: of what is said above. The header of a span that has begun is changed through `&mut` alone.
        unsafe { Guard::enter_span(self.0.hold()) }
    }

    /// Writes to its journal. `f` must not run user code.
    #[inline]
    pub(crate) fn update<R>(&self, f: impl FnOnce(&mut Journal) -> R) -> Result<R, Refused> {
        if !self.is_recording() {
            return Err(Refused::Stale);
        }
        // Shared first: an instrumented allocator may reach it while the journal grows.
        self.share();
        update_shared(self.0.handle(), f)
    }

    /// Ends it at `end` on the clock, with nothing wrong that it does not say itself.
    #[inline(always)]
    pub(crate) fn end_at(self, end: u64) {
        ManuallyDrop::new(self).finish(end, false);
    }

    /// Ends it at a time that the program gives, in Unix nanoseconds.
    pub(crate) fn end_at_unix(mut self, nanos: u64) {
        self.0.header_mut(|open| open.header.record_flags |= flag::END_UNIX);
        self.end_at(nanos);
    }

    /// Ends it without a record of it.
    pub(crate) fn discard(mut self) {
        self.0.header_mut(|open| open.header.flags &= !context_flag::RECORDING);
        self.end_at(0);
    }

    /// Ends it now, because its work was given up; not by a panic of its own, even if the thread is unwinding.
    pub(crate) fn cancel(self) {
        self.end_at(clock::now());
    }

    /// As its thread is: unwinding or not.
    #[inline(always)]
    fn finish_here(&mut self, end: u64) {
        if std::thread::panicking() {
            return self.finish_unwound(end);
        }
        self.finish(end, false);
    }

    #[cold]
    #[inline(never)]
    fn finish_unwound(&mut self, end: u64) {
        self.finish(end, true);
    }

    #[inline(always)]
    fn finish(&mut self, end: u64, unwound: bool) {
        // SAFETY: called once: by `end_at`, which forgets the span, or when it is dropped.
        let owned = unsafe { ManuallyDrop::take(&mut self.0) };
        owned.end(end, unwound);
    }
}

impl Drop for Live {
    #[inline]
    fn drop(&mut self) {
        self.finish_here(clock::now());
    }
}

/// A span that is current on its thread for as long as it is open.
pub(crate) struct ScopedSpan {
    live: ManuallyDrop<Live>,
    /// Its frame belongs to its thread.
    thread: PhantomData<*const ()>,
}

impl ScopedSpan {
    #[inline(always)]
    pub(crate) fn new(starting: Starting) -> Self {
        let mut live = starting.begin();
        // SAFETY: the frame is left in `drop`, just before the span ends; and it is dropped where it was made, on its thread.
        unsafe {
            let span = live.0.hold();
            live.0.header_mut(|open| open.frame.enter(local::here(), span));
        }
        Self { live: ManuallyDrop::new(live), thread: PhantomData }
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }
}

impl Drop for ScopedSpan {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: dropped once, and not used again.
        end_scoped(unsafe { ManuallyDrop::take(&mut self.live) });
    }
}

/// A call of its own: it would be repeated at every way out of every annotated function. By value, so that those keep the span
/// in a register.
#[inline(never)]
fn end_scoped(live: Live) {
    let end = clock::now();
    let mut live = ManuallyDrop::new(live);
    live.0.header(|open| open.frame.exit(local::here()));
    live.finish_here(end);
}

/// Writes to the journal of a span that was shared. `f` must not run user code.
#[inline]
pub(crate) fn update_shared<R>(handle: SpanHandle, f: impl FnOnce(&mut Journal) -> R) -> Result<R, Refused> {
    handle.update_shared(|journal| {
        journal.amend();
        journal.tidy();
        f(journal)
    })
}
