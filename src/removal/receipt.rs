//! The receipt's line for each customer, kept from the removal until it is printed.

use std::cell::RefCell;

use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};

use super::removed::Removed;
use crate::error::Result;
use crate::format::{Token, hex};
use crate::sort::{Fields, Record, Sorted, Sorter};

/// One customer's line in a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct ForgottenCustomer {
    /// The customer's token in the block list, in hexadecimal; `None` in a dry run on a store without a block list.
    pub token: Option<String>,
    /// Whether the customer had been forgotten before.
    pub already_forgotten: bool,
    /// The customer's deltas in the store before, and the actions in them.
    #[serde(rename = "portions_before")]
    pub deltas_before: u64,
    /// See `deltas_before`.
    pub actions_before: u64,
    /// Keyframes before.
    pub keyframes_before: u64,
    /// Keys of the customer afterwards, counted in the reopened store: 0, except in a dry run.
    pub keys_after: u64,
}

/// The lines of all customers, in the order of their ids. Can be serialized once: the lines may be on disk, and are
/// read as they are written.
pub struct ForgottenCustomers {
    lines: RefCell<Option<Sorted<Line>>>,
    /// Whether the keys still exist.
    is_dry_run: bool,
}

/// A line, by its position, before it is written. It does not name the customer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Line {
    place: u64,
    token: Option<Token>,
    already_forgotten: bool,
    deltas: u64,
    actions: u64,
    keyframes: u64,
}

/// Collects the lines and their sums. Memory: the budget of the sorter, which spills to disk beyond it.
pub(super) struct Lines {
    sorter: Sorter<Line>,
    /// Number of customers.
    pub customers: u64,
    /// Customers among them who had actions in the store.
    pub known: u64,
    /// Customers among them who had been forgotten before.
    pub already_forgotten: u64,
    /// Number of actions removed.
    pub actions: u64,
}

impl Lines {
    pub(super) fn new(sorter: Sorter<Line>) -> Self {
        Lines { sorter, customers: 0, known: 0, already_forgotten: 0, actions: 0 }
    }

    /// Adds the line of the next customer.
    pub(super) fn push(&mut self, token: Option<Token>, already_forgotten: bool, removed: Removed) -> Result<()> {
        let Removed { deltas, keyframes, actions } = removed;
        self.sorter.push(Line { place: self.customers, token, already_forgotten, deltas, actions, keyframes })?;
        self.customers += 1;
        self.known += u64::from(deltas > 0);
        self.already_forgotten += u64::from(already_forgotten);
        self.actions += actions;
        Ok(())
    }

    /// Returns the lines, to be written.
    pub(super) fn finish(self) -> Result<ForgottenCustomers> {
        Ok(ForgottenCustomers { lines: RefCell::new(Some(self.sorter.finish()?)), is_dry_run: false })
    }

    /// Returns the lines of a dry run: the keys afterwards equal those before.
    pub(super) fn finish_dry_run(self) -> Result<ForgottenCustomers> {
        Ok(ForgottenCustomers { is_dry_run: true, ..self.finish()? })
    }
}

impl Serialize for ForgottenCustomers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lines = self.lines.borrow_mut().take().ok_or_else(|| S::Error::custom("a receipt is written once"))?;
        let mut list = serializer.serialize_seq(None)?;
        for line in lines {
            let Line { token, already_forgotten, deltas, actions, keyframes, .. } =
                line.map_err(|error| S::Error::custom(error.what()))?;
            list.serialize_element(&ForgottenCustomer {
                token: token.map(|token| hex(&token)),
                already_forgotten,
                deltas_before: deltas,
                actions_before: actions,
                keyframes_before: keyframes,
                keys_after: if self.is_dry_run { deltas + keyframes } else { 0 },
            })?;
        }
        list.end()
    }
}

impl Record for Line {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let Line { place, token, already_forgotten, deltas, actions, keyframes } = self;
        bytes.extend_from_slice(&place.to_le_bytes());
        bytes.push(u8::from(token.is_some()));
        bytes.extend_from_slice(&token.unwrap_or_default());
        bytes.push(u8::from(*already_forgotten));
        for number in [deltas, actions, keyframes] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let place = u64::from_le_bytes(fields.take()?);
        let (has_token, token) = (fields.flag()?, fields.take()?);
        let line = Line {
            place,
            token: has_token.then_some(token),
            already_forgotten: fields.flag()?,
            deltas: u64::from_le_bytes(fields.take()?),
            actions: u64::from_le_bytes(fields.take()?),
            keyframes: u64::from_le_bytes(fields.take()?),
        };
        fields.end(line)
    }

    fn memory_bytes(&self) -> usize {
        // While they are spread over pieces, a quarter more.
        std::mem::size_of::<Self>() * 5 / 4
    }

    fn sort_key(&self) -> u64 {
        self.place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::{Resources, Scratch};

    #[test]
    fn lines_come_in_order_through_memory_and_disk_and_once() {
        let folder = tempfile::tempdir().unwrap();
        for budget_bytes in [1 << 20, 200] {
            let scratch = Scratch::new(folder.path().join("scratch"));
            let mut lines = Lines::new(Sorter::new(budget_bytes, scratch, &Resources::default()));
            for number in 0..9_u8 {
                let removed = Removed { deltas: u64::from(number % 2), keyframes: 3, actions: u64::from(number) };
                lines.push((number != 8).then_some([number; 16]), number == 4, removed).unwrap();
            }
            assert_eq!((lines.customers, lines.known, lines.already_forgotten, lines.actions), (9, 4, 1, 36));
            let lines = lines.finish().unwrap();
            let written = serde_json::to_value(&lines).unwrap();
            assert_eq!(written.as_array().unwrap().len(), 9);
            let expected = serde_json::json!({
                "token": "04".repeat(16), "already_forgotten": true, "portions_before": 0, "actions_before": 4,
                "keyframes_before": 3, "keys_after": 0
            });
            assert_eq!(written[4], expected);
            assert!(serde_json::to_value(&lines).is_err(), "once");
        }
    }
}
