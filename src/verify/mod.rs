//! Floor 6, whether a store holds what it should: every key and every value, each against the others. A sibling of
//! ingest and produce.
//!
//! `verify` reads and reports, `repair` writes what follows from the deltas; both are one pass over all keys. Each
//! thread checks the next range of keys (`range.rs`), and the findings are put together in the order of the ranges
//! (`pass.rs`). So the report is the same with any number of threads:
//!
//! 1. Each key decodes, has the bytes that are written for it, and comes behind the one before.
//! 2. Each delta decodes to the last action and has the bytes that are written for it: newest first, at most
//!    `max_history`, all on its day.
//! 3. When the last key of a customer has been seen, the rule says where keyframes stand, and the days and numbers of
//!    actions in each are compared; or with `deep`, every byte of them. What the customer's line in the customer index
//!    should be follows too; the customer index is read alongside and compared leaf by leaf.
//! 4. Of each batch the index is cut into leaves anew while the deltas come, and added up without order; so is the
//!    index that the store holds. Where the sums differ, a second pass compares leaf by leaf.
//! 5. The records of the batches come last, and what they say of their actions and customers is compared with what the
//!    deltas have.
//!
//! What cannot be read or decoded makes some of the rest unknowable: then no more is said of the same customer, leaf or
//! batch.
//!
//! A new kind of key does not compile until `range.rs` says what is asked of it.
//!
//! Memory: for each thread the deltas of one customer, and the findings of two ranges, 4 MiB each at most and some
//! 200 kB as a rule; for each batch one leaf of its index, some 10 kB; and 64 MiB in the second pass.

mod counters;
mod customer;
mod delta;
mod fault;
mod index;
mod list;
mod pass;
mod range;
mod record;
mod repair;
mod run;

pub use fault::{Fault, Remedy};
pub use range::Checked;
pub use repair::{KeyCounts, RepairSummary, repair};
pub use run::{ShownFault, VerifySummary, verify};
