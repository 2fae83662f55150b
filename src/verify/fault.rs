//! A fault found in a store.

use std::fmt;

use crate::error::Result;
use crate::format::{FIRST_LEAF, Key, hex};
use crate::message::{Message, message};
use crate::model::{CustomerId, Day};

/// A key whose value, or absence, is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The bytes of the key; for an unreadable range, those of the last key before it.
    pub key: Vec<u8>,
    /// What is wrong, as a phrase that follows the name of the key.
    pub what: String,
    /// How to fix it.
    pub remedy: Remedy,
}

/// How to fix a fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// The key is derived from the deltas: this is its correct value, or `None` if the key should not exist.
    Rebuild(Option<Vec<u8>>),
    /// The data of a batch is damaged: ingest the batch of this day again.
    Ingest(Day),
    /// Only a backup has the correct value: neither the store nor the input determines it.
    Restore,
}

/// Receives faults as they are found.
pub(super) type Report<'a> = &'a mut (dyn FnMut(Fault) -> Result<()> + Send);

impl Fault {
    /// Returns a fault of derived data. `value` is the correct value.
    pub(super) fn derived(key: Key, what: impl Into<String>, value: Option<Vec<u8>>) -> Self {
        Fault { key: key.encode().to_vec(), what: what.into(), remedy: Remedy::Rebuild(value) }
    }

    /// Returns a fault of a batch's data.
    pub(super) fn of_batch(key: Key, what: impl Into<String>, batch: Day) -> Self {
        Fault { key: key.encode().to_vec(), what: what.into(), remedy: Remedy::Ingest(batch) }
    }

    /// Returns a fault that only another copy of the store can fix.
    pub(super) fn lost(key: &[u8], what: impl Into<String>) -> Self {
        Fault { key: key.to_vec(), what: what.into(), remedy: Remedy::Restore }
    }

    /// Returns the name of the key for people.
    pub fn place(&self) -> String {
        place(&self.key)
    }

    /// Returns the bytes of the key in hexadecimal digits.
    pub fn key_hex(&self) -> String {
        hex(&self.key)
    }
}

/// Names a key for people.
pub(super) fn place(key: &[u8]) -> String {
    let from = |first: CustomerId| match first {
        FIRST_LEAF => "from the beginning".to_owned(),
        CustomerId(first) => format!("from customer {first}"),
    };
    match Key::decode(key) {
        Ok(Key::Store) => "store record".to_owned(),
        Ok(Key::Delta { customer, day, batch }) => {
            format!("delta of customer {} on {day}, batch {batch}", customer.0)
        }
        Ok(Key::Keyframe { customer, day }) => format!("keyframe of customer {} on {day}", customer.0),
        Ok(Key::Index { batch, first }) => format!("index of batch {batch}, leaf {}", from(first)),
        Ok(Key::CustomerIndex { first }) => format!("customer index, leaf {}", from(first)),
        Ok(Key::Batch(batch)) => format!("record of batch {batch}"),
        Ok(Key::Totals) => "totals".to_owned(),
        Ok(Key::BlockList) => "block list".to_owned(),
        Ok(Key::Forgotten(_)) => "customer on the block list".to_owned(),
        Ok(Key::Horizon) => "horizon".to_owned(),
        Ok(Key::Purge) => "purge record".to_owned(),
        Ok(Key::Types) => "table of types".to_owned(),
        Ok(Key::ZoneRules) => "rules of the zone".to_owned(),
        Ok(Key::Ids) => "description of ids".to_owned(),
        Ok(Key::DropDuplicates) => "mark of duplicates".to_owned(),
        Err(_) if key.is_empty() => "beginning of the store".to_owned(),
        Err(_) => "key of unknown form".to_owned(),
    }
}

impl Remedy {
    /// Returns what to do, as text that follows the fault.
    pub fn said(&self) -> Message {
        match self {
            Remedy::Rebuild(_) => message!["rebuild it with ", [Repair]],
            Remedy::Ingest(batch) => message!["ingest the batch of {batch} again, or restore the store from a backup"],
            Remedy::Restore => message!["restore the store from a backup, or rebuild it with ", [Backfill]],
        }
    }
}

impl Fault {
    /// Returns one line: `place (key …): what; remedy`.
    pub fn said(&self) -> Message {
        message![("{} (key {}): {}; ", self.place(), self.key_hex(), self.what), { self.remedy.said() }]
    }
}

/// The same line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}
