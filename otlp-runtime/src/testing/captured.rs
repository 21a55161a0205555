//! Spans that arrived, and how they belong together.

use std::collections::HashMap;
use std::fmt;

use super::decode::{DecodeError, decode_spans};
use super::span::CapturedSpan;
use super::tree::Tree;
use crate::data::{SpanId, TraceId};

/// Telemetry as it arrived. `Display` is its [`tree`](Self::tree).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Captured {
    spans: Vec<CapturedSpan>,
}

impl Captured {
    /// Decodes one encoded `ExportTraceServiceRequest`.
    ///
    /// # Errors
    /// If the bytes are no such message, or an id in it is not valid.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { spans: decode_spans(bytes)? })
    }

    /// Decodes several requests, in their order.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn from_requests<B: AsRef<[u8]>>(requests: impl IntoIterator<Item = B>) -> Result<Self, DecodeError> {
        let mut captured = Self::default();
        for request in requests {
            captured.extend(decode_spans(request.as_ref())?);
        }
        Ok(captured)
    }

    /// All spans, in the order in which they arrived: the order in which they ended, if one thread made them.
    pub fn spans(&self) -> &[CapturedSpan] {
        &self.spans
    }

    /// All spans, by value.
    pub fn into_spans(self) -> Vec<CapturedSpan> {
        self.spans
    }

    /// The one span of this name.
    ///
    /// # Panics
    /// If there is none or more than one; the message lists what there is.
    #[track_caller]
    pub fn one(&self, name: &str) -> &CapturedSpan {
        let mut named = self.named(name);
        match (named.next(), named.next()) {
            (Some(span), None) => span,
            (found, _) => {
                let count = if found.is_none() { 0 } else { self.named(name).count() };
                let tree = self.tree().with_max_siblings(20);
                panic!("expected exactly one span {name:?}, found {count} among {}:\n{tree}", self.spans.len())
            }
        }
    }

    /// Every span of this name, in the order of arrival.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a CapturedSpan> {
        self.spans.iter().filter(move |span| span.name == name)
    }

    /// The spans whose parent was not captured, by time of start.
    pub fn roots(&self) -> Vec<&CapturedSpan> {
        self.pick(Forest::of(&self.spans).roots)
    }

    /// The children of `span`, by time of start.
    pub fn children_of(&self, span: &CapturedSpan) -> Vec<&CapturedSpan> {
        let is_child = |s: &CapturedSpan| s.trace_id == span.trace_id && s.parent_span_id == Some(span.span_id);
        let mut children: Vec<_> = self.spans.iter().filter(|s| is_child(s)).collect();
        children.sort_by_key(|s| s.start_unix_nanos);
        children
    }

    /// Readable text for snapshots: names, attributes, outcomes, events and links, without ids and times. Siblings
    /// stand in the order in which they started.
    pub fn tree(&self) -> Tree<'_> {
        Tree::new(self)
    }

    /// The tree with durations, for people.
    pub fn tree_with_durations(&self) -> Tree<'_> {
        self.tree().with_durations()
    }

    pub(super) fn extend(&mut self, spans: impl IntoIterator<Item = CapturedSpan>) {
        self.spans.extend(spans);
    }

    fn pick(&self, indices: Vec<usize>) -> Vec<&CapturedSpan> {
        indices.into_iter().filter_map(|i| self.spans.get(i)).collect()
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tree().fmt(f)
    }
}

/// Who is whose child, by index, as trees: every span occurs once, even if a faulty sender made a circle of parents,
/// or sent a span twice.
pub(super) struct Forest {
    pub(super) roots: Vec<usize>,
    pub(super) children: Vec<Vec<usize>>,
}

impl Forest {
    pub(super) fn of(spans: &[CapturedSpan]) -> Self {
        let mut by_id: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(spans.len());
        for (i, span) in spans.iter().enumerate() {
            by_id.entry((span.trace_id, span.span_id)).or_insert(i);
        }
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by_key(|&i| spans[i].start_unix_nanos);
        let parent_of = |i: usize| spans[i].parent_span_id.and_then(|id| by_id.get(&(spans[i].trace_id, id)).copied());
        let mut forest = Self { roots: Vec::new(), children: vec![Vec::new(); spans.len()] };
        for &i in &order {
            match parent_of(i) {
                Some(parent) => forest.children[parent].push(i),
                None => forest.roots.push(i),
            }
        }
        // What no root leads to hangs on a circle: the earliest span of it becomes a root.
        let mut reached = vec![false; spans.len()];
        forest.reach(&mut reached, &forest.roots.clone());
        for &i in &order {
            if !reached[i] {
                if let Some(parent) = parent_of(i) {
                    forest.children[parent].retain(|&child| child != i);
                }
                forest.roots.push(i);
                forest.reach(&mut reached, &[i]);
            }
        }
        forest
    }

    fn reach(&self, reached: &mut [bool], from: &[usize]) {
        let mut open = from.to_vec();
        while let Some(i) = open.pop() {
            reached[i] = true;
            open.extend(&self.children[i]);
        }
    }
}
