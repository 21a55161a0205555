//! What the collector remembers of a request.

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP with protobuf bodies.
    HttpProtobuf,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// There is no answer yet: the reply is delayed, or a black hole.
    Waiting,
    /// All of its spans were taken.
    Accepted,
    /// Its spans were taken, but for so many.
    Partial {
        /// How many spans were refused.
        rejected: u64,
    },
    /// Answered, and none of its spans taken: by the script, or because it was no valid export request.
    Refused,
    /// The connection was closed without an answer, as the script said, and none of its spans taken.
    Disconnected,
    /// The client went away before there was an answer.
    Abandoned,
}

/// A request that reached the collector.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// How it came.
    pub protocol: Protocol,
    /// The path of its URL.
    pub path: String,
    /// Its headers in the order of arrival, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// Bytes of the encoded export request, without any framing.
    pub bytes: usize,
    /// How many spans it holds; 0 if it is no valid export request.
    pub spans: u64,
    /// Number of the connection, from 0 in order of arrival: equal numbers mean one connection.
    pub connection: u64,
    /// What became of it.
    pub outcome: Outcome,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
