//! Floor 6, permanent removal: of customers to be forgotten, and of days before a horizon.
//!
//! 1. For each customer concerned, the deltas are removed and the keyframes that depend on them are rebuilt; batch
//!    index, customer index, totals and the customer counts of batch records are updated. All of this, with the block
//!    list or the horizon, is one atomic load.
//! 2. The table files are rewritten without the removed data (a purge), and the old files deleted. The load records
//!    that the purge is owed, so after an interruption the next command that writes completes it.
//!
//! 3. In the output folders given, partitions that still have rows of a forgotten customer are listed, or rewritten
//!    without these rows.
//!
//! Invariant: the store then equals, key by key, a store that ingested the same batches after the removal.

mod forget;
mod history;
mod partitions;
mod prune;
mod receipt;
mod remove;
mod removed;
mod rewriting;
mod scrub;

pub(crate) use forget::forget_under;
pub use forget::{ForgetReceipt, RowsOfThem, committed, forget, would_forget};
pub use prune::{PruneOptions, PruneSummary, prune};
pub use receipt::{ForgottenCustomer, ForgottenCustomers};
pub use scrub::ScrubbedPartition;
