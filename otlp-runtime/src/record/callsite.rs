//! Callsites: one static for each annotated function or `span!`, and the switch that turns it on.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::data::{Level, Scope, SpanKind};

/// What is known of an annotated function when it is compiled.
#[derive(Debug)]
pub struct Metadata {
    /// The span's name.
    pub name: &'static str,
    /// The module path and the function.
    pub path: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
    /// Its level.
    pub level: Level,
    /// The span's kind.
    pub kind: SpanKind,
    /// The keys of its fields, in their order.
    pub keys: &'static [&'static str],
    /// The user's crate.
    pub scope: Scope,
    /// The span starts a trace of its own.
    pub root: bool,
}

/// A place in the source that makes spans.
#[derive(Debug)]
pub struct Callsite {
    interest: AtomicU8,
    metadata: Metadata,
}

impl Callsite {
    /// A callsite that is off until somebody consumes spans.
    pub const fn new(metadata: Metadata) -> Self {
        Self { interest: AtomicU8::new(0), metadata }
    }

    /// Whether spans are recorded here: one relaxed load.
    #[inline(always)]
    pub fn is_enabled(&self) -> bool {
        self.interest.load(Ordering::Relaxed) != 0
    }

    /// What was known at compile time.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn set_interest(&self, on: bool) {
        self.interest.store(u8::from(on), Ordering::Relaxed);
    }
}

/// A callsite as the linker's registry holds it.
#[derive(Debug)]
pub struct Registered(pub &'static Callsite);
inventory::collect!(Registered);

/// Every callsite of the program.
pub fn callsites() -> impl Iterator<Item = &'static Callsite> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
}

/// Turns every callsite on or off.
pub(crate) fn set_all(on: bool) {
    callsites().for_each(|callsite| callsite.set_interest(on));
}
