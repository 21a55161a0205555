//! Why a record did not reach the receiver.

/// Why a record was dropped. Rejections by the receiver are counted apart, as `rejected`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
pub enum DropReason {
    /// The log segments' byte budget was used up: records are made faster than the collector drains them.
    BufferFull = 0,
    /// Too many spans were open at once: no slot was left for a new one.
    LiveSpans = 1,
    /// The export queue was full: the endpoint is slower than the program, or down.
    QueueFull = 2,
    /// Every retry failed, and nothing was left of the retry budget.
    RetryExhausted = 3,
    /// It was sent and may have arrived, but no answer came before the last deadline.
    UnknownOutcome = 4,
    /// It was still waiting when the pipeline shut down, or was recorded after that.
    Shutdown = 5,
    /// One record was larger than a request may be.
    TooLarge = 6,
    /// The record made the collector panic, and was skipped.
    Poison = 7,
    /// A setting of the environment that secures requests cannot be used, so that nothing is sent.
    Unsendable = 8,
}

impl DropReason {
    /// How many reasons there are.
    pub const COUNT: usize = 9;
    /// All reasons, in the order of their discriminants.
    pub const ALL: [Self; Self::COUNT] = [
        Self::BufferFull,
        Self::LiveSpans,
        Self::QueueFull,
        Self::RetryExhausted,
        Self::UnknownOutcome,
        Self::Shutdown,
        Self::TooLarge,
        Self::Poison,
        Self::Unsendable,
    ];

    /// The name in status lines and self-metrics: `queue_full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BufferFull => "buffer_full",
            Self::LiveSpans => "live_spans",
            Self::QueueFull => "queue_full",
            Self::RetryExhausted => "retry_exhausted",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Shutdown => "shutdown",
            Self::TooLarge => "too_large",
            Self::Poison => "poison",
            Self::Unsendable => "unsendable",
        }
    }

    /// What a reader of the stderr line can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::BufferFull => "record less, or raise `with_memory_limit`",
            Self::LiveSpans => "end spans earlier, or raise `with_memory_limit`",
            Self::QueueFull | Self::RetryExhausted => "check that the endpoint answers and keeps up",
            Self::UnknownOutcome => "check that the endpoint answers within the time-out",
            Self::Shutdown => "allow `shutdown` more time, and end spans before it",
            Self::TooLarge => "record smaller attributes",
            Self::Poison => "report it to the authors of otlp",
            Self::Unsendable => "put the certificate or key right that the environment names",
        }
    }
}

impl std::fmt::Display for DropReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
