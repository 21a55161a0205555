//! [`Payload`]: what leaves the encoder, and the one currency of everything after it.

use bytes::Bytes;

use crate::data::Signal;

/// One request: an `Export*ServiceRequest` in protobuf, ready to send.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Which service it is for.
    pub signal: Signal,
    /// The encoded request.
    pub body: Bytes,
    /// Whether it has been compressed with gzip.
    pub gzip: bool,
    /// How many spans, data points or log records it holds.
    pub items: u64,
}
