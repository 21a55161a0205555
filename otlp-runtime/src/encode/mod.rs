//! Records to OTLP protobuf bytes, in one pass, with no structs between.

mod attribute;
mod batch;
#[cfg(test)]
mod batch_tests;
mod limits;
mod payload;
mod plain;
mod read;
mod scope_spans;
mod span;
mod split;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod timing_tests;
mod wire;

pub(crate) use batch::OpenBatch;
#[cfg(test)]
use batch::TooLarge;
pub(crate) use limits::SpanLimits;
pub use payload::Payload;
pub(crate) use read::{Field, Fields, Malformed, take_field};
pub(crate) use split::split;
