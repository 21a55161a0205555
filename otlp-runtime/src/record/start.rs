//! Whether a span starts where its code runs, and as whose child.

use super::callsite::{BUILT, Callsite};
use super::context::{Parent, flag as context_flag};
use super::layout::flag;
use super::local::{self, Local};
use super::route;
use super::sampling::{self, Case, Judge};
use super::span::{Header, Starting};
use crate::config::Branch;

/// Starts a span as a child of the thread's current one. `None`: nothing is to be recorded here, or there was no room.
#[inline(never)]
pub(crate) fn start(callsite: &'static Callsite) -> Option<Starting> {
    // Nothing is called in the plain case, so that no register is saved for it.
    if std::thread::panicking() {
        return start_below_current(callsite);
    }
    follow_here(local::here(), callsite).or_else(|| start_below_current(callsite))
}

/// Starts a child that is recorded because its parent is, where everything for it is at hand. The thread is not panicking.
#[inline(always)]
fn follow_here(local: &Local, callsite: &'static Callsite) -> Option<Starting> {
    let parent = &local.current_span()?.header(|open| Parent::without_handle(&open.header));
    if !is_followed(callsite, parent) || !local.is_ready() {
        return None;
    }
    let slot = local.take_own_slot()?;
    // SAFETY: it was taken for us alone.
    let mut owned = unsafe { slot.claim() };
    owned.header_mut(|open| open.header = following(callsite, parent, local.ids.next_prepared()));
    Some(Starting::new(owned))
}

#[inline(never)]
fn start_below_current(callsite: &'static Callsite) -> Option<Starting> {
    // By value: a sampler of the program's own may change what is current.
    let local = local::here();
    start_under(local, callsite, &local.parent())
}

/// Starts a span as a child of `parent`.
#[inline(never)]
pub(crate) fn start_under(local: &Local, callsite: &'static Callsite, parent: &Parent) -> Option<Starting> {
    if is_followed(callsite, parent) && !local.is_silent() {
        follow(local, callsite, parent)
    } else {
        start_asked(local, callsite, parent)
    }
}

/// Whether a child of `parent` is recorded without a question.
#[inline(always)]
fn is_followed(callsite: &'static Callsite, parent: &Parent) -> bool {
    parent.flags & (context_flag::RECORDING | context_flag::REMOTE | context_flag::ASKS) == context_flag::RECORDING
        && !callsite.metadata().root
        && callsite.is_wanted(route::consumer(parent.route))
}

/// Starts a child that is recorded because its parent is.
#[inline(always)]
fn follow(local: &Local, callsite: &'static Callsite, parent: &Parent) -> Option<Starting> {
    claim(local, following(callsite, parent, local.ids.next()))
}

/// A child that is recorded because its parent is.
#[inline(always)]
fn following(callsite: &'static Callsite, parent: &Parent, span_id: u64) -> Header {
    let random = parent.flags & context_flag::RANDOM;
    Header {
        callsite,
        start: 0,
        trace_high: parent.trace_high,
        trace_low: parent.trace_low,
        span_id,
        parent_id: parent.span_id,
        route: parent.route,
        flags: context_flag::RECORDING | random,
        record_flags: random,
    }
}

/// Where a callsite that nobody has seen before is first called.
#[cold]
#[inline(never)]
fn start_unseen(local: &Local, callsite: &'static Callsite, parent: &Parent) -> Option<Starting> {
    if callsite.settle() { start_under(local, callsite, parent) } else { None }
}

/// What is above a span of this callsite, for the sampler; `None`: a parent whose own decision holds.
fn branch(callsite: &Callsite, parent: &Parent) -> Option<Branch> {
    let (recording, remote) = (parent.flags & context_flag::RECORDING != 0, parent.flags & context_flag::REMOTE != 0);
    let asks = parent.flags & context_flag::ASKS != 0 && parent.route == route::global();
    match (remote, recording) {
        _ if parent.span_id == 0 || callsite.metadata().root => Some(Branch::Root),
        (true, true) => Some(Branch::RemoteSampled),
        (true, false) => Some(Branch::RemoteNotSampled),
        (false, true) => asks.then_some(Branch::LocalSampled),
        (false, false) => asks.then_some(Branch::LocalNotSampled),
    }
}

/// A span about which somebody has to decide: mostly one without a parent in this process.
#[inline(never)]
fn start_asked(local: &Local, callsite: &'static Callsite, parent: &Parent) -> Option<Starting> {
    if route::is_inherited(parent.route) {
        return start_asked(local, callsite, &parent.as_remote());
    }
    if !callsite.is_wanted(route::consumer(parent.route)) {
        return if callsite.is_unseen() { start_unseen(local, callsite, parent) } else { None };
    }
    if local.is_silent() {
        return None;
    }
    let Some(branch) = branch(callsite, parent) else {
        // The children of a span that is not recorded are not either.
        return if parent.flags & context_flag::RECORDING != 0 { follow(local, callsite, parent) } else { None };
    };
    let captured = route::is_capture(parent.route);
    let route = if captured { parent.route } else { route::global() };
    if route == 0 {
        return None;
    }
    let parent = if branch == Branch::Root { &Parent::NONE } else { parent };
    let (trace_high, trace_low, random) = if branch == Branch::Root {
        (local.ids.next(), local.ids.next(), context_flag::RANDOM)
    } else {
        (parent.trace_high, parent.trace_low, parent.flags & context_flag::RANDOM)
    };
    let remote = parent.flags & context_flag::REMOTE != 0;
    let asks = if !captured && sampling::asks_children() { context_flag::ASKS } else { 0 };
    let header = Header {
        callsite,
        start: 0,
        trace_high,
        trace_low,
        span_id: local.ids.next(),
        parent_id: parent.span_id,
        route,
        flags: random | asks,
        record_flags: random | if remote { flag::REMOTE_PARENT } else { 0 },
    };
    if captured {
        return claim(local, header.recording(true));
    }
    let judge = Judge::of(branch, callsite.metadata().sample);
    match judge.decide(trace_low) {
        Some(sampled) => claim(local, header.recording(sampled)),
        None => start_judged(local, header, judge, parent),
    }
}

/// A span about which the program's own sampler decides: now, or when its fields are there.
#[cold]
#[inline(never)]
fn start_judged(local: &Local, header: Header, judge: Judge, parent: &Parent) -> Option<Starting> {
    let callsite = header.callsite;
    // What is built at run time has its name in its fields.
    if std::ptr::eq(callsite, &BUILT) || judge.needs_fields() {
        let sampled = parent.flags & context_flag::RECORDING != 0;
        let parent_sampled = if sampled { context_flag::PARENT_SAMPLED } else { 0 };
        let flags = header.flags | context_flag::RECORDING | context_flag::UNDECIDED | parent_sampled;
        return claim(local, Header { flags, ..header });
    }
    let Header { trace_high, trace_low, .. } = header;
    let decision = Case { callsite, trace_high, trace_low, parent: *parent }.ask(judge, &[]);
    let mut starting = claim(local, header.recording(decision.sampled))?;
    if decision.sampled {
        starting.journal(|journal| sampling::add_attributes(journal, &decision));
    }
    Some(starting)
}

/// Whether whoever takes what is recorded on this thread wants this callsite.
pub(crate) fn is_wanted_here(callsite: &'static Callsite) -> bool {
    callsite.is_wanted(route::consumer_here(local::here().parent().route))
}

/// Whether a span that started here now would be recorded. Of a trace that would start here too: whether it could be,
/// as its id is not known.
pub(crate) fn would_record(callsite: &'static Callsite) -> bool {
    if callsite.is_unseen() && !callsite.settle() {
        return false;
    }
    let local = local::here();
    let parent = local.parent();
    callsite.is_wanted(route::consumer_here(parent.route)) && !local.is_silent() && records_under(callsite, &parent)
}

fn records_under(callsite: &Callsite, parent: &Parent) -> bool {
    if route::is_inherited(parent.route) {
        return records_under(callsite, &parent.as_remote());
    }
    let Some(branch) = branch(callsite, parent) else { return parent.flags & context_flag::RECORDING != 0 };
    // The highest of all ids is in the smallest of samples.
    let trace_low = if branch == Branch::Root { u64::MAX } else { parent.trace_low };
    let sampled = || Judge::of(branch, None).decide(trace_low).unwrap_or(true);
    route::is_capture(parent.route) || route::global() != 0 && sampled()
}

#[inline(always)]
fn claim(local: &Local, mut header: Header) -> Option<Starting> {
    let Some(slot) = local.take_slot() else {
        if header.flags & context_flag::RECORDING != 0 {
            local.count_no_slot(header.route);
        }
        return None;
    };
    if std::thread::panicking() {
        header.flags |= context_flag::UNWINDING;
    }
    // SAFETY: `take_slot` took it off a free list for us alone.
    let mut owned = unsafe { slot.claim() };
    owned.header_mut(|open| open.header = header);
    Some(Starting::new(owned))
}
