//! Putting lists of actions together.

use super::order::newest_first;
use crate::model::Action;

/// The newest `max_history` actions of several lists that may overlap in time, newest first.
pub fn merge(parts: &[Vec<Action>], max_history: usize) -> Vec<Action> {
    let mut actions = match parts {
        [] => return Vec::new(),
        [only] => only.clone(),
        several => {
            let mut all = several.concat();
            // A stable sort merges runs that are sorted already in linear time.
            all.sort_by(newest_first);
            all
        }
    };
    actions.truncate(max_history);
    actions
}

/// The snapshot at the end of a day: the day's actions, then the earlier snapshot, cut to `max_history`.
///
/// Both are newest first, and every action of `earlier` lies on a day before, so that nothing needs sorting.
pub fn fold(earlier: &[Action], day: &[Action], max_history: usize) -> Vec<Action> {
    day.iter().chain(earlier).take(max_history).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    fn clicks(times: &[i64]) -> Vec<Action> {
        times.iter().map(|time_us| Action { time_us: *time_us, item_id: 1, action_type: ActionType::CLICK }).collect()
    }

    fn times(actions: &[Action]) -> Vec<i64> {
        actions.iter().map(|action| action.time_us).collect()
    }

    #[test]
    fn merge_keeps_duplicates_and_cuts_the_oldest() {
        assert_eq!(times(&merge(&[clicks(&[9, 5, 5]), clicks(&[7, 5])], 4)), [9, 7, 5, 5]);
        assert_eq!(times(&merge(&[clicks(&[3, 2, 1])], 2)), [3, 2]);
        assert!(merge(&[], 2).is_empty());
    }

    #[test]
    fn fold_puts_the_day_before_the_rest() {
        assert_eq!(times(&fold(&clicks(&[4, 3]), &clicks(&[9, 8]), 3)), [9, 8, 4]);
        assert_eq!(times(&fold(&[], &clicks(&[9]), 3)), [9]);
    }
}
