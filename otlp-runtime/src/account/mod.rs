//! Accounting: every record has exactly one fate, and every fate is counted (law 2).

mod ledger;
mod reason;
mod report;

pub use ledger::{Counts, Ledger};
pub use reason::DropReason;
pub use report::Report;
pub(crate) use report::{Severity, Voice};
