//! Which histories are requested.

use crate::error::Result;
use crate::model::{Day, HistoryDetail};
use crate::store::{AsOf, Store};

/// The options of `produce` that define a history, with the same meaning.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The day. Every action is from strictly before it.
    pub dt: Day,
    /// The maximum number of actions, the newest; `None` for as many as the store keeps.
    pub max_history: Option<usize>,
    /// Only actions of this many days before `dt`; `None` for no limit.
    pub lookback_days: Option<u32>,
    /// Only batches up to and including this one; `None` for all.
    pub known_as_of: Option<Day>,
}

impl Question {
    /// Returns the range of each history to read. Fails if the store keeps fewer actions than requested.
    pub fn as_of(&self, store: &Store) -> Result<AsOf> {
        Ok(AsOf {
            before: self.dt,
            oldest: self.lookback_days.map(|days| self.dt.minus(days)),
            known: store.batches()?.limit(self.known_as_of),
            max_history: store.settings().history_length(self.max_history)?,
            detail: HistoryDetail::None,
        })
    }
}
