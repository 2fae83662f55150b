//! The effect of a removal on the history of one customer.

use std::collections::BTreeMap;

use super::removed::Removed;
use crate::format::{CustomerState, Key, KeyBytes, refold_whole};
use crate::model::{Action, CustomerId, Day};
use crate::store::{Settings, Tail};

/// The edits of one customer's history, and the customer's state after them.
pub(super) struct Rewritten {
    /// Keys in order, with their new bytes, or `None` for a key to delete.
    pub edits: BTreeMap<KeyBytes, Option<Vec<u8>>>,
    /// `None`: the customer leaves the store.
    pub customer_state: Option<CustomerState>,
    pub deltas: u64,
    pub keyframes: u64,
    pub actions: u64,
}

impl Rewritten {
    /// Counts what is removed.
    pub(super) fn removed(&self) -> Removed {
        Removed { deltas: self.deltas, keyframes: self.keyframes, actions: self.actions }
    }
}

/// Removes the deltas before `first_day`, or without it all deltas, from a history that is given whole; `None` if it
/// has no such delta.
///
/// Memory: that of the history once more.
pub(super) fn rewrite(
    customer: CustomerId,
    tail: Tail,
    first_day: Option<Day>,
    settings: &Settings,
) -> Option<Rewritten> {
    let mut edits = BTreeMap::new();
    let mut days: BTreeMap<Day, Vec<Vec<Action>>> = BTreeMap::new();
    let (mut deltas, mut actions) = (0, 0);
    for delta in tail.deltas {
        if first_day.is_some_and(|first| delta.day >= first) {
            days.entry(delta.day).or_default().push(delta.actions);
        } else {
            edits.insert(Key::Delta { customer, day: delta.day, batch: delta.batch }.encode(), None);
            deltas += 1;
            actions += delta.actions.len() as u64;
        }
    }
    if deltas == 0 {
        return None;
    }
    let keyframes = tail.keyframes.len() as u64;
    let customer_state =
        refold_whole(customer, tail.keyframes, days, settings.max_history, settings.duplicates, &mut edits);
    Some(Rewritten { edits, customer_state, deltas, keyframes, actions })
}
