//! The sortable digest of a row: enough to test for equality, and its position.

use crate::format::Hasher;
use crate::model::{ExtraColumn, ExtraColumns};
use crate::output::ProducedRow;
use crate::sort::{Fields, Record, put_text};

/// The further columns whose cells are compared; `dt` instead belongs to the identity of a row.
pub(super) const COMPARED: [ExtraColumn; 3] =
    [ExtraColumn::HistoryLength, ExtraColumn::ActionAges, ExtraColumn::ActionTimes];

/// A hash of a list. XXH3-128.
pub(super) type ListHash = [u8; 16];

/// One row. The order is by identity, then cells, then position.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct RowDigest {
    pub customer: i64,
    pub ranking_id: Option<String>,
    pub position: i32,
    /// The day in the column `dt`, if it exists and differs from the day of the partition.
    pub other_dt: Option<String>,
    pub item: i64,
    pub label: i32,
    pub actions: ListHash,
    pub action_types: ListHash,
    /// Hashes of the further columns that both sides have, in order.
    pub extra: [ListHash; 3],
    /// The part file, from 0.
    pub part: u32,
    /// Its number in it, from 1.
    pub row: u64,
}

impl RowDigest {
    /// Returns the digest of a row of the partition of `dt`; of its further columns, those in `shared` count.
    pub(super) fn new(dt: &str, part: u32, shared: ExtraColumns, row: &ProducedRow) -> Self {
        let extra = COMPARED.map(|column| hash(values(row, shared, column).iter().map(|value| value.to_le_bytes())));
        RowDigest {
            customer: row.customer_id,
            ranking_id: row.ranking_id.clone(),
            position: row.impression_pos,
            other_dt: row.dt.clone().filter(|own| own != dt),
            item: row.impression_item_id,
            label: row.label,
            actions: hash(row.actions.iter().map(|item| item.to_le_bytes())),
            action_types: hash(row.action_types.iter().map(|number| number.to_le_bytes())),
            extra,
            part,
            row: row.row,
        }
    }

    /// Returns the identity, which distinguishes most rows.
    pub(super) fn identity(&self) -> (i64, Option<&str>, i32, Option<&str>) {
        (self.customer, self.ranking_id.as_deref(), self.position, self.other_dt.as_deref())
    }

    /// Returns all other cells.
    pub(super) fn cells(&self) -> (i64, i32, ListHash, ListHash, [ListHash; 3]) {
        (self.item, self.label, self.actions, self.action_types, self.extra)
    }
}

/// Returns a row's list or value in a further column; nothing if the column is not in `shared`.
pub(super) fn values(row: &ProducedRow, shared: ExtraColumns, column: ExtraColumn) -> Vec<i64> {
    match column {
        _ if !shared.has(column) => Vec::new(),
        ExtraColumn::Dt => Vec::new(),
        ExtraColumn::HistoryLength => row.history_length.map(i64::from).into_iter().collect(),
        ExtraColumn::ActionAges => row.action_ages.iter().flatten().copied().map(i64::from).collect(),
        ExtraColumn::ActionTimes => row.action_times.clone().unwrap_or_default(),
    }
}

fn hash<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> ListHash {
    let bytes: Vec<u8> = values.flatten().collect();
    let mut hasher = Hasher::new();
    hasher.add(&bytes);
    hasher.digest()
}

impl Record for RowDigest {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let RowDigest {
            customer,
            ranking_id,
            position,
            other_dt,
            item,
            label,
            actions,
            action_types,
            extra,
            part,
            row,
        } = self;
        bytes.extend_from_slice(&customer.to_le_bytes());
        bytes.extend_from_slice(&position.to_le_bytes());
        bytes.extend_from_slice(&item.to_le_bytes());
        bytes.extend_from_slice(&label.to_le_bytes());
        bytes.extend_from_slice(actions);
        bytes.extend_from_slice(action_types);
        bytes.extend_from_slice(extra.as_flattened());
        bytes.extend_from_slice(&part.to_le_bytes());
        bytes.extend_from_slice(&row.to_le_bytes());
        put_text(ranking_id.as_deref(), bytes);
        put_text(other_dt.as_deref(), bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let digest = RowDigest {
            customer: i64::from_le_bytes(fields.take()?),
            position: i32::from_le_bytes(fields.take()?),
            item: i64::from_le_bytes(fields.take()?),
            label: i32::from_le_bytes(fields.take()?),
            actions: fields.take()?,
            action_types: fields.take()?,
            extra: [fields.take()?, fields.take()?, fields.take()?],
            part: u32::from_le_bytes(fields.take()?),
            row: u64::from_le_bytes(fields.take()?),
            ranking_id: fields.text()?,
            other_dt: fields.text()?,
        };
        fields.end(digest)
    }

    fn memory_bytes(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        std::mem::size_of::<Self>() + text(&self.ranking_id) + text(&self.other_dt)
    }

    fn sort_key(&self) -> u64 {
        (self.customer ^ i64::MIN).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spilled_marks_come_back(
            numbers in any::<(i64, i32, i64, i32, u32, u64)>(),
            hashes in any::<(ListHash, ListHash, [ListHash; 3])>(),
            ranking_id in proptest::option::of(".{0,9}"),
            other_dt in proptest::option::of(".{0,9}"),
        ) {
            let (customer, position, item, label, part, row) = numbers;
            let (actions, action_types, extra) = hashes;
            let row_digest =
                RowDigest { customer, ranking_id, position, other_dt, item, label, actions, action_types, extra, part, row };
            let mut bytes = Vec::new();
            row_digest.encode(&mut bytes);
            prop_assert_eq!(RowDigest::decode(&bytes), Some(row_digest));
        }
    }
}
