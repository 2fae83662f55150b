//! Floor 2, the rules of a history: its order, how the deltas of a day are merged, how days follow one another, and
//! which days have keyframes.
//!
//! Pure functions over values of [`crate::model`]; no I/O, no clock, no randomness. Every list of actions, as argument
//! or result, is newest first.
//!
//! Invariant: the newest `n` of a union are among the newest `n` of its parts. So truncated lists can be merged and
//! truncated again without losing any action that counts.

mod columns;
mod keyframes;
mod merge;
mod order;
mod packed;

pub use columns::History;
pub(crate) use columns::HistoryView;
pub(crate) use keyframes::DayDeltas;
pub use keyframes::{SinceKeyframe, plan_keyframes};
pub(crate) use merge::count_of_day;
pub use order::newest_first;
pub(crate) use packed::{PackedHistory, PackedItems, pack};
