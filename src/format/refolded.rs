//! The keyframes of a history that is given whole, as edits of keys.

use std::collections::BTreeMap;

use super::{Key, KeyBytes, Standing, encode_keyframe};
use crate::history::follow;
use crate::model::{Action, CustomerId, Day};

/// Adds to `edits` the removal of the keyframes that stand on the days `held`, and those that are due in their place: `days` are the portions of each day of
/// the customer, all of them. Gives where the history stands then; `None` without any day.
///
/// Memory: that of the history once more.
pub fn refold_whole(
    customer: CustomerId,
    held: Vec<Day>,
    days: BTreeMap<Day, Vec<Vec<Action>>>,
    max_history: usize,
    edits: &mut BTreeMap<KeyBytes, Option<Vec<u8>>>,
) -> Option<Standing> {
    for day in held {
        edits.insert(Key::Keyframe { customer, day }.encode(), None);
    }
    let newest = days.keys().next_back().copied();
    let course = follow(Vec::new(), &days.into_iter().collect::<Vec<_>>(), max_history);
    let keyframe = course.keyframes.last().map(|(day, _)| *day);
    for (day, past) in course.keyframes {
        let mut bytes = Vec::new();
        encode_keyframe(day, &past, &mut bytes);
        edits.insert(Key::Keyframe { customer, day }.encode(), Some(bytes));
    }
    newest.map(|newest| Standing { newest, keyframe, since: course.since })
}
