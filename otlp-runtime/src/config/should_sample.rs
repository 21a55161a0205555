//! [`ShouldSample`]: a sampler of the program's own.

use crate::data::{AttributeValue, Level, SpanId, SpanKind, TraceFlags, TraceId};

/// Decides which spans are recorded; for [`Sampler::custom`](super::Sampler::custom). A closure that takes a
/// [`SamplingInput`] is one.
///
/// It runs on the thread that starts the span, before the span starts, so it is part of what the program waits for. What it
/// does itself is not recorded. If it panics, the span is not recorded, and `otlp::status()` counts it; with
/// `panic = "abort"` the process ends, as with every panic.
///
/// ```
/// # use otlp_runtime as otlp;
/// # use otlp::config::{OtlpConfig, Sampler, SamplingDecision, SamplingInput, ShouldSample};
/// struct NoHealthChecks;
///
/// impl ShouldSample for NoHealthChecks {
///     fn should_sample(&self, input: &SamplingInput<'_>) -> SamplingDecision {
///         if input.name() == "health" { SamplingDecision::drop() } else { SamplingDecision::record() }
///     }
/// }
///
/// let config = OtlpConfig::default().with_sampler(Sampler::parent_based(Sampler::custom(NoHealthChecks)));
/// ```
pub trait ShouldSample: Send + Sync + 'static {
    /// Decides about one span.
    fn should_sample(&self, input: &SamplingInput<'_>) -> SamplingDecision;

    /// Whether it looks at attributes and links, which then are evaluated, and copied, before it is asked. Without, it does
    /// not see them, and those of a span that is dropped cost nothing. Default: `false`.
    fn needs_fields(&self) -> bool {
        false
    }

    /// What messages call it. Default: the name of the type.
    fn description(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }
}

impl<F: Fn(&SamplingInput<'_>) -> SamplingDecision + Send + Sync + 'static> ShouldSample for F {
    fn should_sample(&self, input: &SamplingInput<'_>) -> SamplingDecision {
        self(input)
    }
}

/// The span above one that is about to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamplingParent {
    /// Its id.
    pub span_id: SpanId,
    /// Its flags.
    pub flags: TraceFlags,
    /// Whether it is a span of another process.
    pub is_remote: bool,
}

impl SamplingParent {
    pub(crate) fn new(span_id: SpanId, flags: TraceFlags, is_remote: bool) -> Self {
        Self { span_id, flags, is_remote }
    }
}

/// What is known of a span that is about to start.
#[derive(Clone, Copy, Debug)]
pub struct SamplingInput<'a> {
    pub(crate) trace_id: TraceId,
    pub(crate) parent: Option<SamplingParent>,
    pub(crate) name: &'a str,
    pub(crate) kind: SpanKind,
    pub(crate) level: Level,
    pub(crate) path: &'static str,
    pub(crate) links: usize,
    pub(crate) attributes: &'a [(String, AttributeValue)],
}

impl<'a> SamplingInput<'a> {
    /// The trace: the parent's, or a new one.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The span above, if there is one.
    pub fn parent(&self) -> Option<SamplingParent> {
        self.parent
    }

    /// The span's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its kind.
    pub fn kind(&self) -> SpanKind {
        self.kind
    }

    /// The level of its callsite.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The path of its callsite, as filters have it: the module and the function.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// How many links it starts with; 0 unless the sampler [needs the fields](ShouldSample::needs_fields).
    pub fn link_count(&self) -> usize {
        self.links
    }

    /// The attributes that it starts with; none unless the sampler [needs the fields](ShouldSample::needs_fields).
    pub fn attributes(&self) -> &'a [(String, AttributeValue)] {
        self.attributes
    }

    /// The attribute of this key.
    pub fn attribute(&self, key: &str) -> Option<&'a AttributeValue> {
        self.attributes.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }
}

/// What becomes of a span.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct SamplingDecision {
    pub(crate) sampled: bool,
    pub(crate) attributes: Vec<(String, AttributeValue)>,
}

impl SamplingDecision {
    /// It is not recorded. It still has ids, which are passed on with the sampled flag off.
    pub fn drop() -> Self {
        Self { sampled: false, attributes: Vec::new() }
    }

    /// It is recorded and exported, and the sampled flag is passed on.
    pub fn record() -> Self {
        Self { sampled: true, attributes: Vec::new() }
    }

    /// Adds an attribute to a span that is recorded; one that is dropped has none.
    ///
    /// [`AttributeValue::Empty`] says nothing, and is left out. Spans hold no maps: an [`AttributeValue::Map`], or an
    /// array with one, is left out and counted in the span's `dropped_attributes_count`; give its entries as attributes of
    /// their own.
    pub fn with_attribute(mut self, key: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }
}

/// `true` is [`SamplingDecision::record`].
impl From<bool> for SamplingDecision {
    fn from(sampled: bool) -> Self {
        if sampled { Self::record() } else { Self::drop() }
    }
}
