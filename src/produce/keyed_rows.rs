//! Rows with their key in a shuffled order.

use super::chunks::Rows;
use super::history_spool::HistoryPlace;
use crate::error::Result;
use crate::model::{Impression, OrderKey};
use crate::sort::{Fields, Record};

/// Elements of an impression that stay together: all of them, or a single one. The derived order is that of the keys.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct KeyedRow {
    pub key: OrderKey,
    /// Index of the first of them in the impression's list.
    pub first: i32,
    /// The impression, with only these elements.
    pub impression: Impression,
    pub history: HistoryPlace,
}

impl Rows for KeyedRow {
    fn rows(&self) -> usize {
        self.impression.elements.len()
    }

    /// Always false: repeats are counted by [`Numbered`] before rows get their keys.
    fn repeats(&self, _before: &Self) -> bool {
        false
    }
}

impl Record for KeyedRow {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let KeyedRow { key, first, impression, history: HistoryPlace { offset, bytes: length, actions } } = self;
        bytes.extend_from_slice(&key.0.to_le_bytes());
        bytes.extend_from_slice(&first.to_le_bytes());
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&actions.to_le_bytes());
        impression.encode(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        Some(KeyedRow {
            key: OrderKey(u128::from_le_bytes(fields.take()?)),
            first: i32::from_le_bytes(fields.take()?),
            history: HistoryPlace {
                offset: u64::from_le_bytes(fields.take()?),
                bytes: u32::from_le_bytes(fields.take()?),
                actions: u32::from_le_bytes(fields.take()?),
            },
            impression: Impression::decode(fields.0)?,
        })
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() - std::mem::size_of::<Impression>() + self.impression.memory_bytes()
    }

    fn sort_key(&self) -> u64 {
        (self.key.0 >> 64) as u64
    }
}

/// An impression, and the number of equal impressions before it.
pub(crate) struct Numbered {
    pub impression: Impression,
    pub copy: u64,
}

impl Rows for Numbered {
    fn rows(&self) -> usize {
        self.impression.elements.len()
    }

    fn repeats(&self, _before: &Self) -> bool {
        self.copy > 0
    }
}

/// Numbers equal impressions, which are adjacent in the sorted stream.
///
/// Memory: one impression.
pub(crate) struct Copies<I> {
    impressions: I,
    last: Option<(Impression, u64)>,
}

impl<I> Copies<I> {
    pub(crate) fn of(impressions: I) -> Self {
        Copies { impressions, last: None }
    }
}

impl<I: Iterator<Item = Result<Impression>>> Iterator for Copies<I> {
    type Item = Result<Numbered>;

    fn next(&mut self) -> Option<Result<Numbered>> {
        let impression = match self.impressions.next()? {
            Ok(impression) => impression,
            Err(error) => return Some(Err(error)),
        };
        let copy = match &mut self.last {
            Some((last, copies)) if *last == impression => {
                *copies += 1;
                *copies
            }
            last => {
                *last = Some((impression.clone(), 0));
                0
            }
        };
        Some(Ok(Numbered { impression, copy }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomerId, Element};
    use proptest::prelude::*;

    fn impression(customer: i64, items: &[i64]) -> Impression {
        let elements = items.iter().map(|item_id| Element { item_id: *item_id, label: 0 }).collect();
        Impression { customer: CustomerId(customer), ranking_id: None, elements }
    }

    #[test]
    fn equal_impressions_are_numbered() {
        let impressions = [impression(1, &[2]), impression(1, &[2]), impression(1, &[2, 2]), impression(3, &[2])];
        let copies: Vec<u64> = Copies::of(impressions.into_iter().map(Ok)).map(|one| one.unwrap().copy).collect();
        assert_eq!(copies, [0, 1, 0, 0]);
    }

    proptest! {
        #[test]
        fn spilled_places_come_back(key in any::<u128>(), first in any::<i32>(), offset in any::<u64>(), bytes in any::<u32>(), actions in any::<u32>()) {
            let history = HistoryPlace { offset, bytes, actions };
            let keyed = KeyedRow { key: OrderKey(key), first, impression: impression(5, &[1, 2]), history };
            let mut bytes = Vec::new();
            keyed.encode(&mut bytes);
            prop_assert_eq!(KeyedRow::decode(&bytes), Some(keyed));
        }
    }
}
