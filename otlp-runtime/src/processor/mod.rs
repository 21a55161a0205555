//! What stands between records and the encoder: the view of a record, and changes laid over it.

mod patch;
mod source;

pub use patch::{Patch, Patched};
pub use source::RecordSource;
