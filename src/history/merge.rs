//! Merges the deltas of one day.

use super::order::newest_first;
use crate::model::{Action, Duplicates};

/// Returns the newest `max_history` actions of several lists that may overlap in time, newest first. Where duplicates
/// are dropped, the actions of each list differ, and an action of several lists is there once.
pub(crate) fn merge(parts: &[Vec<Action>], max_history: usize, duplicates: Duplicates) -> Vec<Action> {
    let mut actions = match parts {
        [] => return Vec::new(),
        [only] => only.clone(),
        several => {
            let mut all = several.concat();
            // A stable sort merges sorted runs in linear time.
            all.sort_by(newest_first);
            if duplicates == Duplicates::Drop {
                all.dedup();
            }
            all
        }
    };
    actions.truncate(max_history);
    actions
}

/// Returns how many actions the deltas of one day have, as histories count them.
pub(crate) fn count_of_day(parts: &[Vec<Action>], duplicates: Duplicates) -> usize {
    match (duplicates, parts) {
        (Duplicates::Drop, [_, _, ..]) => merge(parts, usize::MAX, duplicates).len(),
        _ => parts.iter().map(Vec::len).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    #[test]
    fn duplicates_stay_or_go_and_the_oldest_are_cut() {
        let clicks = |times: &[i64]| -> Vec<Action> {
            times
                .iter()
                .map(|time_us| Action { time_us: *time_us, item_id: 1, action_type: ActionType::CLICK })
                .collect()
        };
        let times = |actions: Vec<Action>| actions.iter().map(|action| action.time_us).collect::<Vec<_>>();
        let (keep, drop) = (Duplicates::Keep, Duplicates::Drop);
        assert_eq!(times(merge(&[clicks(&[9, 5, 5]), clicks(&[7, 5])], 4, keep)), [9, 7, 5, 5]);
        assert_eq!(times(merge(&[clicks(&[3, 2, 1])], 2, keep)), [3, 2]);
        assert!(merge(&[], 2, keep).is_empty());
        let days = [clicks(&[9, 5]), clicks(&[7, 5]), clicks(&[9, 4])];
        assert_eq!(times(merge(&days, 3, drop)), [9, 7, 5]);
        assert_eq!((count_of_day(&days, keep), count_of_day(&days, drop)), (6, 4));
        assert_eq!((count_of_day(&days[..1], drop), count_of_day(&[], drop)), (2, 0));
    }
}
