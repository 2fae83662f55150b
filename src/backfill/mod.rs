//! Floor 7, a range of days: which are to be ingested and which produced, and in what order. It sees days and what is
//! to be done with them; bytes and files are the business of the floors below.
//!
//! 1. The plan is made from the store and the folders, and refused as a whole if it cannot be carried out.
//! 2. All batches are ingested, in the order of days, each committed by itself.
//! 3. Then the days with impressions are produced, each published by itself. A partition that is current already is
//!    left.
//!
//! With `stale`, of the partitions that are there only those are produced that `crate::stale` calls stale then, with
//! the settings that they have.
//!
//! Stopped anywhere and run again, the plan made anew holds what is left to do.

mod plan;
mod rows;
mod run;
mod stale;

pub use plan::{BackfillOptions, DayPlan, IngestReason, Plan};
pub use run::{BackfillSummary, backfill};
