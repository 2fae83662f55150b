//! Floor 6, finding partitions that would change if they were produced again: each manifest records the batches its
//! rows rest on, and the store records the batches it holds. Reads manifests and the store; changes nothing.
//!
//! Of the batches that count (all, or those known by a day), a partition of `dt` is stale if
//! 1. a batch that it rests on is no longer held, or is held with other files;
//! 2. a batch that it does not rest on is held, and by the store's index touched a day before `dt` (and not before `dt`
//!    less the lookback days);
//! 3. the zone's rules up to `dt` differ from those that its rows were made by.
//!
//! This never misses a change, but may list too much: such a batch may have touched only customers without an
//! impression, or actions too old for the history. Impressions are not checked, unlike in `backfill`.

mod judge;
mod list;

pub(crate) use judge::{Content, Judge, days_touched};
pub use judge::{Known, Reasons};
pub(crate) use list::list_judged;
pub use list::{ListedPartition, StaleSummary, list_stale};
