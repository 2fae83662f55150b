//! Rows of a batch that were delivered more than once: of those of a source with the same event id, the earliest stays.

use std::cmp::Ordering;

use xxhash_rust::xxh3::xxh3_64;

use super::actions::ReadAction;
use super::written::Written;
use crate::error::Result;
use crate::model::{Action, ActionType, CustomerId, Day};
use crate::sort::{Fields, Record, Sorter, put_text};

/// An action with its event id. Its order puts actions with the same id of the same source one behind the other, and
/// among them the earliest first, then the lower type, item and customer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct IdentifiedAction<T = ()> {
    /// A hash of the id, so that ids that begin alike are spread evenly.
    hash: u64,
    /// The number of the source.
    source: u8,
    id: String,
    read: ReadAction,
    /// What its customer or item is written as, if that must be kept.
    written: T,
    /// How many actions with this id were left out for this one when it was spilled.
    left_out: u64,
}

impl<T: Written> IdentifiedAction<T> {
    /// Returns an action of the source with this number.
    pub(crate) fn new(source: u8, id: &str, read: ReadAction, written: T) -> Self {
        IdentifiedAction { hash: xxh3_64(id.as_bytes()), source, id: id.to_owned(), read, written, left_out: 0 }
    }

    fn is_same_event(&self, other: &Self) -> bool {
        (self.hash, self.source, &self.id) == (other.hash, other.source, &other.id)
    }

    fn order(&self) -> impl Ord + use<'_, T> {
        let ReadAction { customer, action: Action { time_us, item_id, action_type }, day } = self.read;
        let rest = (time_us, action_type.number(), item_id, customer.0, day.number());
        (self.hash, self.source, &self.id, rest, &self.written, self.left_out)
    }
}

/// Passes the earliest action of each id to `take`, and returns how many others there are. Actions come in an order of
/// no meaning.
pub(crate) fn each_distinct<T: Written>(
    sorter: Sorter<IdentifiedAction<T>>,
    mut take: impl FnMut(ReadAction, T) -> Result<()>,
) -> Result<u64> {
    let (mut left_out, mut last) = (0, None);
    for identified in sorter.finish()? {
        let identified = identified?;
        left_out += identified.left_out;
        if last.as_ref().is_some_and(|last: &IdentifiedAction<T>| last.is_same_event(&identified)) {
            left_out += 1;
        } else {
            take(identified.read, identified.written.clone())?;
            last = Some(identified);
        }
    }
    Ok(left_out)
}

impl<T: Written> Ord for IdentifiedAction<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl<T: Written> PartialOrd for IdentifiedAction<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Written> Record for IdentifiedAction<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let IdentifiedAction { hash, source, id, read, written, left_out } = self;
        let ReadAction { customer, action: Action { time_us, item_id, action_type }, day } = read;
        bytes.extend_from_slice(&hash.to_le_bytes());
        bytes.push(*source);
        put_text(Some(id), bytes);
        bytes.extend_from_slice(&customer.0.to_le_bytes());
        bytes.extend_from_slice(&time_us.to_le_bytes());
        bytes.extend_from_slice(&item_id.to_le_bytes());
        bytes.push(action_type.number());
        bytes.extend_from_slice(&day.number().to_le_bytes());
        bytes.extend_from_slice(&left_out.to_le_bytes());
        written.put(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let (hash, source) = (u64::from_le_bytes(fields.take()?), u8::from_le_bytes(fields.take()?));
        let id = fields.text()??;
        let customer = CustomerId(i64::from_le_bytes(fields.take()?));
        let action = Action {
            time_us: i64::from_le_bytes(fields.take()?),
            item_id: i64::from_le_bytes(fields.take()?),
            action_type: ActionType::from_number(u8::from_le_bytes(fields.take()?))?,
        };
        let day = Day::from_number(i32::from_le_bytes(fields.take()?))?;
        let left_out = u64::from_le_bytes(fields.take()?);
        let (read, written) = (ReadAction { customer, action, day }, T::take(&mut fields)?);
        fields.end(IdentifiedAction { hash, source, id, read, written, left_out })
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() * 5 / 4 + self.id.capacity() + self.written.len()
    }

    fn absorb(&mut self, following: &Self) -> bool {
        let is_same = self.is_same_event(following);
        self.left_out += if is_same { following.left_out + 1 } else { 0 };
        is_same
    }

    fn sort_key(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::resources::{Resources, Scratch};

    /// Time, type, item, customer, and what one of the two is written as.
    type Row = (i64, u8, i64, i64, Box<str>);

    proptest! {
        #[test]
        fn the_earliest_of_each_id_stays_however_much_is_spilled(
            rows in proptest::collection::vec(
                (0..2_u8, "[ab]{1,2}", 0..3_i64, 0..3_i64, 1..3_u8, 1..3_i64, "[xy]?"), 0..200,
            ),
            budget in 1..4_000_usize,
        ) {
            let (folder, resources) = (tempfile::tempdir().unwrap(), Resources::default());
            let mut sorter = Sorter::new(budget, Scratch::new(folder.path().join("s")), &resources);
            let mut expected: BTreeMap<(u8, String), Row> = BTreeMap::new();
            for (source, id, time_us, customer, kind, item_id, written) in &rows {
                let action_type = ActionType::from_number(*kind).unwrap();
                let action = Action { time_us: *time_us, item_id: *item_id, action_type };
                let read = ReadAction { customer: CustomerId(*customer), action, day: Day::FIRST };
                let identified = IdentifiedAction::<Box<str>>::new(*source, id, read, written.as_str().into());
                let mut bytes = Vec::new();
                identified.encode(&mut bytes);
                let decoded = IdentifiedAction::decode(&bytes);
                prop_assert_eq!(decoded.as_ref(), Some(&identified));
                sorter.push(identified).unwrap();
                let row = (*time_us, *kind, *item_id, *customer, written.as_str().into());
                let earliest = expected.entry((*source, id.clone())).or_insert_with(|| row.clone());
                *earliest = row.min(earliest.clone());
            }
            let mut taken = Vec::new();
            let left_out = each_distinct(sorter, |read, written| {
                let Action { time_us, item_id, action_type } = read.action;
                taken.push((time_us, action_type.number(), item_id, read.customer.0, written));
                Ok(())
            }).unwrap();
            prop_assert_eq!(left_out, (rows.len() - expected.len()) as u64);
            let mut expected: Vec<_> = expected.into_values().collect();
            expected.sort_unstable();
            taken.sort_unstable();
            prop_assert_eq!(taken, expected);
        }
    }
}
