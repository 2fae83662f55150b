//! Raw actions with event ids, of which only the earliest of each id counts.

use super::raw::{Place, RawAction};
use crate::error::Result;
use crate::resources::Resources;
use crate::sort::{Fields, Record, Sorter, put_text};

/// An action with its event id. The derived order puts those of an id one behind the other, the earliest first, then
/// the lower type and the lower item.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct RawEvent {
    id: String,
    time_us: i64,
    kind: u8,
    item: i64,
    customer: i64,
    place: Place,
}

/// The actions of one source and batch.
///
/// Memory: a third of the budget of an audit, and scratch files beyond it.
pub(super) struct RawEvents(Sorter<RawEvent>);

impl RawEvents {
    pub(super) fn new(resources: &Resources) -> Self {
        RawEvents(Sorter::new(resources.audit_bytes() / 3, resources.scratch(), resources))
    }

    pub(super) fn push(&mut self, id: &str, customer: i64, action: RawAction) -> Result<()> {
        let RawAction { time_us, item, kind, place } = action;
        self.0.push(RawEvent { id: id.to_owned(), time_us, kind, item, customer, place })
    }

    /// Passes the customer and the action of each id to `take`.
    pub(super) fn finish(self, mut take: impl FnMut(i64, RawAction)) -> Result<()> {
        let mut last: Option<String> = None;
        for event in self.0.finish()? {
            let RawEvent { id, time_us, kind, item, customer, place } = event?;
            if last.as_ref() != Some(&id) {
                take(customer, RawAction { time_us, item, kind, place });
                last = Some(id);
            }
        }
        Ok(())
    }
}

impl Record for RawEvent {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let RawEvent { id, time_us, kind, item, customer, place: Place { file, number } } = self;
        put_text(Some(id), bytes);
        bytes.extend_from_slice(&time_us.to_le_bytes());
        bytes.push(*kind);
        bytes.extend_from_slice(&item.to_le_bytes());
        bytes.extend_from_slice(&customer.to_le_bytes());
        bytes.extend_from_slice(&file.to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let event = RawEvent {
            id: fields.text()??,
            time_us: i64::from_le_bytes(fields.take()?),
            kind: u8::from_le_bytes(fields.take()?),
            item: i64::from_le_bytes(fields.take()?),
            customer: i64::from_le_bytes(fields.take()?),
            place: Place { file: u32::from_le_bytes(fields.take()?), number: u64::from_le_bytes(fields.take()?) },
        };
        fields.end(event)
    }

    fn memory_bytes(&self) -> usize {
        std::mem::size_of::<Self>() * 5 / 4 + self.id.capacity()
    }

    /// The first bytes of the id.
    fn sort_key(&self) -> u64 {
        self.id.bytes().chain(std::iter::repeat(0)).take(8).fold(0, |key, byte| key << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_earliest_of_each_id_comes_back(
            rows in proptest::collection::vec(("[a\u{0}]{1,9}", 0..3_i64, 1..3_u8, any::<u64>()), 0..60),
            budget in 1..9_000_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let resources = Resources::default().with_scratch_folder(folder.path()).with_sort_bytes(budget);
            let mut events = RawEvents::new(&resources);
            let mut expected = std::collections::BTreeMap::new();
            for (id, time_us, kind, number) in rows {
                let place = Place { file: 3, number };
                events.push(&id, 7, RawAction { time_us, item: 5, kind, place }).unwrap();
                let least = expected.entry(id).or_insert((time_us, kind, place));
                *least = (time_us, kind, place).min(*least);
            }
            let mut taken = Vec::new();
            events.finish(|customer, action| {
                assert_eq!((customer, action.item), (7, 5));
                taken.push((action.time_us, action.kind, action.place));
            }).unwrap();
            prop_assert_eq!(taken, expected.into_values().collect::<Vec<_>>());
        }
    }
}
