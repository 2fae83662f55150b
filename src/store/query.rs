//! Queries for histories, and the positions at which the answers begin.

use std::collections::BTreeMap;

use crate::model::{Day, HistoryDetail};

/// The part of a customer's history to read.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// Only days before this day.
    pub before: Day,
    /// Only days from this day on; `None` for no limit.
    pub oldest: Option<Day>,
    /// Only actions of batches up to and including this batch; `None` for all.
    pub known: Option<Day>,
    /// The most actions to return, the newest first; at most as many as the store keeps.
    pub max_history: usize,
    /// What to read of each action besides item and type.
    pub detail: HistoryDetail,
}

/// The position in a history at which the actions from before some day begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Begin {
    /// Number of newer actions.
    pub at: usize,
    /// Time of the newest action from there on, in microseconds since 1970-01-01 UTC; `None` if there is none.
    pub newest_us: Option<i64>,
    /// Whether a batch of that day or later brought any of these actions; set only after [`super::Cursor::find_late`].
    pub has_late: bool,
}

/// For each batch, the oldest day before the batch's own day that it touched; `None` if it touched no earlier day.
pub(super) type OldestLate = BTreeMap<Day, Option<Day>>;
