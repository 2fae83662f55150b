//! The rule that decides on which days a customer has keyframes.
//!
//! A keyframe of a day holds the newest `max_history` actions from before that day, so that an as-of read stops there.
//! A keyframe takes as many bytes as that history takes. The rule weighs the two costs, and depends only on the
//! customer's actions: the order and the time of their ingest have no effect.

use super::merge::{count_of_day, merge};
use crate::model::{Action, Day, Duplicates, PastAction};

/// Stepping over a delta counts as much as reading this many actions of a keyframe. Chosen by measurement: see the
/// specification in `format/`.
pub(crate) const ACTIONS_PER_STEP: u64 = 16;

/// Number of actions for which a keyframe's memory is allocated at first: the usual `max_history`.
const ACTIONS_AT_FIRST: usize = 1_000;

/// What a customer's days have brought since the last keyframe (its own day included), or since the first day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SinceKeyframe {
    /// Number of deltas.
    pub deltas: u64,
    /// Number of actions in the deltas, as histories count them: where duplicates are dropped, the different ones.
    pub actions: u64,
}

impl SinceKeyframe {
    /// Returns these counts with the deltas of one more day.
    pub(crate) fn with_day(self, deltas: &[Vec<Action>], duplicates: Duplicates) -> Self {
        let actions = self.actions + count_of_day(deltas, duplicates) as u64;
        SinceKeyframe { deltas: self.deltas + deltas.len() as u64, actions }
    }

    /// Returns these counts with one more delta.
    pub fn with(self, actions: usize) -> Self {
        SinceKeyframe { deltas: self.deltas + 1, actions: self.actions + actions as u64 }
    }

    /// Returns whether the next day with actions has a keyframe: at least `max_history` actions have come, in deltas
    /// that cost at least as much to step over as the keyframe costs to read. So an action is copied into keyframes at
    /// most once on average.
    pub fn is_due(self, max_history: usize) -> bool {
        let max_history = max_history as u64;
        self.actions >= max_history && self.deltas.saturating_mul(ACTIONS_PER_STEP) >= max_history
    }
}

/// The keyframes of a customer's days, from a keyframe on or from the first day on.
#[derive(Clone, Debug, Default)]
pub struct KeyframePlan {
    /// The keyframes that follow, each with its actions, newest first; days ascending.
    pub keyframes: Vec<(Day, Vec<PastAction>)>,
    /// What has come since the last of these keyframes, or since the start of the plan.
    pub since: SinceKeyframe,
}

/// A day with its deltas; each delta is newest first, and none is empty.
pub(crate) type DayDeltas = (Day, Vec<Vec<Action>>);

/// Walks through a customer's days and returns the keyframes after the first day.
///
/// `before` holds the actions from before the first day, newest first: the content of that day's keyframe, or nothing
/// if that day is the customer's first. `days` are ascending.
pub fn plan_keyframes(
    before: Vec<PastAction>,
    days: &[DayDeltas],
    max_history: usize,
    duplicates: Duplicates,
) -> KeyframePlan {
    let mut plan = KeyframePlan::default();
    let (mut base, mut before) = (0, before);
    for (place, (day, deltas)) in days.iter().enumerate() {
        if plan.since.is_due(max_history) {
            let (until, _) = days.split_at(place);
            before = fold(until.split_at(base).1, &before, max_history, duplicates);
            plan.keyframes.push((*day, before.clone()));
            plan.since = SinceKeyframe::default();
            base = place;
        }
        plan.since = plan.since.with_day(deltas, duplicates);
    }
    plan
}

/// Returns the newest `max_history` actions of some ascending days and of the actions before them; newest first.
pub(crate) fn fold(
    days: &[DayDeltas],
    before: &[PastAction],
    max_history: usize,
    duplicates: Duplicates,
) -> Vec<PastAction> {
    let mut past: Vec<PastAction> = Vec::with_capacity(max_history.min(ACTIONS_AT_FIRST));
    for (day, deltas) in days.iter().rev() {
        if past.len() >= max_history {
            break;
        }
        let of_day = merge(deltas, max_history - past.len(), duplicates);
        past.extend(of_day.iter().map(|action| PastAction {
            day: *day,
            item_id: action.item_id,
            action_type: action.action_type.number(),
        }));
    }
    past.extend(before.iter().take(max_history.saturating_sub(past.len())));
    past
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionType;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    fn clicks(items: &[i64]) -> Vec<Action> {
        items
            .iter()
            .map(|item_id| Action { time_us: *item_id, item_id: *item_id, action_type: ActionType::CLICK })
            .collect()
    }

    fn items(past: &[PastAction]) -> Vec<i64> {
        past.iter().map(|action| action.item_id).collect()
    }

    #[test]
    fn the_past_has_newer_days_first_and_ends_with_what_was_before() {
        let days = [(day(1), vec![clicks(&[9, 8])]), (day(2), vec![clicks(&[20]), clicks(&[21, 19])])];
        let before = fold(&[(day(0), vec![clicks(&[3, 2, 1])])], &[], 9, Duplicates::Keep);
        let items = |max_history| items(&fold(&days, &before, max_history, Duplicates::Keep));
        assert_eq!(items(9), [21, 20, 19, 9, 8, 3, 2, 1]);
        assert_eq!(items(6), [21, 20, 19, 9, 8, 3]);
        assert_eq!(items(4), [21, 20, 19, 9]);
        assert_eq!(items(2), [21, 20]);
    }

    #[test]
    fn a_keyframe_follows_so_many_actions_and_so_many_deltas() {
        let days = |count: i32, each: &[i64]| {
            let actions = clicks(each);
            (1..=count).map(move |number| (day(number), vec![actions.clone()])).collect::<Vec<_>>()
        };
        let stand = |plan: &KeyframePlan| plan.keyframes.iter().map(|(day, _)| day.number()).collect::<Vec<_>>();
        // One action a day and histories of 3: a keyframe after every third day.
        let plan = plan_keyframes(Vec::new(), &days(8, &[5]), 3, Duplicates::Keep);
        assert_eq!(stand(&plan), [4, 7]);
        assert_eq!(items(&plan.keyframes[0].1), [5, 5, 5]);
        assert_eq!(plan.since, SinceKeyframe { deltas: 2, actions: 2 });
        // Eight a day and histories of 64: 64 actions are reached after 8 days; 4 deltas would suffice.
        let plan = |days: &[DayDeltas]| plan_keyframes(Vec::new(), days, 64, Duplicates::Keep);
        assert_eq!(stand(&plan(&days(17, &[8, 7, 6, 5, 4, 3, 2, 1]))), [9, 17]);
        // Forty a day and histories of 64: 64 actions are reached after 2 days, but the rule requires 4 deltas.
        assert_eq!(stand(&plan(&days(9, &[1; 40]))), [5, 9]);
    }

    #[test]
    fn a_course_goes_on_from_a_keyframe_as_it_would_have_without_it() {
        let all: Vec<_> = (1..=200).map(|number| (day(number), vec![clicks(&[i64::from(number)])])).collect();
        let whole = plan_keyframes(Vec::new(), &all, 5, Duplicates::Keep);
        let (first, held) = whole.keyframes[0].clone();
        let later: Vec<_> = all.into_iter().filter(|(day, _)| *day >= first).collect();
        let rest = plan_keyframes(held, &later, 5, Duplicates::Keep);
        assert_eq!(rest.keyframes, whole.keyframes[1..]);
        assert_eq!(rest.since, whole.since);
    }
}
