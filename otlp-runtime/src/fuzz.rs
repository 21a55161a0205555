//! What the targets of `fuzz/` call: everything that reads what comes from outside.

pub use crate::config::properties::{environment, filter, resource_attributes};
pub use crate::transport::properties::{answer, endpoint, retry_after};
