//! The effect of other zone rules on the history of one customer.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::format::{CustomerState, Key, KeyBytes, encode_delta, refold_whole};
use crate::history::newest_first;
use crate::model::{Action, CustomerId, Day, Zone};
use crate::store::{Settings, Tail};

/// The edits of one customer's history, and the customer's state after them.
pub(super) struct Redated {
    /// Keys in order, with their new bytes, or `None` for a key to delete.
    pub edits: BTreeMap<KeyBytes, Option<Vec<u8>>>,
    pub customer_state: CustomerState,
    /// The actions moved, batch by batch.
    pub moved: BTreeMap<Day, MovedActions>,
}

/// Actions of one batch whose day has changed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MovedActions {
    pub actions: u64,
    /// The changes to the batch's numbers of late and early actions.
    pub late: i64,
    pub early: i64,
    /// Whether a delta on a moved day may have been cut.
    pub may_be_cut: bool,
}

/// Returns the deltas of a history, which is given whole, with each action on its day in `zone`; `None` if it has none
/// on `moved` days.
///
/// Memory: that of the history twice more.
pub(super) fn redate(
    customer: CustomerId,
    tail: Tail,
    zone: &Zone,
    moved: &BTreeSet<Day>,
    settings: &Settings,
) -> Result<Option<Redated>> {
    let Settings { max_history, duplicates, .. } = *settings;
    if !tail.deltas.iter().any(|delta| moved.contains(&delta.day)) {
        return Ok(None);
    }
    let mut edits = BTreeMap::new();
    let mut counts: BTreeMap<Day, MovedActions> = BTreeMap::new();
    let mut deltas: BTreeMap<(Day, Day), Vec<Action>> = BTreeMap::new();
    for delta in tail.deltas {
        let (day, batch) = (delta.day, delta.batch);
        if !moved.contains(&day) {
            deltas.entry((day, batch)).or_default().extend(delta.actions);
            continue;
        }
        edits.insert(Key::Delta { customer, day, batch }.encode(), None);
        let counts = counts.entry(batch).or_default();
        counts.may_be_cut |= delta.actions.len() >= max_history;
        for action in delta.actions {
            let new = day_of(zone, &action)?;
            if new != day && !moved.contains(&new) {
                return Err(Error::corrupt(format!("customer {} has an action of another day on {day}", customer.0)));
            }
            counts.actions += u64::from(new != day);
            counts.late += i64::from(new < batch) - i64::from(day < batch);
            counts.early += i64::from(new > batch) - i64::from(day > batch);
            deltas.entry((new, batch)).or_default().push(action);
        }
    }
    let mut days: BTreeMap<Day, Vec<Vec<Action>>> = BTreeMap::new();
    for ((day, batch), mut actions) in deltas {
        actions.sort_by(newest_first);
        actions.truncate(max_history);
        if moved.contains(&day) {
            let mut bytes = Vec::new();
            encode_delta(day, &actions, &mut bytes);
            edits.insert(Key::Delta { customer, day, batch }.encode(), Some(bytes));
        }
        days.entry(day).or_default().push(actions);
    }
    let customer_state = refold_whole(customer, tail.keyframes, days, max_history, duplicates, &mut edits);
    let customer_state =
        customer_state.ok_or_else(|| Error::corrupt(format!("customer {} has no delta", customer.0)))?;
    Ok(Some(Redated { edits, customer_state, moved: counts }))
}

/// Returns the day of an action. Fails at the very ends of the valid years, where the zone may have no day for it.
pub(super) fn day_of(zone: &Zone, action: &Action) -> Result<Day> {
    zone.day_of(action.time_us).ok_or_else(|| {
        Error::refused(
            format!("by these rules an action at {} lies outside the years 1970 to 2261", zone.display(action.time_us)),
            "ingest its batch again without that action",
        )
    })
}
