//! What a span says about itself besides its attributes.

/// The role of a span in its trace (OpenTelemetry trace API, SpanKind).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum SpanKind {
    /// Work inside the application.
    #[default]
    Internal = 1,
    /// Handles a remote request.
    Server = 2,
    /// Makes a remote request and waits.
    Client = 3,
    /// Hands work to a queue.
    Producer = 4,
    /// Takes work from a queue.
    Consumer = 5,
}

/// The outcome of a span; `Ok` is final, and `Error` beats `Unset` (spec-checklist TRC8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum StatusCode {
    /// Nothing was said.
    #[default]
    Unset = 0,
    /// It failed.
    Error = 2,
    /// The application says that it went well.
    Ok = 1,
}
