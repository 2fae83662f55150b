//! What is fixed for the life of a store.

use crate::error::{Error, Result};
use crate::format::ACTIONS_MAX;
use crate::message::message;
use crate::model::{TypeTable, Zone};

/// How many actions a history has at most, unless the store was created with another number. Source: SPEC, "Meaning".
pub const MAX_HISTORY_DEFAULT: usize = 1_000;

/// The largest `max_history` that a store can be created with.
pub const MAX_HISTORY_LIMIT: usize = ACTIONS_MAX;

/// What is fixed for the life of a store; but the table of types grows, and the rules of the zone may become newer
/// ones.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many actions a history has at most.
    pub max_history: usize,
    /// The zone in which days begin, with the rules that the store records.
    pub zone: Zone,
    /// What the action types are called.
    pub types: TypeTable,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { max_history: MAX_HISTORY_DEFAULT, zone: Zone::utc(), types: TypeTable::default() }
    }
}

impl Settings {
    /// How long histories are that are asked for with this `--max-history`, or without one. Refused where the store
    /// keeps fewer.
    pub fn history_length(&self, asked: Option<usize>) -> Result<usize> {
        let length = asked.unwrap_or(self.max_history);
        if length > self.max_history {
            return Err(Error::usage(
                message![MaxHistory, (" {length} is more than the store keeps ({})", self.max_history)],
                message![
                    "ask for fewer, or build a store with a larger ",
                    MaxHistory,
                    " by ",
                    [Init],
                    " and ",
                    [Backfill]
                ],
            ));
        }
        Ok(length)
    }
}
