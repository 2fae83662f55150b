//! Folds each customer's change into the customer's history.

use std::collections::BTreeMap;

use super::change::{Change, Changes};
use super::dated_action::DatedAction;
use super::edits::Edits;
use super::work_units::WorkUnit;
use crate::error::Result;
use crate::format::{CustomerState, Key, TouchedDay, encode_delta, encode_keyframe};
use crate::history::{SinceKeyframe, plan_keyframes};
use crate::model::{Action, Day, Duplicates, PastAction};
use crate::resources::Resources;
use crate::store::{Cursor, Settings, StoredDelta};

/// Returns the edits of a work unit. `scratch` is reused for sorting.
pub(super) fn refold_unit(
    cursor: &mut Cursor<'_>,
    unit: WorkUnit,
    batch: Day,
    settings: &Settings,
    scratch: &mut Vec<DatedAction>,
    resources: &Resources,
) -> Result<Edits> {
    let (mut edits, max_history) = (Edits::default(), settings.max_history);
    unit.brought.sort_into(scratch, resources)?;
    // Equal actions are neighbours. Cut actions are the oldest of their day, so the action before one is in `scratch`
    // or was cut too.
    let equal = scratch.iter().zip(scratch.iter().skip(1)).filter(|(one, next)| one == next).count();
    edits.actions = scratch.len() as u64 + unit.cut.actions;
    edits.duplicates = equal as u64 + unit.cut.duplicates;
    if settings.duplicates == Duplicates::Drop {
        scratch.dedup();
    }
    let mut customer_index = unit.customer_index.into_iter().peekable();
    for change in Changes::new(scratch, &unit.held, max_history) {
        while let Some(unchanged) = customer_index.next_if(|(customer, _)| *customer < change.customer) {
            edits.customer_index.push(unchanged);
        }
        let before = customer_index
            .next_if(|(customer, _)| *customer == change.customer)
            .map(|(_, customer_state)| customer_state);
        let after = refold(cursor, &change, before, batch, settings, &mut edits)?;
        let touched = edits.index.len();
        edits.index.extend(change.brought().map(|(day, _)| (change.customer, TouchedDay(day))));
        edits.customer_index.extend(after.map(|customer_state| (change.customer, customer_state)));
        let is_touched = edits.index.len() > touched;
        edits.customers += u64::from(is_touched);
        edits.customers_at_cap +=
            u64::from(is_touched && after.is_some_and(|after| after.length(max_history) == max_history));
        edits.new_customers += u64::from(before.is_none() && after.is_some());
        edits.customers_left += u64::from(before.is_some() && after.is_none());
        edits.balance += i64::from(after.is_some()) - i64::from(before.is_some());
    }
    edits.customer_index.extend(customer_index);
    Ok(edits)
}

/// Appends the edits of one customer's history and returns the customer's new state; `None` without any delta.
///
/// 1. Nearly always, all deltas of the batch are new and no keyframe can become due or change. Then the deltas are
///    written and counted, and the customer's earlier history is not read.
/// 2. Otherwise the customer's days are folded again from the last keyframe that cannot have changed: later keyframes
///    are removed, and those due are written.
fn refold(
    cursor: &mut Cursor<'_>,
    change: &Change<'_>,
    before: Option<CustomerState>,
    batch: Day,
    settings: &Settings,
    edits: &mut Edits,
) -> Result<Option<CustomerState>> {
    let Some(after) = appended(change, before, settings) else {
        return followed(cursor, change, batch, settings, edits);
    };
    for (day, actions) in change.brought() {
        let key = Key::Delta { customer: change.customer, day, batch };
        edits.put(key, |bytes| encode_delta(day, actions, bytes));
    }
    Ok(Some(after))
}

/// Returns the customer's state after the change, if it follows without reading the history.
fn appended(change: &Change<'_>, before: Option<CustomerState>, settings: &Settings) -> Option<CustomerState> {
    if change.held().next().is_some() {
        return None;
    }
    let Settings { max_history, duplicates, .. } = *settings;
    let mut after = before;
    for (day, actions) in change.brought().rev() {
        after = Some(match after {
            None => CustomerState { newest: day, keyframe: None, since: SinceKeyframe::default().with(actions.len()) },
            // Of a day that has actions already, some of these may be duplicates.
            Some(CustomerState { newest, .. }) if day <= newest && duplicates == Duplicates::Drop => return None,
            Some(CustomerState { newest, keyframe, since }) => {
                let grown = since.with(actions.len());
                // A new day has a keyframe if one is due before it. With more actions before them, later days might
                // have one too.
                let might_be_due = if day > newest { since } else { grown };
                let before_keyframe = keyframe.is_some_and(|keyframe| day < keyframe);
                if before_keyframe || (day != newest && might_be_due.is_due(max_history)) {
                    return None;
                }
                CustomerState { newest: newest.max(day), keyframe, since: grown }
            }
        });
    }
    after
}

/// Reads the customer's history, writes its deltas and keyframes, and returns the customer's new state; `None` without
/// any delta.
fn followed(
    cursor: &mut Cursor<'_>,
    change: &Change<'_>,
    batch: Day,
    settings: &Settings,
    edits: &mut Edits,
) -> Result<Option<CustomerState>> {
    let customer = change.customer;
    let touched = change.held().chain(change.brought().map(|(day, _)| day));
    let Some(earliest) = touched.clone().min() else { return Ok(None) };
    let tail = cursor.tail(customer, earliest, Some(batch))?;

    let mut days: BTreeMap<Day, Vec<Vec<Action>>> = BTreeMap::new();
    for StoredDelta { day, actions, .. } in tail.deltas {
        days.entry(day).or_default().push(actions);
    }
    let mut new: BTreeMap<Key, Option<Value>> =
        touched.map(|day| (Key::Delta { customer, day, batch }, None)).collect();
    for (day, actions) in change.brought() {
        let actions: Vec<Action> = actions.iter().map(|action| (*action).into()).collect();
        days.entry(day).or_default().push(actions.clone());
        new.insert(Key::Delta { customer, day, batch }, Some(Value::Delta(day, actions)));
    }
    let newest = days.keys().next_back().copied();
    let (base_day, base) = tail.base.unzip();
    let days: Vec<_> = days.into_iter().collect();
    let plan = plan_keyframes(base.unwrap_or_default(), &days, settings.max_history, settings.duplicates);

    for day in tail.keyframes {
        new.insert(Key::Keyframe { customer, day }, None);
    }
    let keyframe = plan.keyframes.last().map(|(day, _)| *day).or(base_day);
    for (day, past) in plan.keyframes {
        new.insert(Key::Keyframe { customer, day }, Some(Value::Keyframe(day, past)));
    }
    // In the order of the keys' bytes, which differs from that of their fields: newer days come first.
    let mut ordered: Vec<_> = new.into_iter().map(|(key, value)| (key.encode(), key, value)).collect();
    ordered.sort_by_key(|(bytes, ..)| *bytes);
    for (_, key, value) in ordered {
        match value {
            Some(Value::Delta(day, actions)) => edits.put(key, |bytes| encode_delta(day, &actions, bytes)),
            Some(Value::Keyframe(day, past)) => edits.put(key, |bytes| encode_keyframe(day, &past, bytes)),
            None => edits.remove(key),
        }
    }
    Ok(newest.map(|newest| CustomerState { newest, keyframe, since: plan.since }))
}

/// A history value that is still to be encoded.
enum Value {
    Delta(Day, Vec<Action>),
    Keyframe(Day, Vec<PastAction>),
}
