//! Admits the actions that a store takes: not those of forgotten customers, and none from before its horizon.

use crate::error::Result;
use crate::model::{CustomerId, Day, Shard};
use crate::store::{BlockList, Store};

/// The rules by which a store admits actions. Memory: that of the block list.
#[derive(Debug, Default)]
pub(super) struct Admission {
    block_list: BlockList,
    horizon: Option<Day>,
    /// The shard that the store is, if others must not be in its batch.
    shard: Option<Shard>,
}

/// Rows of a batch that are not in the store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct LeftOut {
    /// Those of customers of other shards.
    pub of_other_shards: u64,
    /// Those of forgotten customers.
    pub forgotten: u64,
    /// Of the others, those from before the horizon.
    pub pruned: u64,
    /// Rows without a customer.
    pub without_customer: u64,
    /// Rows with the event id of an earlier one.
    pub deduplicated: u64,
    /// Records whose exploded list is null, missing or empty.
    pub empty_lists: u64,
}

impl Admission {
    /// Returns the rules of the store as it is now.
    pub(super) fn of(store: &Store) -> Result<Self> {
        Ok(Admission { block_list: store.block_list()?, horizon: store.horizon()?, shard: None })
    }

    /// Returns the same rules for a store that is a shard.
    pub(super) fn of_shard(self, shard: Shard) -> Self {
        Admission { shard: Some(shard), ..self }
    }

    /// Whether an action of the customer on that day is admitted; if not, counts it in `left_out`.
    pub(super) fn admits(&self, customer: CustomerId, day: Day, left_out: &mut LeftOut) -> bool {
        if self.shard.is_some_and(|shard| !shard.holds(customer)) {
            left_out.of_other_shards += 1;
        } else if self.block_list.holds(customer) {
            left_out.forgotten += 1;
        } else if self.horizon.is_some_and(|horizon| day < horizon) {
            left_out.pruned += 1;
        } else {
            return true;
        }
        false
    }
}
