//! What is sorted of the rows of a partition.

use crate::model::Element;
use crate::produce::HistoryPlace;
use crate::sort::{Fields, Record, put_text};

/// A hash over a row's cells that are of its history. XXH3-128.
pub(super) type HistoryHash = [u8; 16];

/// A row without its history. The derived order is by customer, ranking id (null first), and then that of the
/// partition.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct PartitionRow {
    pub customer: i64,
    pub ranking_id: Option<String>,
    /// Its place in the partition, from 0.
    pub index: u64,
    pub position: i32,
    pub element: Element,
    pub history: HistoryHash,
}

impl Record for PartitionRow {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let PartitionRow { customer, ranking_id, index, position, element: Element { item_id, label }, history } = self;
        bytes.extend_from_slice(&customer.to_le_bytes());
        bytes.extend_from_slice(&index.to_le_bytes());
        bytes.extend_from_slice(&position.to_le_bytes());
        bytes.extend_from_slice(&item_id.to_le_bytes());
        bytes.extend_from_slice(&label.to_le_bytes());
        bytes.extend_from_slice(history);
        put_text(ranking_id.as_deref(), bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let row = PartitionRow {
            customer: i64::from_le_bytes(fields.take()?),
            index: u64::from_le_bytes(fields.take()?),
            position: i32::from_le_bytes(fields.take()?),
            element: Element { item_id: i64::from_le_bytes(fields.take()?), label: i32::from_le_bytes(fields.take()?) },
            history: fields.take()?,
            ranking_id: fields.text()?,
        };
        fields.end(row)
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.ranking_id.as_ref().map_or(0, String::capacity)
    }

    fn sort_key(&self) -> u64 {
        (self.customer ^ i64::MIN).cast_unsigned()
    }
}

/// A row of a customer, by its place in the partition.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct CustomerRow {
    pub customer: i64,
    pub index: u64,
}

impl Record for CustomerRow {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.customer.to_le_bytes());
        bytes.extend_from_slice(&self.index.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let (customer, index) = (i64::from_le_bytes(fields.take()?), u64::from_le_bytes(fields.take()?));
        fields.end(CustomerRow { customer, index })
    }

    fn sort_key(&self) -> u64 {
        (self.customer ^ i64::MIN).cast_unsigned()
    }

    fn low_sort_key(&self) -> u64 {
        self.index
    }
}

/// Where a customer's history was put aside.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct CustomerHistory {
    pub customer: i64,
    pub place: HistoryPlace,
}

impl Record for CustomerHistory {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.customer.to_le_bytes());
        bytes.extend_from_slice(&self.place.offset.to_le_bytes());
        bytes.extend_from_slice(&self.place.bytes.to_le_bytes());
        bytes.extend_from_slice(&self.place.actions.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let customer = i64::from_le_bytes(fields.take()?);
        let place = HistoryPlace {
            offset: u64::from_le_bytes(fields.take()?),
            bytes: u32::from_le_bytes(fields.take()?),
            actions: u32::from_le_bytes(fields.take()?),
        };
        fields.end(CustomerHistory { customer, place })
    }

    fn sort_key(&self) -> u64 {
        (self.customer ^ i64::MIN).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn again<R: Record + Clone + PartialEq>(record: &R) -> Option<R> {
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        R::decode(&bytes)
    }

    proptest! {
        #[test]
        fn spilled_records_come_back(
            numbers in any::<(i64, u64, i32, i64, i32)>(),
            history in any::<HistoryHash>(),
            place in any::<(u64, u32, u32)>(),
            ranking_id in proptest::option::of(".{0,9}"),
        ) {
            let (customer, index, position, item_id, label) = numbers;
            let row = PartitionRow { customer, ranking_id, index, position, element: Element { item_id, label }, history };
            prop_assert_eq!(again(&row), Some(row));
            let row = CustomerRow { customer, index };
            prop_assert_eq!(again(&row), Some(row));
            let (offset, bytes, actions) = place;
            let history = CustomerHistory { customer, place: HistoryPlace { offset, bytes, actions } };
            prop_assert_eq!(again(&history), Some(history));
        }
    }
}
