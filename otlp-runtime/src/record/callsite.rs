//! Callsites: one static for each annotated function or `span!`, and the switch that turns it on.

use std::sync::atomic::{AtomicU8, Ordering};

use super::route;
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
    /// The share of traces that is sampled of those that start here, if that is not for the sampler to say.
    pub sample: Option<f64>,
}

/// The interest of a callsite that no setter has seen yet; see [`Callsite::settle`].
const UNSEEN: u8 = 0x80;

/// A place in the source that makes spans.
#[derive(Debug)]
pub struct Callsite {
    /// Who consumes its spans, as bits of [`route`]; 0: nobody.
    interest: AtomicU8,
    distinct_keys: bool,
    metadata: Metadata,
}

impl Callsite {
    /// A callsite; it is off until somebody consumes spans.
    pub const fn new(metadata: Metadata) -> Self {
        Self { interest: AtomicU8::new(UNSEEN), distinct_keys: are_distinct(metadata.keys), metadata }
    }

    /// Whether no two of the keys are the same; the macros cannot see that of keys that are constants.
    #[inline(always)]
    pub fn has_distinct_keys(&self) -> bool {
        self.distinct_keys
    }

    /// Whether anybody might consume the spans made here; for the starting of a span to decide. One relaxed load.
    #[inline(always)]
    pub fn is_enabled(&self) -> bool {
        self.interest() != 0
    }

    /// Whether `consumer` takes its spans, as far as it was seen.
    #[inline(always)]
    pub(super) fn is_wanted(&self, consumer: u8) -> bool {
        self.interest() & consumer != 0
    }

    /// Whether no setter has seen it.
    pub(super) fn is_unseen(&self) -> bool {
        self.interest() == UNSEEN
    }

    #[inline(always)]
    fn interest(&self) -> u8 {
        if cfg!(otlp_off) { 0 } else { self.interest.load(Ordering::Relaxed) }
    }

    /// Asks who consumes its spans, as a setter that has seen it would have told: it was not there when the last one went
    /// round, because a library was loaded later, or there was none yet. `false`: one is at work just now.
    pub(super) fn settle(&self) -> bool {
        route::with_interest(&self.metadata, |interest| self.set_interest(interest))
    }

    /// What was known at compile time.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn set_interest(&self, interest: u8) {
        self.interest.store(interest, Ordering::Relaxed);
    }
}

const fn are_distinct(keys: &[&str]) -> bool {
    let mut i = 0;
    while i < keys.len() {
        let mut j = 0;
        while j < i {
            if is_same(keys[i].as_bytes(), keys[j].as_bytes()) {
                return false;
            }
            j += 1;
        }
        i += 1;
    }
    true
}

/// `==`, which is not to be had in constants.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while a.len() == b.len() && i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    a.len() == b.len()
}

/// The callsite of every span that is built at run time. What it says of name, kind and scope, the record says itself.
pub(crate) static BUILT: Callsite = Callsite::new(Metadata {
    name: "",
    path: "otlp::Span::builder",
    file: file!(),
    line: line!(),
    level: Level::Info,
    kind: SpanKind::Internal,
    keys: &[],
    scope: Scope { name: "otlp", version: env!("CARGO_PKG_VERSION") },
    root: false,
    sample: None,
});

/// A callsite as the linker's registry holds it.
#[derive(Debug)]
pub struct Registered(pub &'static Callsite);
inventory::collect!(Registered);

/// Every callsite of the program.
pub(crate) fn all() -> impl Iterator<Item = &'static Callsite> {
    // Not through the registry, which may lack what a library registers and nobody names.
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0).chain((!cfg!(otlp_off)).then_some(&BUILT))
}

/// Sets the interest of every callsite.
pub(super) fn set_all(interest: impl Fn(&Metadata) -> u8) {
    all().for_each(|callsite| callsite.set_interest(interest(&callsite.metadata)));
}
