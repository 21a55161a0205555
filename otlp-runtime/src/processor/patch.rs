//! [`Patch`]: changes laid over a record, without touching it.

use super::RecordSource;
use crate::data::{AttributeValue, Scope, SpanId, SpanKind, TraceId};
use crate::record::layout::{Entry, RawValue, Time};
use crate::record::lost::Lost;

/// Changes to one span's name and attributes, or its removal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    dropped: bool,
    name: Option<String>,
    /// `None`: removed.
    attributes: Vec<(String, Option<AttributeValue>)>,
}

impl Patch {
    /// No changes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The span is not exported.
    pub fn drop_span(&mut self) {
        self.dropped = true;
    }

    /// Whether the span is not exported.
    pub fn is_dropped(&self) -> bool {
        self.dropped
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Gives the span another name.
    pub fn rename(&mut self, name: impl Into<String>) {
        self.name = Some(name.into());
    }

    /// Sets an attribute, over one of the same key.
    pub fn set_attribute(&mut self, key: impl Into<String>, value: impl Into<AttributeValue>) {
        self.change(key.into(), Some(value.into()));
    }

    /// Removes an attribute.
    pub fn remove_attribute(&mut self, key: impl Into<String>) {
        self.change(key.into(), None);
    }

    fn change(&mut self, key: String, value: Option<AttributeValue>) {
        match self.attributes.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((key, value)),
        }
    }

    fn changes(&self, key: &str) -> bool {
        self.attributes.iter().any(|(k, _)| k == key)
    }
}

/// A span with a patch laid over it.
#[derive(Clone, Copy, Debug)]
pub struct Patched<'p, S> {
    source: &'p S,
    patch: &'p Patch,
}

impl<'p, S: RecordSource> Patched<'p, S> {
    /// `source` as `patch` changes it. Whether the patch drops the span is for the caller to ask.
    pub fn new(source: &'p S, patch: &'p Patch) -> Self {
        Self { source, patch }
    }
}

impl<S: RecordSource> RecordSource for Patched<'_, S> {
    fn scope(&self) -> Scope {
        self.source.scope()
    }
    fn name(&self) -> &str {
        self.source.name()
    }
    fn kind(&self) -> SpanKind {
        self.source.kind()
    }
    fn trace_id(&self) -> TraceId {
        self.source.trace_id()
    }
    fn span_id(&self) -> SpanId {
        self.source.span_id()
    }
    fn parent_span_id(&self) -> SpanId {
        self.source.parent_span_id()
    }
    fn has_remote_parent(&self) -> bool {
        self.source.has_remote_parent()
    }
    fn has_random_trace_id(&self) -> bool {
        self.source.has_random_trace_id()
    }
    fn start(&self) -> Time {
        self.source.start()
    }
    fn end(&self) -> Time {
        self.source.end()
    }
    fn panicked(&self) -> bool {
        self.source.panicked()
    }
    fn lost(&self) -> Lost {
        self.source.lost()
    }
    fn is_plain(&self) -> bool {
        self.source.is_plain() && self.patch.name.is_none()
    }
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let kept =
            self.source.entries().filter(|entry| !matches!(entry, Entry::Attribute(key, _) if self.patch.changes(key)));
        let set = self
            .patch
            .attributes
            .iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| Entry::Attribute(key, RawValue::Model(value))));
        let name = self.patch.name.iter().map(|name| Entry::Name(name));
        kept.chain(set).chain(name)
    }
}
