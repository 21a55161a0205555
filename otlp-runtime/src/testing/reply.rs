//! How the collector answers a request.

use std::time::Duration;

/// The answer to one export request.
///
/// Every reply works for both protocols. Only [`Accept`](Self::Accept), [`PartialSuccess`](Self::PartialSuccess),
/// [`Garbage`](Self::Garbage) and [`Reset`](Self::Reset) make spans count as received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Takes everything.
    Accept,
    /// Takes the first spans and refuses the last `rejected` ones. With 0 and a message it is a warning.
    PartialSuccess {
        /// How many spans are refused; never more than the request holds.
        rejected: u64,
        /// The collector's `error_message`.
        message: String,
    },
    /// A plain HTTP answer that takes nothing, whatever the code. To a gRPC request it has no `grpc-status`, as if a
    /// proxy had given it.
    HttpStatus {
        /// The status code; what is no final status code (200 to 999) becomes 500.
        code: u16,
        /// The `Retry-After` header as it stands: seconds, an HTTP date, or nonsense.
        retry_after: Option<String>,
        /// The body.
        body: Vec<u8>,
    },
    /// A gRPC status. To an HTTP request it is the HTTP status that belongs to it, with a `google.rpc.Status` as body
    /// and the retry delay, rounded up to seconds, as `Retry-After`.
    Grpc {
        /// The code, 0 to 16; anything else becomes 2, UNKNOWN.
        code: i32,
        /// The message.
        message: String,
        /// The delay of a `google.rpc.RetryInfo` in the status's details.
        retry_info: Option<Duration>,
    },
    /// Waits, then answers as the inner reply says. A client that has gone by then gets nothing and leaves nothing.
    Delay(Duration, Box<Reply>),
    /// Closes the connection without an answer, and takes nothing.
    Disconnect,
    /// Takes everything and begins to say so, with a success status; in the middle of its answer the connection is
    /// reset. Over gRPC, where the status comes last, a client that sends again makes duplicates.
    Reset,
    /// Reads the request and never answers.
    BlackHole,
    /// Takes everything, and says so with a success status and the right content type, but with a body that is no
    /// protobuf message.
    Garbage,
}

impl Reply {
    /// A plain HTTP status with neither `Retry-After` nor body.
    pub fn status(code: u16) -> Self {
        Self::HttpStatus { code, retry_after: None, body: Vec::new() }
    }

    /// A gRPC status without `RetryInfo`.
    pub fn grpc(code: i32, message: impl Into<String>) -> Self {
        Self::Grpc { code, message: message.into(), retry_info: None }
    }

    /// Takes all but the last `rejected` spans.
    pub fn partial(rejected: u64, message: impl Into<String>) -> Self {
        Self::PartialSuccess { rejected, message: message.into() }
    }

    /// This reply, after `delay`.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::Delay(delay, Box::new(self))
    }
}
