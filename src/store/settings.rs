//! Settings that are fixed for the life of a store.

use crate::error::{Error, Result};
use crate::format::ACTIONS_MAX;
use crate::message::message;
use crate::model::{Duplicates, Ids, TypeTable, Zone};

/// The most actions in a history, unless the store was created with another number. Source: SPEC, "Meaning".
pub const MAX_HISTORY_DEFAULT: usize = 1_000;

/// The largest `max_history` that a store can be created with.
pub const MAX_HISTORY_LIMIT: usize = ACTIONS_MAX;

/// Settings that are fixed for the life of a store, except that the table of types grows, that the first batch decides
/// what ids are, and that the zone's rules may be replaced by newer ones.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The most actions in a history.
    pub max_history: usize,
    /// The zone in which days begin, with the rules that the store records.
    pub zone: Zone,
    /// Names of the action types.
    pub types: TypeTable,
    /// What ids are in the input.
    pub ids: Ids,
    /// What becomes of equal actions.
    pub duplicates: Duplicates,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_history: MAX_HISTORY_DEFAULT,
            zone: Zone::utc(),
            types: TypeTable::default(),
            ids: Ids::default(),
            duplicates: Duplicates::default(),
        }
    }
}

impl Settings {
    /// Returns the length of histories for this `--max-history`, or without one. Fails if it is 0, or if the store
    /// keeps fewer actions.
    pub fn history_length(&self, asked: Option<usize>) -> Result<usize> {
        let length = asked.unwrap_or(self.max_history);
        if length == 0 {
            return Err(Error::usage(message![MaxHistory, " is 0"], "give at least 1"));
        }
        if length > self.max_history {
            return Err(Error::usage(
                message![MaxHistory, (" {length} is more than the store keeps ({})", self.max_history)],
                message![
                    "use a smaller number, or build a store with a larger ",
                    MaxHistory,
                    " with ",
                    [Init],
                    " and ",
                    [Backfill]
                ],
            ));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_has_a_length_that_the_store_keeps() {
        let settings = Settings { max_history: 3, ..Settings::default() };
        assert_eq!((settings.history_length(None).unwrap(), settings.history_length(Some(1)).unwrap()), (3, 1));
        for wrong in [0, 4] {
            assert_eq!(settings.history_length(Some(wrong)).unwrap_err().kind(), crate::error::Kind::Usage, "{wrong}");
        }
    }
}
