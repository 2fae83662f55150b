//! Floor 6, ingesting a batch: from the files of one day to the changed deltas, keyframes, batch index, customer index
//! and record, committed in one step.
//!
//! 1. The files are fingerprinted, then read. Bad rows are gathered. Actions of forgotten customers or from before the
//!    horizon are left out and counted; the others are sorted into buckets by customer, and spill beyond a budget.
//! 2. Ranges of customers are given to the threads as work units: a bucket, the days that the earlier version of the
//!    batch touched, and the customer index. The thread sorts its bucket by customer, newest first, and joins the
//!    three.
//! 3. For each customer in the new or the earlier version, the deltas of the batch are written or removed. Only if the
//!    customer index shows that keyframes may be due or change, the customer's history is read and folded again.
//! 4. All edits are written in the order of the work units, in one atomic load.

mod admission;
mod change;
mod dated_action;
mod edits;
mod far;
mod load;
mod options;
mod outlines;
mod part;
mod read;
mod recorded;
mod refold;
mod remove;
mod run;
mod split;
mod state;
mod summary;
mod taken;
mod types;
mod work_units;

pub use options::IngestOptions;
pub(crate) use outlines::Outlines;
pub use outlines::Unlike;
pub(crate) use part::{OfWhole, refuse_others};
pub use remove::{RemoveSummary, would_remove};
pub(crate) use run::source_names;
pub use run::{BatchReader, Ingester, ReadBatch};
pub use split::SplitBatch;
pub(crate) use state::{BatchState, batch_state};
pub use summary::IngestSummary;
pub(crate) use types::check_types;
