//! The keys of shuffled rows that are known, and the bounds of all others that follow.

use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::model::OrderKey;

/// Neighbouring rows share a slot in larger partitions.
const SLOTS_MAX: u64 = 1 << 16;

/// Known keys of shuffled rows. Memory: 1 MiB.
pub(super) struct KnownKeys {
    rows: u64,
    /// The smallest and the largest key of each slot.
    slots: Vec<(u64, u64)>,
}

/// The bounds of the key of each row. Memory: 1 MiB.
pub(super) struct Bounds {
    rows: u64,
    slots: Vec<(u64, u64)>,
}

/// The upper half of a key, which decides.
fn upper(key: OrderKey) -> u64 {
    (key.0 >> 64) as u64
}

fn slot_of(index: u64, rows: u64, slots: usize) -> usize {
    usize_of((u128::from(index) * slots as u128 / u128::from(rows.max(1))) as u64)
}

impl KnownKeys {
    /// Returns no keys yet, of a partition of this many rows.
    pub(super) fn new(rows: u64) -> Self {
        KnownKeys { rows, slots: vec![(u64::MAX, 0); usize_of(rows.min(SLOTS_MAX))] }
    }

    /// Adds the key of a row.
    pub(super) fn add(&mut self, index: u64, key: OrderKey) -> Result<()> {
        let slot = slot_of(index, self.rows, self.slots.len());
        let (smallest, largest) = self.slots.get_mut(slot).held("each row has a slot")?;
        (*smallest, *largest) = ((*smallest).min(upper(key)), (*largest).max(upper(key)));
        Ok(())
    }

    /// Returns the bounds that follow: keys ascend with the rows, so a row's key lies between those of earlier slots
    /// and of later ones.
    pub(super) fn bounds(self) -> Bounds {
        let KnownKeys { rows, slots } = self;
        let mut bounds = vec![(0, u64::MAX); slots.len()];
        let mut before = 0;
        for ((_, largest), (low, _)) in slots.iter().zip(&mut bounds) {
            *low = before;
            before = before.max(*largest);
        }
        let mut after = u64::MAX;
        for ((smallest, _), (_, high)) in slots.iter().zip(&mut bounds).rev() {
            *high = after;
            after = after.min(*smallest);
        }
        Bounds { rows, slots: bounds }
    }
}

impl Bounds {
    pub(super) fn allow(&self, index: u64, key: OrderKey) -> Result<bool> {
        let slot = slot_of(index, self.rows, self.slots.len());
        let (low, high) = self.slots.get(slot).held("each row has a slot")?;
        Ok((*low..=*high).contains(&upper(key)))
    }
}
