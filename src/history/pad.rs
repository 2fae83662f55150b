//! Histories as the output has them: two arrays of one fixed length.

use crate::model::{Action, PADDING_ITEM_ID};

/// A history as two arrays of `max_history` entries each, newest first, zeros behind. 12 bytes an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Padded {
    /// Item ids; [`PADDING_ITEM_ID`] where there is no action.
    pub item_ids: Vec<i64>,
    /// Numbers of the action types; 0 where there is no action.
    pub action_types: Vec<i32>,
}

impl Padded {
    /// Pads (or cuts) `history`, which is newest first, to `max_history` entries.
    pub fn new(history: &[Action], max_history: usize) -> Self {
        let newest = || history.iter().take(max_history);
        let mut item_ids: Vec<i64> = newest().map(|action| action.item_id).collect();
        let mut action_types: Vec<i32> = newest().map(|action| i32::from(action.action_type.number())).collect();
        item_ids.resize(max_history, PADDING_ITEM_ID);
        action_types.resize(max_history, 0);
        Padded { item_ids, action_types }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    #[test]
    fn zeros_stand_behind_and_length_is_fixed() {
        let history = [
            Action { time_us: 2, item_id: 7, action_type: ActionType::ORDER },
            Action { time_us: 1, item_id: 8, action_type: ActionType::CLICK },
        ];
        let padded = Padded::new(&history, 4);
        assert_eq!((padded.item_ids, padded.action_types), (vec![7, 8, 0, 0], vec![3, 1, 0, 0]));
        assert_eq!(Padded::new(&history, 1).item_ids, [7]);
        assert_eq!(Padded::new(&[], 2).action_types, [0, 0]);
    }
}
