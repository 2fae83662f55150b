//! The edits of the store that one work unit makes, gathered until they are written.

use std::ops::Range;

use crate::error::Result;
use crate::format::{CustomerState, Key, TouchedDay};
use crate::model::CustomerId;
use crate::store::BulkLoad;

/// The edits of a range of customers, in ascending order of their keys. All bytes are in one buffer.
#[derive(Debug, Default)]
pub(super) struct Edits {
    history: Vec<(Key, Option<Range<usize>>)>,
    bytes: Vec<u8>,
    /// The days that the batch touches now, newest first for each customer.
    pub index: Vec<(CustomerId, TouchedDay)>,
    /// The states of all customers of the range that have a delta now.
    pub customer_index: Vec<(CustomerId, CustomerState)>,
    /// Customers in the batch as it is now.
    pub customers: u64,
    /// Of them, those that are new to the store.
    pub new_customers: u64,
    /// Of them, those with a full history now.
    pub customers_at_cap: u64,
    /// The batch's actions of the range, before any cut.
    pub actions: u64,
    /// Of them, those equal to another: of `n` equal ones, all but one.
    pub duplicates: u64,
    /// Customers that have no action left in the store.
    pub customers_left: u64,
    /// New customers minus those that have left.
    pub balance: i64,
}

impl Edits {
    /// Sets a key to the bytes that `encode` appends.
    pub(super) fn put(&mut self, key: Key, encode: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        encode(&mut self.bytes);
        self.history.push((key, Some(begin..self.bytes.len())));
    }

    /// Removes a key.
    pub(super) fn remove(&mut self, key: Key) {
        self.history.push((key, None));
    }

    /// Returns how many keyframes are written or removed.
    pub(super) fn keyframes(&self) -> u64 {
        self.history.iter().filter(|(key, _)| matches!(key, Key::Keyframe { .. })).count() as u64
    }

    /// Writes the edits of the history.
    pub(super) fn write(&self, bulk: &mut BulkLoad<'_>) -> Result<()> {
        for (key, range) in &self.history {
            bulk.set(*key, range.clone().and_then(|range| self.bytes.get(range)))?;
        }
        Ok(())
    }
}
