//! Floor 7, backfilling a range of days: it decides which days to ingest and which to produce, and in what order. It
//! handles days and their steps only; bytes and files are handled by the floors below.
//!
//! 1. The plan is computed from the store and the folders, and refused as a whole if a day of it would fail.
//! 2. All batches are ingested in the order of days, each in its own commit.
//! 3. The days with impressions are produced, each published by itself. A partition that is already current is kept.
//!
//! With `stale`, only existing partitions that `crate::stale` then finds stale are produced, with their own settings.
//!
//! After an interruption, the next run plans only the remaining work.

mod options;
mod plan;
mod rows;
mod run;
mod stale;

pub use options::BackfillOptions;
pub use plan::{DayPlan, IngestReason, Plan};
pub(crate) use rows::options_of;
pub use run::{BackfillSummary, backfill};
pub(crate) use stale::{KeptSettings, Pruned, known, leave_what_is_not_stale};
