//! What of a batch the store takes: nothing of customers whom it has forgotten, nothing from before its horizon.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::model::{CustomerId, Day};
use crate::store::{BlockList, Store};

/// Decides and counts. Memory: that of the block list.
#[derive(Debug, Default)]
pub(super) struct Admission {
    block_list: BlockList,
    horizon: Option<Day>,
    forgotten: AtomicU64,
    pruned: AtomicU64,
}

impl Admission {
    /// What the store admits as it is now.
    pub fn of(store: &Store) -> Result<Self> {
        Ok(Admission { block_list: store.block_list()?, horizon: store.horizon()?, ..Admission::default() })
    }

    /// Whether the customer has been forgotten.
    pub fn is_forgotten(&self, customer: CustomerId) -> bool {
        self.block_list.holds(customer)
    }

    /// Whether an action of that day is taken of the customer; counted where not. `is_forgotten` is what [`Admission::is_forgotten`] says.
    pub fn admits(&self, is_forgotten: bool, day: Day) -> bool {
        let count = if is_forgotten {
            &self.forgotten
        } else if self.horizon.is_some_and(|horizon| day < horizon) {
            &self.pruned
        } else {
            return true;
        };
        count.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Actions left out so far: of forgotten customers, and from before the horizon.
    pub fn left_out(&self) -> (u64, u64) {
        (self.forgotten.load(Ordering::Relaxed), self.pruned.load(Ordering::Relaxed))
    }
}
