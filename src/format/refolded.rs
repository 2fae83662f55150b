//! Computes the keyframes of a complete history, as edits of keys.

use std::collections::BTreeMap;

use super::{CustomerState, Key, KeyBytes, encode_keyframe};
use crate::history::plan_keyframes;
use crate::model::{Action, CustomerId, Day, Duplicates};

/// Adds to `edits` the removal of the keyframes on the days `held`, and the keyframes that are due in their place.
/// `days` has all deltas of the customer by day. Returns the customer's new state; `None` without any day.
///
/// Memory: that of another copy of the history.
pub(crate) fn refold_whole(
    customer: CustomerId,
    held: Vec<Day>,
    days: BTreeMap<Day, Vec<Vec<Action>>>,
    max_history: usize,
    duplicates: Duplicates,
    edits: &mut BTreeMap<KeyBytes, Option<Vec<u8>>>,
) -> Option<CustomerState> {
    for day in held {
        edits.insert(Key::Keyframe { customer, day }.encode(), None);
    }
    let newest = days.keys().next_back().copied();
    let plan = plan_keyframes(Vec::new(), &days.into_iter().collect::<Vec<_>>(), max_history, duplicates);
    let keyframe = plan.keyframes.last().map(|(day, _)| *day);
    for (day, past) in plan.keyframes {
        let mut bytes = Vec::new();
        encode_keyframe(day, &past, &mut bytes);
        edits.insert(Key::Keyframe { customer, day }.encode(), Some(bytes));
    }
    newest.map(|newest| CustomerState { newest, keyframe, since: plan.since })
}
