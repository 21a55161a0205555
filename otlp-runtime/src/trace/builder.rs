//! [`SpanBuilder`]: a span whose name, kind, parent or times are known at run time.

use std::borrow::Cow;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::reference::link_to;
use super::{Context, Span};
use crate::data::{Scope, SpanKind};
use crate::record::callsite::BUILT;
use crate::record::context::Parent;
use crate::record::journal::{Journal, Key};
use crate::record::local;
use crate::record::start::start_under;
use crate::record::value::{Attributes, Value};

/// Starts a span step by step; see [`Span::builder`].
#[must_use = "a builder does nothing until `start` is called"]
pub struct SpanBuilder<'n> {
    name: Cow<'n, str>,
    kind: SpanKind,
    scope: Option<Scope>,
    parent: Option<Parent>,
    start: Option<SystemTime>,
    /// Attributes and links. `None`: nobody records.
    journal: Option<Journal>,
}

impl Span {
    /// Starts a span whose name is not known before the program runs, or that has to say more than `otlp::span!` can.
    ///
    /// ```
    /// # use otlp_runtime as otlp;
    /// # use otlp::{data::SpanKind, trace::Span};
    /// let table = "orders";
    /// let span = Span::builder(format!("SELECT {table}"))
    ///     .kind(SpanKind::Client)
    ///     .scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    ///     .attribute("db.system.name", "postgresql")
    ///     .start();
    /// span.in_scope(|| { /* ... */ });
    /// span.end();
    /// ```
    /// Names should be few: backends group by them. Put what differs from call to call into attributes. Attributes and links
    /// that are known by now belong here rather than after the start: what decides about a span may look at those that it
    /// starts with.
    ///
    /// To filters, all spans that are built this way are of one path, `otlp::Span::builder`, and of level `info`.
    ///
    /// Values are taken when the builder is given them. While nobody records they are left alone, and all of it costs a
    /// few nanoseconds; to save the work of computing them, ask `otlp::enabled!` first.
    pub fn builder<'n>(name: impl Into<Cow<'n, str>>) -> SpanBuilder<'n> {
        SpanBuilder {
            name: name.into(),
            kind: SpanKind::Internal,
            scope: None,
            parent: None,
            start: None,
            journal: BUILT.is_enabled().then(Journal::new),
        }
    }
}

impl SpanBuilder<'_> {
    /// Its role in the trace. Default: [`SpanKind::Internal`].
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// The instrumentation scope: the crate that makes the span, which a function cannot know of its caller.
    /// `.scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))` names yours, as `#[traced]` and `span!` do.
    ///
    /// Default: `otlp` and its version.
    pub fn scope(mut self, name: &'static str, version: &'static str) -> Self {
        self.scope = Some(Scope { name, version });
        self
    }

    /// The span above: a `&Span`, a [`SpanRef`](super::SpanRef) or a [`Context`]. Default: the current one.
    pub fn parent(mut self, parent: impl Into<Context>) -> Self {
        self.parent = Some(parent.into().parent);
        self
    }

    /// No span above: it starts a trace of its own.
    pub fn root(self) -> Self {
        self.parent(Context::root())
    }

    /// Links it to the span of `context`, which caused it too. A context without a span is ignored.
    pub fn link<A: Attributes>(mut self, context: &Context, attributes: A) -> Self {
        if let (Some(journal), Some(words)) = (&mut self.journal, link_to(context)) {
            journal.link(&words, |journal| journal.attributes(&attributes));
        }
        self
    }

    /// Sets an attribute; a later value of the same key wins. An empty key is ignored.
    pub fn attribute<V: Value>(mut self, key: &str, value: V) -> Self {
        if let Some(journal) = &mut self.journal {
            journal.value(Key::Inline(key), &value);
        }
        self
    }

    /// Sets several attributes.
    pub fn attributes<A: Attributes>(mut self, attributes: A) -> Self {
        if let Some(journal) = &mut self.journal {
            journal.attributes(&attributes);
        }
        self
    }

    /// When it started, for work that is told of afterwards; see [`Span::end_at`]. Default: when [`start`](Self::start) is
    /// called. Times before 1970 count as 1970.
    pub fn start_time(mut self, time: SystemTime) -> Self {
        self.start = Some(time);
        self
    }

    /// Starts the span. As after `otlp::span!`, it is not current until it is entered.
    ///
    /// If it is not recorded it still refers to the span above, so that its [`context`](super::SpanRef::context) can be
    /// passed on.
    pub fn start(self) -> Span {
        let Self { name, kind, scope, parent, start, journal: written } = self;
        let local = local::here();
        let parent = parent.unwrap_or_else(|| local.parent());
        let Some(written) = written else { return Span::unrecorded(parent) };
        let Some(mut starting) = start_under(local, &BUILT, &parent) else { return Span::unrecorded(parent) };
        if starting.is_recording() {
            starting.journal(|journal| {
                journal.built(kind, scope);
                journal.name(&name);
                journal.append(&written);
                journal.amend();
            });
        }
        Span::of(match start {
            Some(time) => starting.begin_at(unix_nanos(time)),
            None => starting.begin(),
        })
    }
}

/// A time as records have it: from 1970 to 2262.
pub(super) fn unix_nanos(time: SystemTime) -> u64 {
    const MOST: u64 = i64::MAX as u64;
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).map_or(MOST, |n| n.min(MOST)))
}

/// The name alone: nothing that was recorded.
impl fmt::Debug for SpanBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
