//! What changes do to the store, gathered until it is written.

use std::ops::Range;

use crate::error::Result;
use crate::format::{Key, Standing};
use crate::model::{CustomerId, Day};
use crate::store::BulkLoad;

/// The edits of some customers, ascending, in the order of their keys. All bytes lie in one buffer.
#[derive(Debug, Default)]
pub(super) struct Edits {
    history: Vec<(Key, Option<Range<usize>>)>,
    bytes: Vec<u8>,
    /// Of each customer the days that the batch touches now, newest first, and where it stands now; `None` if it leaves the store.
    pub customers: Vec<CustomerEdit>,
}

/// What a change does to one customer's lines in index and roster.
#[derive(Debug)]
pub(super) struct CustomerEdit {
    pub customer: CustomerId,
    pub touched: Vec<Day>,
    pub was_held: bool,
    pub standing: Option<Standing>,
}

impl Edits {
    /// Sets a key to the bytes that `encode` appends.
    pub fn put(&mut self, key: Key, encode: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.bytes.len();
        encode(&mut self.bytes);
        self.history.push((key, Some(begin..self.bytes.len())));
    }

    /// Removes a key.
    pub fn remove(&mut self, key: Key) {
        self.history.push((key, None));
    }

    /// How many keyframes are written or removed.
    pub fn keyframes(&self) -> u64 {
        self.history.iter().filter(|(key, _)| matches!(key, Key::Keyframe { .. })).count() as u64
    }

    /// Writes the history.
    pub fn write(&self, bulk: &mut BulkLoad<'_>) -> Result<()> {
        for (key, range) in &self.history {
            bulk.set(*key, range.clone().and_then(|range| self.bytes.get(range)))?;
        }
        Ok(())
    }
}
