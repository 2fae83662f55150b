//! What is asked of histories, and where in them the answers begin.

use std::collections::BTreeMap;

use crate::model::{Day, HistoryDetail};

/// Which part of a customer's history is wanted.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// Everything of the days before this one.
    pub before: Day,
    /// Nothing of the days before this one; `None` for no limit.
    pub oldest: Option<Day>,
    /// Only what batches up to and including this one brought; `None` for all.
    pub known: Option<Day>,
    /// The newest so many actions; no more than the store keeps.
    pub max_history: usize,
    /// What is wanted of each action besides item and type.
    pub detail: HistoryDetail,
}

/// Where in a history the actions from before some day begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Begin {
    /// How many actions are newer.
    pub at: usize,
    /// When the newest behind them was, in microseconds since 1970-01-01 UTC; `None` where there is none.
    pub newest_us: Option<i64>,
    /// Whether a batch of that day or later brought any of them; only where [`Cursor::find_late`] asked for it.
    pub has_late: bool,
}

/// The oldest day before its own that a batch touched, by batch; `None` where it touched none.
pub(super) type OldestLate = BTreeMap<Day, Option<Day>>;
