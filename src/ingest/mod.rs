//! Floor 6, taking a batch: from the files of one day to the changed deltas, keyframes, batch index, customer index and
//! record, committed in one step.
//!
//! 1. The files are fingerprinted, then read; bad rows are gathered; what the store does not admit, of forgotten
//!    customers or from before its horizon, is left out and counted; actions are spread over buckets by customer,
//!    spilling beyond a budget.
//! 2. Ranges of customers are dealt out to the threads as work units: a bucket, what the index says that an earlier
//!    batch of the same day had brought, and the customer index. Each is sorted by customer, newest first, and joined
//!    by the thread that has it.
//! 3. For each customer on either side, the deltas of the batch are set or removed. The customer index tells whether
//!    keyframes can be due or have to change; only then the customer's history is read and followed anew.
//! 4. Everything goes into the store in the order of the work units, in one atomic load.

mod admission;
mod change;
mod dated_action;
mod edits;
mod far;
mod load;
mod options;
mod outlines;
mod read;
mod recorded;
mod refold;
mod remove;
mod run;
mod state;
mod summary;
mod types;
mod work_units;

pub use options::IngestOptions;
pub use outlines::{Outlines, Unlike};
pub use recorded::SourceFile;
pub use remove::{RemoveSummary, would_remove};
pub use run::{BatchReader, Ingester, ReadBatch, batch_files, source_names};
pub use state::{BatchState, batch_state};
pub use summary::IngestSummary;
pub use types::check_types;
