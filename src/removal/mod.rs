//! Floor 6, taking things out for good: customers who are to be forgotten, and days before a horizon.
//!
//! 1. Of each customer concerned, the deltas that go are removed and the keyframes that stand on them follow anew;
//!    batch index, customer index, totals and the batch records' customers are brought into step. All of it, with the
//!    block list or the horizon, is one atomic load.
//! 2. The table files are written anew without what was removed (a purge), and the old ones deleted. The load says in
//!    the store that this is owed; so where it is interrupted, the next command that writes makes up for it.
//!
//! 3. Partitions produced before are searched where they are named; those that still have rows of a forgotten customer
//!    are listed, or rewritten without them.
//!
//! Invariant: afterwards the store is, key by key, one into which the same batches had been ingested after the removal.

mod forget;
mod history;
mod partitions;
mod prune;
mod receipt;
mod remove;
mod removed;
mod rewriting;
mod scrub;

pub use forget::{ForgetReceipt, RowsOfThem, committed, forget, would_forget};
pub use prune::{PruneOptions, PruneSummary, prune};
pub use receipt::{ForgottenCustomer, ForgottenCustomers};
pub use remove::finish_purge;
pub use scrub::ScrubbedPartition;
