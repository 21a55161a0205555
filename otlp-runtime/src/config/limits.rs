//! How much of one span is exported, as plain data (spec-checklist LIM1 to LIM6).

use super::validation::invalid;
use crate::error::OtlpError;

/// The most of anything that one span may have.
pub(super) const MOST: usize = 10_000;
/// The specification's default of every count.
const COUNT: usize = 128;
/// Arrays in arrays that decoders take.
const DEPTH: usize = 45;

/// How much of one span is exported; what is beyond it is left out, and counted in the span's `dropped_*_count`.
///
/// A new one sets nothing: then the environment decides, and then the defaults, which are written at each method. A limit
/// may be 0, which leaves all of its kind out. Whatever the limits, an open span holds at most 1 MiB, and a key or name has at
/// most 65,535 bytes: longer names are cut.
///
/// ```
/// # use otlp_runtime as otlp;
/// # use otlp::config::{OtlpConfig, SpanLimits};
/// let limits = SpanLimits::default().with_attribute_count(64).with_attribute_value_length(4096);
/// let config = OtlpConfig::default().with_span_limits(limits);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "limits do nothing until `with_span_limits` is given them"]
pub struct SpanLimits {
    pub(super) attributes: Option<usize>,
    pub(super) value_length: Option<usize>,
    pub(super) value_depth: Option<usize>,
    pub(super) events: Option<usize>,
    pub(super) links: Option<usize>,
    pub(super) attributes_per_event: Option<usize>,
    pub(super) attributes_per_link: Option<usize>,
}

impl SpanLimits {
    /// Attributes of a span. Default: 128; the most is 10,000, here and below.
    pub fn with_attribute_count(mut self, most: usize) -> Self {
        self.attributes = Some(most);
        self
    }

    /// Length of a value, also within arrays and of events and links: of text in characters, of bytes in bytes. Longer ones
    /// are cut, and not counted. Default: no limit.
    pub fn with_attribute_value_length(mut self, most: usize) -> Self {
        self.value_length = Some(most);
        self
    }

    /// Arrays in arrays; one that lies deeper is exported as an empty value. Default and most: 45, as decoders refuse a
    /// request that is nested deeper.
    pub fn with_attribute_value_depth(mut self, most: usize) -> Self {
        self.value_depth = Some(most);
        self
    }

    /// Events of a span. Default: 128.
    pub fn with_event_count(mut self, most: usize) -> Self {
        self.events = Some(most);
        self
    }

    /// Links of a span. Default: 128.
    pub fn with_link_count(mut self, most: usize) -> Self {
        self.links = Some(most);
        self
    }

    /// Attributes of an event. Default: 128.
    pub fn with_event_attribute_count(mut self, most: usize) -> Self {
        self.attributes_per_event = Some(most);
        self
    }

    /// Attributes of a link. Default: 128.
    pub fn with_link_attribute_count(mut self, most: usize) -> Self {
        self.attributes_per_link = Some(most);
        self
    }

    pub(super) fn validate(&self) -> Result<(), OtlpError> {
        for (name, count) in [
            ("attribute_count", self.attributes),
            ("event_count", self.events),
            ("link_count", self.links),
            ("event_attribute_count", self.attributes_per_event),
            ("link_attribute_count", self.attributes_per_link),
        ] {
            if let Some(count) = count.filter(|&count| count > MOST) {
                let remedy = "stay at 10000 or below, and record what there is more of as spans of their own";
                return Err(invalid(name, count, "is more than one span can carry", remedy));
            }
        }
        match self.value_depth {
            Some(depth) if depth > DEPTH => {
                Err(invalid("attribute_value_depth", depth, "is deeper than decoders read", "stay at 45 or below"))
            }
            _ => Ok(()),
        }
    }
}

/// Limits in which nothing is left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedLimits {
    /// Attributes of a span.
    pub attributes: usize,
    /// Characters of a text, bytes of bytes.
    pub value_length: usize,
    /// Arrays in arrays.
    pub value_depth: usize,
    /// Events of a span.
    pub events: usize,
    /// Links of a span.
    pub links: usize,
    /// Attributes of an event.
    pub attributes_per_event: usize,
    /// Attributes of a link.
    pub attributes_per_link: usize,
}

impl Default for ResolvedLimits {
    fn default() -> Self {
        Self {
            attributes: COUNT,
            value_length: usize::MAX,
            value_depth: DEPTH,
            events: COUNT,
            links: COUNT,
            attributes_per_event: COUNT,
            attributes_per_link: COUNT,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::OtlpConfig;

    #[test]
    fn lim3_what_no_span_can_carry_is_a_typed_error() {
        let new = SpanLimits::default;
        for (limits, expected) in [
            (new().with_attribute_count(10_001), "attribute_count"),
            (new().with_event_count(usize::MAX), "event_count"),
            (new().with_link_count(1 << 20), "link_count"),
            (new().with_event_attribute_count(10_001), "event_attribute_count"),
            (new().with_link_attribute_count(10_001), "link_attribute_count"),
            (new().with_attribute_value_depth(46), "attribute_value_depth"),
        ] {
            match OtlpConfig::default().with_span_limits(limits).validate() {
                Err(OtlpError::InvalidConfig { setting, .. }) => assert_eq!(setting, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
        let all = new().with_attribute_count(0).with_event_count(10_000).with_link_count(0);
        let all = all.with_event_attribute_count(1).with_link_attribute_count(10_000).with_attribute_value_depth(0);
        OtlpConfig::default().with_span_limits(all.with_attribute_value_length(0)).validate().unwrap();
    }
}
