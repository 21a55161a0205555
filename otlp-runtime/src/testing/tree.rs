//! Captured spans as text.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::time::Duration;

use super::captured::{Captured, Forest};
use super::span::{CapturedEvent, CapturedLink, CapturedSpan};
use crate::data::{AttributeValue, SpanKind, StatusCode};

/// Longer text is cut, with its length.
const MAX_TEXT: usize = 200;
/// Deeper spans are not indented any further, but numbered.
const MAX_INDENT: usize = 40;

/// Spans as text, one line each, children below their parents; see [`Captured::tree`].
///
/// ```text
/// place_order order_id=7 ERROR "card declined"
/// ├─ reserve sku="A-1"
/// └─ charge [client] ERROR "card declined"
///    · exception exception.type="CardError"
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    captured: &'a Captured,
    durations: bool,
    max_siblings: usize,
}

impl<'a> Tree<'a> {
    pub(super) fn new(captured: &'a Captured) -> Self {
        Self { captured, durations: false, max_siblings: usize::MAX }
    }

    /// Shows how long each span took.
    #[must_use]
    pub fn with_durations(self) -> Self {
        Self { durations: true, ..self }
    }

    /// Shows at most so many children of one span, those with errors first, and counts the others in one line.
    #[must_use]
    pub fn with_max_siblings(self, max: usize) -> Self {
        Self { max_siblings: max.max(1), ..self }
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spans = self.captured.spans();
        let forest = Forest::of(spans);
        let failed = failed_subtrees(spans, &forest);
        let mut open = Vec::new();
        self.open(&mut open, spans, &forest.roots, &failed, None);
        let mut text = String::new();
        while let Some(line) = open.pop() {
            text.clear();
            let (first, below) = line.prefixes();
            text.push_str(&first);
            match line.what {
                What::Rest(ref rest) => text.push_str(rest),
                What::Span(i) => {
                    let has_children = !forest.children[i].is_empty();
                    self.write_span(&mut text, &spans[i], &below, has_children)?;
                    let level = Level { prefix: below.into(), depth: line.depth + 1 };
                    self.open(&mut open, spans, &forest.children[i], &failed, Some(&level));
                }
            }
            f.write_str(text.trim_end())?;
            if !open.is_empty() {
                f.write_char('\n')?;
            }
        }
        Ok(())
    }
}

/// Where the children of a span stand.
struct Level {
    prefix: Rc<str>,
    depth: usize,
}

struct Line {
    what: What,
    prefix: Rc<str>,
    depth: usize,
    last: bool,
}

enum What {
    Span(usize),
    Rest(String),
}

impl Line {
    /// What stands before this line, and before the lines below it that belong to it.
    fn prefixes(&self) -> (String, String) {
        match self.depth {
            0 => (String::new(), String::new()),
            1..=MAX_INDENT => {
                let (branch, below) = if self.last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                (format!("{}{branch}", self.prefix), format!("{}{below}", self.prefix))
            }
            depth => (format!("{}({depth}) ", self.prefix), self.prefix.to_string()),
        }
    }
}

impl Tree<'_> {
    /// Puts the lines of some siblings on the stack, the first on top.
    fn open(
        &self,
        stack: &mut Vec<Line>,
        spans: &[CapturedSpan],
        siblings: &[usize],
        failed: &[bool],
        level: Option<&Level>,
    ) {
        let (shown, hidden) = self.choose(siblings, failed);
        let (prefix, depth) = level.map_or_else(|| (Rc::from(""), 0), |l| (Rc::clone(&l.prefix), l.depth));
        let rest = (!hidden.is_empty()).then(|| What::Rest(self.summary(spans, &hidden)));
        let lines = shown.into_iter().map(What::Span).chain(rest);
        let from = stack.len();
        stack.extend(lines.map(|what| Line { what, prefix: Rc::clone(&prefix), depth, last: false }));
        if let Some(last) = stack[from..].last_mut() {
            last.last = true;
        }
        stack[from..].reverse();
    }

    /// Parts siblings into those that are shown and the others, each in the order of time.
    fn choose(&self, siblings: &[usize], failed: &[bool]) -> (Vec<usize>, Vec<usize>) {
        if siblings.len() <= self.max_siblings {
            return (siblings.to_vec(), Vec::new());
        }
        let failures = siblings.iter().filter(|&&i| failed[i]).count().min(self.max_siblings);
        let (mut bad, mut good) = (failures, self.max_siblings - failures);
        siblings.iter().partition(|&&i| {
            let left = if failed[i] { &mut bad } else { &mut good };
            *left > 0 && {
                *left -= 1;
                true
            }
        })
    }

    /// `… 214 more: 200 × count, 14 × read`
    fn summary(&self, spans: &[CapturedSpan], hidden: &[usize]) -> String {
        let mut names: BTreeMap<&str, (usize, usize, Duration)> = BTreeMap::new();
        for &i in hidden {
            let (count, errors, time) = names.entry(&spans[i].name).or_default();
            *count += 1;
            *errors += usize::from(spans[i].is_error());
            *time += spans[i].duration();
        }
        let mut text = format!("… {} more:", hidden.len());
        let others = names.len().saturating_sub(5);
        for (i, (name, (count, errors, time))) in names.into_iter().take(5).enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(text, "{comma} {count} × {}", plain(name));
            if self.durations {
                let _ = write!(text, " ({} in all)", Readable(time));
            }
            if errors > 0 {
                let _ = write!(text, " with {errors} ERROR");
            }
        }
        if others > 0 {
            let _ = write!(text, ", and {others} other names");
        }
        text
    }

    fn write_span(&self, text: &mut String, span: &CapturedSpan, below: &str, has_children: bool) -> fmt::Result {
        text.push_str(&plain(&span.name));
        if self.durations {
            write!(text, " {}", Readable(span.duration()))?;
        }
        if let Some(kind) = kind(span.kind) {
            write!(text, " [{kind}]")?;
        }
        write_attributes(text, &span.attributes, span.dropped_attributes)?;
        match span.status {
            StatusCode::Unset => {}
            StatusCode::Ok => text.push_str(" OK"),
            StatusCode::Error => text.push_str(" ERROR"),
        }
        if !span.status_message.is_empty() {
            write!(text, " {}", quoted(&span.status_message))?;
        }
        let dropped = [(span.dropped_events, "events"), (span.dropped_links, "links")];
        for (count, what) in dropped.into_iter().filter(|(count, _)| *count > 0) {
            write!(text, " (+{count} {what} dropped)")?;
        }
        let margin = if has_children { "│  " } else { "   " };
        for CapturedEvent { name, attributes, dropped_attributes, .. } in &span.events {
            write!(text, "\n{below}{margin}· {}", plain(name))?;
            write_attributes(text, attributes, *dropped_attributes)?;
        }
        for CapturedLink { attributes, dropped_attributes, .. } in &span.links {
            write!(text, "\n{below}{margin}→ link")?;
            write_attributes(text, attributes, *dropped_attributes)?;
        }
        Ok(())
    }
}

/// For each span, whether it or one below it failed.
fn failed_subtrees(spans: &[CapturedSpan], forest: &Forest) -> Vec<bool> {
    let mut order = forest.roots.clone();
    let mut next = 0;
    while let Some(&i) = order.get(next) {
        order.extend(&forest.children[i]);
        next += 1;
    }
    let mut failed: Vec<bool> = spans.iter().map(CapturedSpan::is_error).collect();
    for &i in order.iter().rev() {
        failed[i] = failed[i] || forest.children[i].iter().any(|&child| failed[child]);
    }
    failed
}

fn kind(kind: SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Internal => None,
        SpanKind::Server => Some("server"),
        SpanKind::Client => Some("client"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
    }
}

fn write_attributes(text: &mut String, attributes: &[(String, AttributeValue)], dropped: u32) -> fmt::Result {
    for (key, value) in attributes {
        write!(text, " {}={}", plain(key), Shown(value))?;
    }
    if dropped > 0 {
        write!(text, " (+{dropped} attributes dropped)")?;
    }
    Ok(())
}

/// A value as the tree shows it.
struct Shown<'a>(&'a AttributeValue);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            AttributeValue::Empty => f.write_str("empty"),
            AttributeValue::String(text) => f.write_str(&quoted(text)),
            AttributeValue::Bool(value) => write!(f, "{value}"),
            AttributeValue::I64(value) => write!(f, "{value}"),
            AttributeValue::F64(value) => write!(f, "{value:?}"),
            AttributeValue::Bytes(bytes) => {
                f.write_str("0x")?;
                bytes.iter().take(MAX_TEXT / 2).try_for_each(|byte| write!(f, "{byte:02x}"))?;
                if bytes.len() > MAX_TEXT / 2 { write!(f, "… ({} bytes)", bytes.len()) } else { Ok(()) }
            }
            AttributeValue::Array(values) => {
                f.write_char('[')?;
                for (i, value) in values.iter().take(MAX_TEXT).enumerate() {
                    write!(f, "{}{}", if i > 0 { ", " } else { "" }, Shown(value))?;
                }
                if values.len() > MAX_TEXT { write!(f, ", … ({} values)]", values.len()) } else { f.write_char(']') }
            }
            AttributeValue::Map(pairs) => {
                f.write_char('{')?;
                for (i, (key, value)) in pairs.iter().take(MAX_TEXT).enumerate() {
                    write!(f, "{}{}={}", if i > 0 { ", " } else { "" }, plain(key), Shown(value))?;
                }
                if pairs.len() > MAX_TEXT { write!(f, ", … ({} values)}}", pairs.len()) } else { f.write_char('}') }
            }
        }
    }
}

fn quoted(text: &str) -> String {
    match cut(text) {
        Some(start) => format!("{start:?}… ({} bytes)", text.len()),
        None => format!("{text:?}"),
    }
}

/// A name or key without quotes; control characters are escaped, so that it stays on its line.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_TEXT));
    for c in cut(text).unwrap_or(text).chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    match (cut(text), text) {
        (Some(_), _) => shown + "…",
        (None, "") => "\"\"".to_owned(),
        (None, _) => shown,
    }
}

/// The start of a text that is too long.
fn cut(text: &str) -> Option<&str> {
    text.char_indices().nth(MAX_TEXT).map(|(end, _)| &text[..end])
}

/// A duration in three digits.
struct Readable(Duration);

impl fmt::Display for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        #[allow(clippy::cast_precision_loss)]
        let (value, unit) = match nanos {
            0..1_000 => return write!(f, "{nanos} ns"),
            1_000..999_500 => (nanos as f64 / 1e3, "µs"),
            999_500..999_500_000 => (nanos as f64 / 1e6, "ms"),
            _ => (nanos as f64 / 1e9, "s"),
        };
        let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        write!(f, "{value:.decimals$} {unit}")
    }
}
