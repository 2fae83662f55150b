//! What a removal does to the history of one customer.

use std::collections::BTreeMap;

use super::removed::Removed;
use crate::format::{Key, KeyBytes, Standing, refold_whole};
use crate::model::{Action, CustomerId, Day};
use crate::store::Tail;

/// The edits of one customer's history, and where it stands afterwards.
pub(super) struct Rewritten {
    /// Keys in their order, with their new bytes or none.
    pub edits: BTreeMap<KeyBytes, Option<Vec<u8>>>,
    /// `None`: the customer leaves the store.
    pub standing: Option<Standing>,
    pub portions: u64,
    pub keyframes: u64,
    pub actions: u64,
}

impl Rewritten {
    /// What goes, counted.
    pub fn removed(&self) -> Removed {
        Removed { portions: self.portions, keyframes: self.keyframes, actions: self.actions }
    }
}

/// Takes the portions before `first_day`, or without it all portions, out of a history that is given whole; `None` if there is none of these.
///
/// Memory: that of the history once more.
pub(super) fn rewrite(
    customer: CustomerId,
    tail: Tail,
    first_day: Option<Day>,
    max_history: usize,
) -> Option<Rewritten> {
    let mut edits = BTreeMap::new();
    let mut days: BTreeMap<Day, Vec<Vec<Action>>> = BTreeMap::new();
    let (mut portions, mut actions) = (0, 0);
    for portion in tail.portions {
        if first_day.is_some_and(|first| portion.day >= first) {
            days.entry(portion.day).or_default().push(portion.actions);
        } else {
            edits.insert(Key::Portion { customer, day: portion.day, batch: portion.batch }.encode(), None);
            portions += 1;
            actions += portion.actions.len() as u64;
        }
    }
    if portions == 0 {
        return None;
    }
    let keyframes = tail.keyframes.len() as u64;
    let standing = refold_whole(customer, tail.keyframes, days, max_history, &mut edits);
    Some(Rewritten { edits, standing, portions, keyframes, actions })
}
