//! Whether a span is sampled: what `init` sets, and what starting spans read without waiting.
//!
//! A built-in sampler is, for each kind of parent, one number: the lowest random bits of a trace id that are sampled. The
//! program's own sampler is looked up behind a lock that only `init` and shutdown write, and that is not waited for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};

use super::callsite::Callsite;
use super::context::{Parent, flag};
use super::counters;
use super::journal::{Journal, Key};
use super::layout::{Entry, HEADER, RawValue, RecordView, trace_id};
use super::local;
use super::text::caught;
use super::value::{Value, ValueWriter};
use crate::config::{Branch, Decider, Sampler, SamplingDecision, SamplingInput, SamplingParent, ShouldSample};
use crate::data::{AttributeValue, SpanId, TraceFlags};
use crate::os::fork::PerProcess;

/// Bits of a trace id that the ratio is taken of (OpenTelemetry, TraceIdRatioBased; W3C Level 2).
const RANDOM_BITS: u64 = (1 << 56) - 1;
/// More than any random bits: no trace.
const NONE: u64 = 1 << 56;
/// The program's own sampler decides.
const CUSTOM: u64 = u64::MAX;

/// The global pipeline's sampler, for each branch.
static THRESHOLDS: [AtomicU64; Branch::COUNT] = [const { AtomicU64::new(NONE) }; Branch::COUNT];
static PARENT_BASED: AtomicBool = AtomicBool::new(false);
static ASKS_CHILDREN: AtomicBool = AtomicBool::new(false);
/// A forked child has none before its own `init`.
static OWN: PerProcess<RwLock<Owns>> = PerProcess::new(RwLock::new(NO_OWN), |_| RwLock::new(NO_OWN));
const NO_OWN: Owns = [const { None }; Branch::COUNT];

type Owns = [Option<Own>; Branch::COUNT];

/// A sampler of the program's own.
pub(crate) type Own = Arc<dyn ShouldSample>;

/// Sets the global pipeline's sampler. What it gives back is for the caller to drop, who holds no lock then.
pub(super) fn set(sampler: &Sampler) -> Vec<Own> {
    let own = Branch::ALL.map(|branch| match sampler.decider(branch) {
        Decider::Custom(own) => Some(Arc::clone(own)),
        _ => None,
    });
    let before = std::mem::replace(&mut *OWN.get().write().unwrap_or_else(PoisonError::into_inner), own);
    for branch in Branch::ALL {
        THRESHOLDS[branch as usize].store(threshold(sampler.decider(branch)), Ordering::Relaxed);
    }
    PARENT_BASED.store(sampler.is_parent_based(), Ordering::Relaxed);
    ASKS_CHILDREN.store(sampler.asks_children(), Ordering::Relaxed);
    before.into_iter().flatten().collect()
}

fn threshold(decider: &Decider) -> u64 {
    match decider {
        Decider::AlwaysOn => 0,
        Decider::AlwaysOff => NONE,
        Decider::TraceIdRatio(ratio) => of_ratio(*ratio),
        Decider::Custom(_) => CUSTOM,
    }
}

fn of_ratio(ratio: f64) -> u64 {
    ((1.0 - ratio.clamp(0.0, 1.0)) * NONE as f64) as u64
}

/// Who decides about a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judge {
    threshold: u64,
    branch: Branch,
}

impl Judge {
    /// Who decides in this case. `ratio` is what the callsite says of traces that start there.
    pub(super) fn of(branch: Branch, ratio: Option<f64>) -> Self {
        let has_local_parent = matches!(branch, Branch::LocalSampled | Branch::LocalNotSampled);
        let is_start = branch == Branch::Root || (!has_local_parent && !PARENT_BASED.load(Ordering::Relaxed));
        let threshold = match ratio {
            Some(ratio) if is_start => of_ratio(ratio),
            _ => THRESHOLDS[branch as usize].load(Ordering::Relaxed),
        };
        Self { threshold, branch }
    }

    /// The judge of a span that is undecided.
    pub(super) fn own(branch: Branch) -> Self {
        Self { threshold: CUSTOM, branch }
    }

    /// The decision, unless it is the program's.
    #[inline]
    pub(super) fn decide(self, trace_id_low: u64) -> Option<bool> {
        (self.threshold != CUSTOM).then_some(trace_id_low & RANDOM_BITS >= self.threshold)
    }

    /// The program's own sampler; `None`: it is just being replaced.
    fn sampler(self) -> Option<Own> {
        let own = match OWN.get().try_read() {
            Ok(own) => own,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        own.get(self.branch as usize).cloned().flatten()
    }

    /// Whether the program's own sampler wants to see the fields first.
    pub(super) fn needs_fields(self) -> bool {
        let asked = || local::deciding(|| caught(|| self.sampler().is_some_and(|sampler| sampler.needs_fields())));
        self.threshold == CUSTOM && asked().unwrap_or(false)
    }
}

/// Whether the global pipeline's sampler is asked for the children of its spans too.
pub(super) fn asks_children() -> bool {
    ASKS_CHILDREN.load(Ordering::Relaxed)
}

/// A span that the program's own sampler is to decide about.
pub(super) struct Case {
    pub(super) callsite: &'static Callsite,
    pub(super) trace_high: u64,
    pub(super) trace_low: u64,
    /// The span above; [`Parent::NONE`] if there is none.
    pub(super) parent: Parent,
}

impl Case {
    /// Asks the program's own sampler. `words`: a copy of what the span starts with, if the sampler is to see it.
    ///
    /// A sampler that panics has decided against the span.
    #[cold]
    pub(super) fn ask(&self, judge: Judge, words: &[u64]) -> SamplingDecision {
        local::deciding(|| {
            // The sampler may be dropped here, so that is within it.
            let decided = caught(|| {
                let Some(sampler) = judge.sampler() else { return SamplingDecision::drop() };
                self.with_input(words, |input| sampler.should_sample(&input))
            });
            decided.unwrap_or_else(|| {
                counters::sampler_panicked();
                SamplingDecision::drop()
            })
        })
    }

    fn with_input<R>(&self, words: &[u64], f: impl FnOnce(SamplingInput<'_>) -> R) -> R {
        let mut header = [0; HEADER];
        let view = RecordView::starting(&mut header, self.callsite, words);
        let metadata = self.callsite.metadata();
        let (mut name, mut links, mut attributes) = (metadata.name, 0, Vec::new());
        for entry in view.entries() {
            match entry {
                Entry::Attribute(key, value) => put(&mut attributes, key, owned(value)),
                Entry::Link { .. } => links += 1,
                Entry::Name(text) => name = text,
                Entry::Event { .. } | Entry::Status(..) => {}
            }
        }
        let kind = if words.is_empty() { metadata.kind } else { view.kind() };
        f(SamplingInput {
            trace_id: trace_id(self.trace_high, self.trace_low),
            parent: seen(&self.parent),
            name,
            kind,
            level: metadata.level,
            path: metadata.path,
            links,
            attributes: &attributes,
        })
    }
}

fn seen(parent: &Parent) -> Option<SamplingParent> {
    let bit = |flag, bit| if parent.flags & flag != 0 { bit } else { TraceFlags::NONE };
    let flags = bit(flag::RECORDING, TraceFlags::SAMPLED).with(bit(flag::RANDOM, TraceFlags::RANDOM));
    let id = SpanId::from_bytes(parent.span_id.to_be_bytes());
    id.is_valid().then(|| SamplingParent::new(id, flags, parent.flags & flag::REMOTE != 0))
}

fn put(attributes: &mut Vec<(String, AttributeValue)>, key: &str, value: AttributeValue) {
    match attributes.iter_mut().find(|(known, _)| known == key) {
        Some((_, earlier)) => *earlier = value,
        None => attributes.push((key.to_owned(), value)),
    }
}

fn owned(value: RawValue<'_>) -> AttributeValue {
    match value {
        RawValue::Null => AttributeValue::Empty,
        RawValue::I64(value) => AttributeValue::I64(value),
        RawValue::F64(value) => AttributeValue::F64(value),
        RawValue::Bool(value) => AttributeValue::Bool(value),
        RawValue::Str(text) => AttributeValue::String(text.to_owned()),
        RawValue::Bytes(bytes) => AttributeValue::Bytes(bytes.to_owned()),
        RawValue::Array(values) => AttributeValue::Array(values.map(owned).collect()),
        RawValue::Model(value) => value.clone(),
    }
}

/// Writes what the sampler adds.
pub(super) fn add_attributes(journal: &mut Journal, decision: &SamplingDecision) {
    if decision.attributes.is_empty() {
        return;
    }
    journal.amend();
    for (key, value) in &decision.attributes {
        // Journals have no maps, and an array with holes would say something else.
        if holds_map(value) {
            journal.lost_mut().add_attributes(1);
        } else {
            journal.value(Key::Inline(key), &Model(value));
        }
    }
}

fn holds_map(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Map(_) => true,
        AttributeValue::Array(values) => values.iter().any(holds_map),
        _ => false,
    }
}

struct Model<'a>(&'a AttributeValue);

impl Value for Model<'_> {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        match self.0 {
            AttributeValue::String(text) => writer.str(text),
            AttributeValue::Bool(value) => writer.bool(*value),
            AttributeValue::I64(value) => writer.i64(*value),
            AttributeValue::F64(value) => writer.f64(*value),
            AttributeValue::Bytes(bytes) => writer.bytes(bytes),
            AttributeValue::Array(values) => writer.array(values.iter().map(Model)),
            AttributeValue::Empty | AttributeValue::Map(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples(ratio: f64, low: u64) -> bool {
        low & RANDOM_BITS >= of_ratio(ratio)
    }

    #[test]
    fn smp3_the_ratio_decides_by_the_random_bits() {
        for (ratio, low, sampled) in [
            (1.0, 0, true),
            (0.0, u64::MAX, false),
            (0.5, 1 << 55, true),
            (0.5, (1 << 55) - 1, false),
            (0.5, 0xff << 56, false),
        ] {
            assert_eq!(samples(ratio, low), sampled, "{ratio} {low:x}");
        }
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let sampled = (0..100_000)
            .filter(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                samples(0.1, state >> 8)
            })
            .count();
        assert!((9_500..10_500).contains(&sampled), "{sampled}");
    }

    proptest! {
        #[test]
        fn smp3_a_greater_ratio_samples_the_same_traces_and_more(a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, low: u64) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(!samples(less, low) || samples(more, low));
            prop_assert!(samples(1.0, low) && !samples(0.0, low));
            // The bits above are not random in traces of Level 1.
            prop_assert_eq!(samples(a, low), samples(a, low ^ 0xff << 56));
        }
    }
}
