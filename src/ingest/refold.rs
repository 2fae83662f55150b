//! Folding one customer's change into its history.

use std::collections::BTreeMap;

use super::change::Change;
use super::edits::{CustomerEdit, Edits};
use crate::error::Result;
use crate::format::{Key, Standing, encode_keyframe, encode_portion};
use crate::history::{Since, follow};
use crate::model::{Action, Day, PastAction};
use crate::store::{Cursor, StoredPortion};

/// Works out the edits of one customer and appends them.
///
/// 1. Where the batch brings portions that are all new, and no keyframe can be due or be changed by them, they are written and counted; nothing of
///    the customer's earlier history is read. That is nearly always so.
/// 2. Else the customer's days are followed anew from the last keyframe that cannot have changed: from that on the keyframes are
///    written that should stand, and those removed that should not.
pub(super) fn refold(
    cursor: &mut Cursor<'_>,
    change: Change,
    standing: Option<Standing>,
    batch: Day,
    max_history: usize,
    edits: &mut Edits,
) -> Result<()> {
    let customer = change.customer;
    let touched = change.brought.iter().map(|(day, _)| *day).collect();
    let was_held = standing.is_some();
    let standing = match appended(&change, standing, max_history) {
        Some(standing) => {
            for (day, actions) in &change.brought {
                edits.put(Key::Portion { customer, day: *day, batch }, |bytes| encode_portion(*day, actions, bytes));
            }
            Some(standing)
        }
        None => followed(cursor, change, batch, max_history, edits)?,
    };
    edits.customers.push(CustomerEdit { customer, touched, was_held, standing });
    Ok(())
}

/// Where the customer stands after the change, if that can be told without reading its history.
fn appended(change: &Change, standing: Option<Standing>, max_history: usize) -> Option<Standing> {
    if !change.held.is_empty() {
        return None;
    }
    let mut after = standing;
    for (day, actions) in change.brought.iter().rev() {
        after = Some(match after {
            None => Standing { newest: *day, keyframe: None, since: Since::default().with(actions.len()) },
            Some(Standing { newest, keyframe, since }) => {
                let grown = since.with(actions.len());
                // A new day has a keyframe where one is due before it; and with more before them, later days might have one.
                let might_be_due = if *day > newest { since } else { grown };
                let before_keyframe = keyframe.is_some_and(|keyframe| *day < keyframe);
                if before_keyframe || (*day != newest && might_be_due.is_due(max_history)) {
                    return None;
                }
                Standing { newest: newest.max(*day), keyframe, since: grown }
            }
        });
    }
    after
}

/// Writes portions and keyframes of a customer whose days have to be followed, and gives where it stands then; `None` without any portion.
fn followed(
    cursor: &mut Cursor<'_>,
    change: Change,
    batch: Day,
    max_history: usize,
    edits: &mut Edits,
) -> Result<Option<Standing>> {
    let Change { customer, held, brought } = change;
    let touched = held.iter().copied().chain(brought.iter().map(|(day, _)| *day));
    let Some(earliest) = touched.clone().min() else { return Ok(None) };
    let tail = cursor.tail(customer, earliest, Some(batch))?;

    let mut days: BTreeMap<Day, Vec<Vec<Action>>> = BTreeMap::new();
    for StoredPortion { day, actions, .. } in tail.portions {
        days.entry(day).or_default().push(actions);
    }
    let mut new: BTreeMap<Key, Option<Value>> =
        touched.map(|day| (Key::Portion { customer, day, batch }, None)).collect();
    for (day, actions) in brought {
        days.entry(day).or_default().push(actions.clone());
        new.insert(Key::Portion { customer, day, batch }, Some(Value::Portion(day, actions)));
    }
    let newest = days.keys().next_back().copied();
    let (base_day, base) = tail.base.unzip();
    let days: Vec<_> = days.into_iter().collect();
    let course = follow(base.unwrap_or_default(), &days, max_history);

    for day in tail.keyframes {
        new.insert(Key::Keyframe { customer, day }, None);
    }
    let keyframe = course.keyframes.last().map(|(day, _)| *day).or(base_day);
    for (day, past) in course.keyframes {
        new.insert(Key::Keyframe { customer, day }, Some(Value::Keyframe(day, past)));
    }
    // In the order of the keys' bytes, which is not that of their parts: newer days stand first.
    let mut ordered: Vec<_> = new.into_iter().map(|(key, value)| (key.encode(), key, value)).collect();
    ordered.sort_by_key(|(bytes, ..)| *bytes);
    for (_, key, value) in ordered {
        match value {
            Some(Value::Portion(day, actions)) => edits.put(key, |bytes| encode_portion(day, &actions, bytes)),
            Some(Value::Keyframe(day, past)) => edits.put(key, |bytes| encode_keyframe(day, &past, bytes)),
            None => edits.remove(key),
        }
    }
    Ok(newest.map(|newest| Standing { newest, keyframe, since: course.since }))
}

/// A value of the history before it is encoded.
enum Value {
    Portion(Day, Vec<Action>),
    Keyframe(Day, Vec<PastAction>),
}
