//! Folding one customer's snapshots anew.

use std::collections::{BTreeMap, BTreeSet};

use super::change::Change;
use crate::error::Result;
use crate::format::{Key, PRESENT, encode_actions};
use crate::history::{fold, merge};
use crate::model::{Action, Day};
use crate::store::Cursor;

/// A key with its new value, or `None` where it goes.
pub(super) type Edit = (Key, Option<Vec<u8>>);

/// What a change does to the store, each list in the order of its keys.
///
/// Memory: a snapshot for each active day of the customer from the earliest touched one on.
pub(super) struct Edits {
    pub index: Vec<Edit>,
    pub portions: Vec<Edit>,
    pub snapshots: Vec<Edit>,
    /// 1 if the customer comes into the store with this, -1 if it leaves, else 0.
    pub customers: i64,
}

/// Works out the edits of one customer.
///
/// 1. The touched days are those that the batch held so far brought and those that it brings now.
/// 2. The base is the snapshot before the earliest of them: nothing at or before it changes.
/// 3. From there on, day by day, the portions of all batches (of this one, the new ones) are merged and folded.
/// 4. A touched day without any portion left loses its snapshot.
pub(super) fn refold(cursor: &mut Cursor<'_>, change: Change, batch: Day, max_history: usize) -> Result<Edits> {
    let Change { customer, held, brought } = change;
    let touched: BTreeSet<Day> = held.iter().copied().chain(brought.iter().map(|(day, _)| *day)).collect();
    let mut edits = Edits { index: Vec::new(), portions: Vec::new(), snapshots: Vec::new(), customers: 0 };
    let Some(earliest) = touched.first().copied() else { return Ok(edits) };

    let mut brought: BTreeMap<Day, Vec<Action>> = brought.into_iter().collect();
    for day in touched.iter().rev().copied() {
        let (index, portion) = (Key::Index { batch, customer, day }, Key::Portion { customer, day, batch });
        match brought.get(&day) {
            Some(actions) => {
                edits.index.push((index, Some(PRESENT.to_vec())));
                edits.portions.push((portion, Some(encode_actions(actions)?)));
            }
            None => {
                edits.index.push((index, None));
                edits.portions.push((portion, None));
            }
        }
    }

    let mut snapshot = cursor.as_of(customer, earliest)?;
    let mut was_held = !snapshot.is_empty();
    let mut days: BTreeMap<Day, Vec<Vec<Action>>> = BTreeMap::new();
    for portion in cursor.portions_from(customer, earliest)? {
        was_held = true;
        if portion.batch != batch {
            days.entry(portion.day).or_default().push(portion.actions);
        }
    }
    while let Some((day, actions)) = brought.pop_first() {
        days.entry(day).or_default().push(actions);
    }
    let is_held = !snapshot.is_empty() || !days.is_empty();
    edits.customers = i64::from(is_held) - i64::from(was_held);

    for day in touched.iter().filter(|day| !days.contains_key(day)) {
        edits.snapshots.push((Key::Snapshot { customer, day: *day }, None));
    }
    for (day, portions) in days {
        snapshot = fold(&snapshot, &merge(&portions, max_history), max_history);
        edits.snapshots.push((Key::Snapshot { customer, day }, Some(encode_actions(&snapshot)?)));
    }
    // Keys put the newest day first.
    edits.snapshots.sort_by_key(|(key, _)| match key {
        Key::Snapshot { day, .. } => std::cmp::Reverse(*day),
        _ => std::cmp::Reverse(Day::FIRST),
    });
    Ok(edits)
}
