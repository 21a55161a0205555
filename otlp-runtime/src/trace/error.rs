//! How a failure is told: status, `error.type`, and one exception event where the error first appears.

use std::any::type_name;
use std::error::Error;
use std::fmt::Display;
use std::hash::{Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::StatusCode;
use crate::record::journal::{Journal, Key};
use crate::record::layout::tag;
use crate::record::span::Live;
use crate::record::text::{Text, caught};
use crate::record::{clock, counters};

/// What a failed call returned, reduced to what telemetry may know of it.
pub struct Failure<'e> {
    /// The value of `error.type`: the type's path without generics, or `_OTHER` where the type is erased.
    pub error_type: &'static str,
    /// The error's own words, if it has a `Display`. User code: it may panic.
    pub message: Option<&'e dyn Display>,
    /// The error as an error, for its chain of sources.
    pub error: Option<&'e (dyn Error + 'e)>,
}

impl std::fmt::Debug for Failure<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Failure({})", self.error_type)
    }
}

/// The type of an error whose type is erased (OpenTelemetry semantic conventions, `error.type`).
pub(crate) const OTHER: &str = "_OTHER";

/// An error is looked for among so many sources of another.
const MAX_SOURCES: usize = 16;

/// The last failures, by the span above: where it failed on whatever thread, the span above can ask for it. What is
/// overwritten is forgotten, and the event then appears twice.
static RECENT: Recent = Recent([const { [AtomicU64::new(0), AtomicU64::new(0)] }; 256]);

struct Recent([[AtomicU64; 2]; 256]);

impl Recent {
    fn place(&self, parent_id: u64) -> &[AtomicU64; 2] {
        &self.0[parent_id as usize % self.0.len()]
    }

    /// The hash of what the last child of `span_id` has failed with.
    fn of_child(&self, span_id: u64) -> Option<u64> {
        let [id, words] = self.place(span_id);
        let found = words.load(Ordering::Acquire);
        (id.load(Ordering::Relaxed) == span_id && span_id != 0).then_some(found)
    }

    fn put(&self, parent_id: u64, hash: u64) {
        let [id, words] = self.place(parent_id);
        id.store(parent_id, Ordering::Relaxed);
        words.store(hash, Ordering::Release);
    }
}

/// Tells `span` of the failure that it ends with.
///
/// If a span below has just ended with the same error (the same words, here or in the chain of sources), the error did
/// not first appear here, and the event is left out.
#[cold]
pub(crate) fn record_failure(span: &Live, failure: &Failure<'_>, event: bool) {
    // Its user's code runs before the span is touched.
    let message = failure.message.and_then(Text::of);
    let words = hash(message.as_ref().map_or(failure.error_type, Text::as_str));
    let below = RECENT.of_child(span.parent().span_id);
    let seen = below.is_some_and(|below| below == words || failure.error.is_some_and(|error| names(error, below)));
    // Where no event was made, it is for the span above to make one.
    if event || seen {
        RECENT.put(span.parent_id(), words);
    }
    let said = message.as_ref().map_or("", Text::as_str);
    let told = span.update(|journal| {
        journal.bytes(Key::Inline("error.type"), tag::STR, failure.error_type.as_bytes());
        if event && !seen {
            exception(journal, failure.error_type, message.as_ref());
        }
        journal.status(StatusCode::Error, said);
    });
    // The owner of an open span is never stale, but others may keep it busy.
    if let Err(refused) = told {
        counters::count(refused);
    }
}

/// Appends the event `exception` (OpenTelemetry semantic conventions, exceptions in spans).
pub(super) fn exception(journal: &mut Journal, error_type: &str, message: Option<&Text>) {
    journal.event("exception", clock::now(), |journal| {
        // `_OTHER` stands for a type that is not known; the event needs none if it has a message.
        if error_type != OTHER || message.is_none() {
            journal.bytes(Key::Inline("exception.type"), tag::STR, error_type.as_bytes());
        }
        if let Some(message) = message {
            journal.bytes(Key::Inline("exception.message"), tag::STR, message.as_bytes());
        }
    });
}

/// Whether a source of `error` says what was hashed.
fn names(error: &(dyn Error + '_), words: u64) -> bool {
    let sources = || {
        let mut source = error.source();
        for _ in 0..MAX_SOURCES {
            let Some(error) = source else { break };
            if Text::of(&error).is_some_and(|text| hash(text.as_str()) == words) {
                return true;
            }
            source = error.source();
        }
        false
    };
    caught(sources).unwrap_or(false)
}

fn hash(words: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

/// The value of `error.type` for errors of type `E`.
pub(crate) fn error_type<E: ?Sized>() -> &'static str {
    type_path(type_name::<E>())
}

/// A type's name as `type_name` writes it, without generics: a few values for each program, never one for each instance.
/// Pointers stand for what they point at, because `alloc::boxed::Box` says nothing of an error.
fn type_path(name: &'static str) -> &'static str {
    const POINTERS: [&str; 5] = ["&mut ", "&", "alloc::boxed::Box<", "alloc::sync::Arc<", "alloc::rc::Rc<"];
    let mut path = name;
    while let Some(target) = POINTERS.iter().find_map(|pointer| path.strip_prefix(pointer)) {
        path = target;
    }
    if path.starts_with("dyn ") {
        return OTHER;
    }
    if path.starts_with(['(', '[', '<']) {
        return if path.starts_with("()") { "()" } else { name };
    }
    path.find(['<', '>', ',']).map_or(path, |end| &path[..end])
}
