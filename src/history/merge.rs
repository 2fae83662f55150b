//! Merges the deltas of one day.

use super::order::newest_first;
use crate::model::Action;

/// Returns the newest `max_history` actions of several lists that may overlap in time, newest first.
pub(crate) fn merge(parts: &[Vec<Action>], max_history: usize) -> Vec<Action> {
    let mut actions = match parts {
        [] => return Vec::new(),
        [only] => only.clone(),
        several => {
            let mut all = several.concat();
            // A stable sort merges sorted runs in linear time.
            all.sort_by(newest_first);
            all
        }
    };
    actions.truncate(max_history);
    actions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    #[test]
    fn duplicates_stay_and_the_oldest_are_cut() {
        let clicks = |times: &[i64]| -> Vec<Action> {
            times
                .iter()
                .map(|time_us| Action { time_us: *time_us, item_id: 1, action_type: ActionType::CLICK })
                .collect()
        };
        let times = |actions: Vec<Action>| actions.iter().map(|action| action.time_us).collect::<Vec<_>>();
        assert_eq!(times(merge(&[clicks(&[9, 5, 5]), clicks(&[7, 5])], 4)), [9, 7, 5, 5]);
        assert_eq!(times(merge(&[clicks(&[3, 2, 1])], 2)), [3, 2]);
        assert!(merge(&[], 2).is_empty());
    }
}
