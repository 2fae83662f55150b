//! Audits rows in a shuffled order: their order, and then their histories.

use super::compare::{Comparison, Expected, Key, expected_rows_of};
use super::group::{CustomerPlace, Group, Wanted};
use super::padded::Padded;
use super::raw::{Place, RawImpression};
use super::rows::Rows;
use crate::error::Result;
use crate::model::{CustomerId, Element, Impression, OrderKey, Places, RowOrder};
use crate::sort::{Fields, Record, Sorter, put_text};

/// A shuffled order.
pub(super) struct Order {
    seed: u64,
    /// Whether each row has its own sort key, rather than each impression.
    by_row: bool,
}

/// An expected row, with its sort key. The derived order is that of the output.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct ExpectedRow {
    /// 0 for the rows of one store.
    shard: u32,
    key: OrderKey,
    position: i32,
    customer: i64,
    item: i64,
    label: i32,
    place: Place,
    ranking_id: Option<String>,
}

impl Order {
    /// Returns the shuffled order; `None` for any other order.
    pub(super) fn of(order: RowOrder) -> Option<Self> {
        let by_row = matches!(order, RowOrder::Shuffled(_));
        order.seed().map(|seed| Order { seed, by_row })
    }

    /// Computes the order from the impressions, and compares each row, without its history, with the row expected
    /// there.
    ///
    /// Memory: the budget; beyond it, sorted runs in the folder for scratch files of `resources`.
    pub(super) fn compare(
        &self,
        wanted: &Wanted<'_>,
        comparison: &mut Comparison<'_>,
        rows: &mut Rows<'_>,
    ) -> Result<()> {
        // Both are in memory at once, and sorting takes a quarter more.
        let budget_bytes = wanted.budget_bytes / 3;
        let wanted = &Wanted { budget_bytes, ..*wanted };
        let mut sorter = Sorter::new(budget_bytes, wanted.resources.scratch(), wanted.resources);
        let mut after = None;
        loop {
            let group = Group::gather_impressions(wanted, after)?;
            for (of, case) in &group.customers {
                after = Some(*of);
                let mut last: Option<(&RawImpression, u64)> = None;
                for impression in &case.impressions {
                    // Equal impressions are neighbours.
                    let copy = last.filter(|(last, _)| same(last, impression)).map_or(0, |(_, copy)| copy + 1);
                    last = Some((impression, copy));
                    self.expect(*of, impression, copy, wanted, &mut sorter)?;
                }
            }
            if group.is_last {
                break;
            }
        }
        let mut expected = sorter.finish()?;
        let mut next = expected.next().transpose()?;
        while let Some(row) = next {
            next = expected.next().transpose()?;
            comparison.shown(&row.expected(), next.as_ref().map(|next| next.expected().key), rows)?;
            rows.step();
        }
        Ok(())
    }

    fn expect(
        &self,
        CustomerPlace { shard, customer }: CustomerPlace,
        raw: &RawImpression,
        copy: u64,
        wanted: &Wanted<'_>,
        sorter: &mut Sorter<ExpectedRow>,
    ) -> Result<()> {
        let elements = raw.elements.iter().map(|(item_id, label)| Element { item_id: *item_id, label: *label });
        let ranking_id = raw.ranking_id.clone();
        let impression = Impression { customer: CustomerId(customer), ranking_id, elements: elements.collect() };
        let places = Places::of(self.seed, wanted.dt, &impression, copy);
        for Expected { key: Key { ranking_id, position, item, .. }, label, place } in expected_rows_of(customer, raw) {
            let key = if self.by_row { places.row(position) } else { places.whole() };
            let ranking_id = ranking_id.map(str::to_owned);
            sorter.push(ExpectedRow { shard, key, position, customer, item, label, place, ranking_id })?;
        }
        Ok(())
    }
}

/// Compares the histories of the group's customers, wherever in the partition their rows stand.
pub(super) fn compare_anywhere(
    group: &Group,
    wanted: &Wanted<'_>,
    comparison: &mut Comparison<'_>,
    mut rows: Rows<'_>,
) -> Result<()> {
    let mut last: Option<(i64, Padded)> = None;
    loop {
        rows.look(1)?;
        let Some(found) = rows.ahead(0) else { return Ok(()) };
        let customer = found.row.customer_id;
        if let Some(case) = group.customers.get(&wanted.place_of(customer)) {
            let (_, history) = match last.take() {
                Some((of, history)) if of == customer => last.insert((of, history)),
                _ => last.insert((customer, Padded::of(case, wanted)?)),
            };
            comparison.history(case, history, found, &rows)?;
        }
        rows.step();
    }
}

/// Whether two impressions of a customer are equal, apart from their positions in the raw files.
fn same(one: &RawImpression, other: &RawImpression) -> bool {
    (&one.ranking_id, &one.elements) == (&other.ranking_id, &other.elements)
}

impl ExpectedRow {
    fn expected(&self) -> Expected<'_> {
        let ExpectedRow { position, customer, item, label, place, ranking_id, .. } = self;
        let key = Key { customer: *customer, ranking_id: ranking_id.as_deref(), position: *position, item: *item };
        Expected { key, label: *label, place: *place }
    }
}

impl Record for ExpectedRow {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let ExpectedRow { shard, key, position, customer, item, label, place, ranking_id } = self;
        let Place { file, number } = place;
        bytes.extend_from_slice(&shard.to_le_bytes());
        bytes.extend_from_slice(&key.0.to_le_bytes());
        bytes.extend_from_slice(&position.to_le_bytes());
        bytes.extend_from_slice(&customer.to_le_bytes());
        bytes.extend_from_slice(&item.to_le_bytes());
        bytes.extend_from_slice(&label.to_le_bytes());
        bytes.extend_from_slice(&file.to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        put_text(ranking_id.as_deref(), bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let row = ExpectedRow {
            shard: u32::from_le_bytes(fields.take()?),
            key: OrderKey(u128::from_le_bytes(fields.take()?)),
            position: i32::from_le_bytes(fields.take()?),
            customer: i64::from_le_bytes(fields.take()?),
            item: i64::from_le_bytes(fields.take()?),
            label: i32::from_le_bytes(fields.take()?),
            place: Place { file: u32::from_le_bytes(fields.take()?), number: u64::from_le_bytes(fields.take()?) },
            ranking_id: fields.text()?,
        };
        fields.end(row)
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() + self.ranking_id.as_ref().map_or(0, String::capacity)
    }

    /// The number of a shard has 16 bits: see [`crate::model::Shards::MAX`].
    fn sort_key(&self) -> u64 {
        u64::from(self.shard) << 48 | (self.key.0 >> 80) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spilled_rows_come_back(
            shard in 0..65_536_u32, key in any::<u128>(), numbers in any::<(i32, i64, i64, i32)>(), file in any::<u32>(), number in any::<u64>(),
            ranking_id in proptest::option::of(".{0,9}"),
        ) {
            let (position, customer, item, label) = numbers;
            let place = Place { file, number };
            let expected = ExpectedRow { shard, key: OrderKey(key), position, customer, item, label, place, ranking_id };
            let mut bytes = Vec::new();
            expected.encode(&mut bytes);
            prop_assert_eq!(ExpectedRow::decode(&bytes), Some(expected));
        }
    }
}
