//! Floor 6, which partitions would change if they were produced again: each manifest says what batches its rows rest
//! on, and the store says what it holds. Reads manifests and the store; changes nothing.
//!
//! Of the batches that are to count (all, or those known by a day), a partition of `dt` is stale where
//! 1. one that it rests on is no longer held, or is held with other files;
//! 2. one that it does not rest on is held, and the store's index says that it touched a day before `dt` (and not
//!    before `dt` less the lookback days).
//! 3. the rules of the zone up to `dt` are others than those that its rows were made by.
//!
//! That is no less than what would change: such a batch may have touched other customers than were shown something, or
//! lie behind what a history keeps. Impressions are not looked at; whether theirs have changed is found by `backfill`.

mod judge;
mod list;

pub use judge::{Judge, Known, Reasons};
pub use list::{ListedPartition, StaleSummary, list_stale};
