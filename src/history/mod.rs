//! Floor 2, what a history is: its order, how the deltas of a day are merged, how days follow one another, where
//! keyframes stand.
//!
//! Pure functions over values of [`crate::model`]; no I/O, no clock, no randomness. In every list of actions that goes
//! in or comes out, the newest stands first.
//!
//! Invariant: the newest `n` of a union are among the newest `n` of its parts. That is why lists that were cut can be
//! merged and cut again without ever losing an action that counts.

mod columns;
mod keyframes;
mod merge;
mod order;

pub use columns::{History, HistoryView};
pub use keyframes::{ACTIONS_PER_STEP, DayDeltas, KeyframePlan, SinceKeyframe, fold, plan_keyframes};
pub use merge::merge;
pub use order::newest_first;
