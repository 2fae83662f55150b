//! Which histories are requested.

use crate::error::Result;
use crate::model::{Day, HistoryDetail};
use crate::options::options;
use crate::store::{AsOf, Batches, Store};

options! {
    /// Which histories are asked for: those as of a day, from strictly before which every action is. Options of the
    /// same name have the same meaning for [`crate::produce::produce`].
    #[derive(Copy)]
    Question(dt: Day) {
        /// The maximum number of actions, the newest. Default: as many as the store keeps.
        max_history: Option<usize> = None,
        /// Only actions of this many days before `dt`. Default: no limit.
        lookback_days: Option<u32> = None,
        /// Only batches up to and including this one. Default: all.
        known_as_of: Option<Day> = None,
        /// Whether [`super::get`] answers although batches are missing, as [`super::explain`] always does. Default: no.
        allow_gaps: bool = false,
        /// Whether [`super::get`] answers although histories lack pruned actions. Default: no.
        allow_pruned: bool = false,
    }
}

impl Question {
    /// Returns the range of each history to read; `batches` are those of the store. Fails if the store keeps fewer
    /// actions than requested.
    pub(super) fn as_of(&self, store: &Store, batches: &Batches) -> Result<AsOf> {
        Ok(AsOf {
            before: self.dt,
            oldest: self.lookback_days.map(|days| self.dt.minus(days)),
            known: batches.limit(self.known_as_of),
            max_history: store.settings().history_length(self.max_history)?,
            detail: HistoryDetail::None,
        })
    }
}
