//! Where keyframes stand.
//!
//! A keyframe of a day holds the newest `max_history` actions from before it, so that an as-of read need not walk further back. It costs the bytes
//! of that history once more. The rule weighs the two, and follows from the customer's actions alone; so it does not matter in which order they were
//! ingested, or when.

use super::merge::merge;
use crate::model::{Action, Day, PastAction};

/// Stepping over a portion is taken to cost as much as reading this many actions of a keyframe. Chosen by measurement: see the specification in
/// `format/`.
pub const ACTIONS_PER_STEP: u64 = 16;

/// What a customer's days have brought since the last keyframe, its own day included, or since the beginning.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Since {
    /// Portions.
    pub portions: u64,
    /// Actions in them.
    pub actions: u64,
}

impl Since {
    /// With one more portion.
    pub fn with(self, actions: usize) -> Self {
        Since { portions: self.portions + 1, actions: self.actions + actions as u64 }
    }

    /// Whether the next day with actions has a keyframe: when at least `max_history` actions have come, in portions that cost at least as much to
    /// step over as the keyframe costs to read. So an action comes into keyframes once on average at most.
    pub fn is_due(self, max_history: usize) -> bool {
        let max_history = max_history as u64;
        self.actions >= max_history && self.portions.saturating_mul(ACTIONS_PER_STEP) >= max_history
    }
}

/// A customer's days from a keyframe on, or from the first day on.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Keyframes that follow, with what each holds, newest first; days ascending.
    pub keyframes: Vec<(Day, Vec<PastAction>)>,
    /// Since the last of them, or since where the course began.
    pub since: Since,
}

/// Follows a customer's days and finds the keyframes behind the first of them.
///
/// `before` is what lies before the first day, newest first: what the keyframe of that day holds, or nothing if it is the customer's first. `days`
/// are ascending, each with the portions of that day, which are newest first and not empty.
pub fn follow(
    before: Vec<PastAction>,
    days: impl IntoIterator<Item = (Day, Vec<Vec<Action>>)>,
    max_history: usize,
) -> Course {
    let (mut course, mut past) = (Course::default(), before);
    for (day, portions) in days {
        if course.since.is_due(max_history) {
            course.keyframes.push((day, past.clone()));
            course.since = Since::default();
        }
        for portion in &portions {
            course.since = course.since.with(portion.len());
        }
        past = fold(&past, day, &merge(&portions, max_history), max_history);
    }
    course
}

/// The newest `max_history` actions up to the end of a day: the day's, then the earlier ones.
///
/// Both are newest first, and every action of `earlier` lies on a day before, so that nothing needs sorting.
pub fn fold(earlier: &[PastAction], day: Day, actions: &[Action], max_history: usize) -> Vec<PastAction> {
    let of_day = actions.iter().map(|action| PastAction {
        day,
        item_id: action.item_id,
        action_type: action.action_type.number(),
    });
    of_day.chain(earlier.iter().copied()).take(max_history).collect()
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
    fn fold_puts_the_day_before_the_rest() {
        let one = fold(&[], day(1), &clicks(&[9, 8]), 3);
        assert_eq!(items(&fold(&one, day(2), &clicks(&[20, 19]), 3)), [20, 19, 9]);
        assert_eq!(items(&fold(&one, day(2), &[], 3)), [9, 8]);
    }

    #[test]
    fn a_keyframe_follows_so_many_actions_and_so_many_portions() {
        let days = |count: i32, each: &[i64]| {
            let actions = clicks(each);
            (1..=count).map(move |number| (day(number), vec![actions.clone()]))
        };
        let stand = |course: &Course| course.keyframes.iter().map(|(day, _)| day.number()).collect::<Vec<_>>();
        // One action a day and histories of 3: after every third day.
        let course = follow(Vec::new(), days(8, &[5]), 3);
        assert_eq!(stand(&course), [4, 7]);
        assert_eq!(items(&course.keyframes[0].1), [5, 5, 5]);
        assert_eq!(course.since, Since { portions: 2, actions: 2 });
        // Eight a day and histories of 64: the actions are there after 8 days, and 4 portions would do.
        assert_eq!(stand(&follow(Vec::new(), days(17, &[8, 7, 6, 5, 4, 3, 2, 1]), 64)), [9, 17]);
        // Forty a day and histories of 64: the actions are there after 2 days, and it takes 4 portions.
        assert_eq!(stand(&follow(Vec::new(), days(9, &[1; 40]), 64)), [5, 9]);
    }

    #[test]
    fn a_course_goes_on_from_a_keyframe_as_it_would_have_without_it() {
        let all: Vec<_> = (1..=200).map(|number| (day(number), vec![clicks(&[i64::from(number)])])).collect();
        let whole = follow(Vec::new(), all.clone(), 5);
        let (first, held) = whole.keyframes[0].clone();
        let rest = follow(held, all.into_iter().filter(|(day, _)| *day >= first), 5);
        assert_eq!(rest.keyframes, whole.keyframes[1..]);
        assert_eq!(rest.since, whole.since);
    }
}
