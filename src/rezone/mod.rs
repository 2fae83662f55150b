//! Floor 6, taking newer rules of the store's zone that move days which it holds: every action goes to its day by
//! these rules, in one atomic step. It reads and writes the store; of the machine's rules it is told by
//! [`crate::store::OfferedRules`].
//!
//! The store is then, key for key, the one that the same batches would have made by these rules, but for what it
//! cannot know:
//! 1. which instants the wall times of a batch have now;
//! 2. what was cut from the day of a customer and batch with `max_history` actions, if that day begins or ends
//!    otherwise.
//!
//! Batches with one of these are marked, have to be ingested again, and are as if written by these rules then. Late
//! and early actions of customers who have been forgotten, and of days that have been pruned, stay counted as they
//! were.

mod history;
mod take;

pub use take::{TakenRules, take_rules};
