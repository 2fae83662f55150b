//! Floor 6, checking a store's integrity: every key and every value, each against the others. A sibling of ingest and
//! produce.
//!
//! `verify` reads and reports, `repair` writes derived data; both are one pass over all keys. Each thread checks the
//! next range of keys (`range.rs`), and the findings are combined in the order of the ranges (`pass.rs`). So the report
//! is the same with any number of threads:
//!
//! 1. Each key decodes, has the bytes that lookback writes for it, and is greater than the key before.
//! 2. Each delta decodes to the last action and has the bytes that lookback writes for it: newest first, at most
//!    `max_history`, all on its day.
//! 3. After the last key of a customer, the keyframe rule gives the days of its keyframes, and the days and numbers of
//!    actions in each are compared; with `deep`, every byte of them. The customer's line in the customer index follows
//!    too; the customer index is read alongside and compared leaf by leaf.
//! 4. The expected index of each batch is cut into leaves as the deltas are read, and summed regardless of order; so is
//!    the stored index. Where the sums differ, a second pass compares leaf by leaf.
//! 5. The records of the batches come last; their numbers of actions and customers are compared with the deltas.
//!
//! Data that cannot be read or decoded leaves some of the rest unknown: then no further faults of the same customer,
//! leaf or batch are reported.
//!
//! A new kind of key does not compile until `range.rs` defines its check.
//!
//! Memory: for each thread the deltas of one customer, and the findings of two ranges, 4 MiB each at most and usually
//! about 200 kB; for each batch one leaf of its index, about 10 kB; and 64 MiB in the second pass.

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
