//! Floor 6, adopting newer rules of the store's zone that move days which the store holds: in one atomic step, every
//! action goes to its day by the new rules. It reads and writes the store; [`crate::store::OfferedRules`] gives it the
//! machine's rules.
//!
//! The store then equals, key for key, a store that ingested the same batches by these rules, except for what it cannot
//! know:
//! 1. the new instants of a batch's wall times;
//! 2. actions cut from the day of a customer and batch with `max_history` actions, if that day begins or ends
//!    otherwise.
//!
//! Batches with such a gap are marked and must be ingested again; then they too are as if written by these rules. The
//! counts of late and early actions of forgotten customers, and of pruned days, stay unchanged.

mod history;
mod take;

pub use take::{TakenRules, take_rules};
