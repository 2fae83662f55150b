//! The impressions of a day, put aside in the order of customers, each with the place of its history.
//!
//! A record is: its length without these bytes (4); offset (8), length (4) and actions (4) of its history; how many
//! equal impressions precede it (8); and the impression as it is sorted, whose elements begin behind customer (8) and
//! their number (8). All integers are little-endian.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::model::{CustomerId, Element, Impression};
use crate::produce::{HistoryPlace, Numbered};
use crate::resources::{Spool, SpoolContent};
use crate::sort::{Fields, Record as _};

/// The bytes of a record before its elements.
const HEAD_BYTES: usize = 4 + 16 + 8 + 16;

/// The bytes of an element.
const ELEMENT_BYTES: usize = 12;

/// The invariant of reading what was written.
const AS_WRITTEN: &str = "impressions are read as they were written";

/// Where a row is: its impression's offset, and its position in the list.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct RowPlace {
    pub impression: u64,
    pub position: u32,
}

impl RowPlace {
    pub(super) const BYTES: usize = 12;

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.impression.to_le_bytes());
        bytes.extend_from_slice(&self.position.to_le_bytes());
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (impression, bytes) = bytes.split_first_chunk()?;
        let (position, _) = bytes.split_first_chunk()?;
        Some(RowPlace { impression: u64::from_le_bytes(*impression), position: u32::from_le_bytes(*position) })
    }
}

/// Neighbouring impressions.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Block {
    offset: u64,
    bytes: usize,
    /// Whether the first customer is that of the block before.
    pub continues: bool,
}

/// What the rows of an impression have in common.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    pub customer: i64,
    pub history: HistoryPlace,
    bytes: usize,
    elements: usize,
}

/// The impressions of a day. Memory: that of a [`Spool`], and 24 bytes for each thousand rows.
pub(super) struct Impressions {
    spool: Spool,
    pub blocks: Vec<Block>,
    last: Option<CustomerId>,
}

impl Impressions {
    /// Returns impressions to be appended to `spool`.
    pub(super) fn new(spool: Spool) -> Self {
        Impressions { spool, blocks: Vec::new(), last: None }
    }

    /// Returns impressions that were appended to `spool` before, as these blocks.
    pub(super) fn of_blocks(spool: Spool, blocks: Vec<Block>) -> Self {
        Impressions { spool, blocks, last: None }
    }

    /// Returns where the bytes are.
    pub(super) fn content(&self) -> SpoolContent<'_> {
        self.spool.content()
    }

    /// Appends a block. Impressions come in the order of customers.
    pub(super) fn append(&mut self, block: &[(Numbered, HistoryPlace)]) -> Result<()> {
        let mut bytes = Vec::new();
        for (Numbered { impression, copy }, history) in block {
            let begin = bytes.len();
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&history.offset.to_le_bytes());
            bytes.extend_from_slice(&history.bytes.to_le_bytes());
            bytes.extend_from_slice(&history.actions.to_le_bytes());
            bytes.extend_from_slice(&copy.to_le_bytes());
            impression.encode(&mut bytes);
            let length = u32::try_from(bytes.len() - begin - 4).held("an impression takes less than 4 GiB")?;
            bytes.iter_mut().skip(begin).zip(length.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        let customer = |one: Option<&(Numbered, HistoryPlace)>| one.map(|(numbered, _)| numbered.impression.customer);
        let continues = self.last.is_some() && customer(block.first()) == self.last;
        self.last = customer(block.last()).or(self.last);
        let offset = self.spool.append(&bytes)?;
        self.blocks.push(Block { offset, bytes: bytes.len(), continues });
        Ok(())
    }

    /// Passes each impression of a block to `take`, with its offset and the number of equal ones before it.
    pub(super) fn each(&self, block: Block, mut take: impl FnMut(u64, u64, &Impression) -> Result<()>) -> Result<()> {
        let mut buffer = Vec::new();
        let mut rest = self.spool.read(block.offset, block.bytes, &mut buffer)?;
        let mut offset = block.offset;
        while !rest.is_empty() {
            let (length, behind) = rest.split_first_chunk().held(AS_WRITTEN)?;
            let (record, behind) = behind.split_at_checked(usize_of(u32::from_le_bytes(*length))).held(AS_WRITTEN)?;
            let (_history, bytes) = record.split_first_chunk::<16>().held(AS_WRITTEN)?;
            let (copy, bytes) = bytes.split_first_chunk().held(AS_WRITTEN)?;
            take(offset, u64::from_le_bytes(*copy), &Impression::decode(bytes).held(AS_WRITTEN)?)?;
            offset += 4 + record.len() as u64;
            rest = behind;
        }
        Ok(())
    }

    /// Reads what the rows of the impression at `offset` have in common. `buffer` is reused for bytes of the file.
    pub(super) fn head(&self, offset: u64, buffer: &mut Vec<u8>) -> Result<Head> {
        let bytes = self.spool.read(offset, HEAD_BYTES, buffer)?;
        parsed_head(bytes).held(AS_WRITTEN)
    }

    /// Reads the element of a row.
    pub(super) fn element(&self, place: RowPlace, buffer: &mut Vec<u8>) -> Result<Element> {
        let offset = place.impression + (HEAD_BYTES + usize_of(place.position) * ELEMENT_BYTES) as u64;
        parsed_element(self.spool.read(offset, ELEMENT_BYTES, buffer)?).held(AS_WRITTEN)
    }

    /// Reads the ranking id of the impression at `offset`.
    pub(super) fn ranking_id(&self, offset: u64, head: &Head, buffer: &mut Vec<u8>) -> Result<Option<String>> {
        let before = HEAD_BYTES + head.elements * ELEMENT_BYTES;
        let length = (4 + head.bytes).checked_sub(before).held(AS_WRITTEN)?;
        Fields(self.spool.read(offset + before as u64, length, buffer)?).text().held(AS_WRITTEN)
    }
}

fn parsed_head(bytes: &[u8]) -> Option<Head> {
    let mut fields = Fields(bytes);
    let length = u32::from_le_bytes(fields.take()?);
    let history = HistoryPlace {
        offset: u64::from_le_bytes(fields.take()?),
        bytes: u32::from_le_bytes(fields.take()?),
        actions: u32::from_le_bytes(fields.take()?),
    };
    let _copy: [u8; 8] = fields.take()?;
    let customer = i64::from_le_bytes(fields.take()?);
    let elements = usize_of(u64::from_le_bytes(fields.take()?));
    Some(Head { customer, history, bytes: usize_of(length), elements })
}

fn parsed_element(bytes: &[u8]) -> Option<Element> {
    let mut fields = Fields(bytes);
    Some(Element { item_id: i64::from_le_bytes(fields.take()?), label: i32::from_le_bytes(fields.take()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::Scratch;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_read_as_they_were_appended(
            blocks in proptest::collection::vec(
                proptest::collection::vec(
                    (-2..3_i64, proptest::option::of(".{0,9}"), proptest::collection::vec((any::<i64>(), 0..=1), 1..5)),
                    1..6,
                ),
                1..5,
            ),
            memory_max in prop_oneof![Just(0_usize), Just(usize::MAX)],
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut put = Impressions::new(Spool::new(Scratch::new(folder.path().join("scratch")), memory_max));
            let mut impressions = Vec::new();
            for block in blocks {
                let made: Vec<_> = block
                    .into_iter()
                    .map(|(customer, ranking_id, elements)| {
                        let elements = elements.into_iter().map(|(item_id, label)| Element { item_id, label }).collect();
                        let impression = Impression { customer: CustomerId(customer), ranking_id, elements };
                        let number = u32::try_from(impressions.len()).unwrap();
                        impressions.push(impression.clone());
                        let history = HistoryPlace { offset: 7, bytes: number, actions: 9 };
                        (Numbered { impression, copy: u64::from(number) }, history)
                    })
                    .collect();
                put.append(&made).unwrap();
            }
            let mut offsets = Vec::new();
            for block in &put.blocks {
                let first = offsets.len();
                put.each(*block, |offset, copy, impression| {
                    assert_eq!((copy, impression), (offsets.len() as u64, &impressions[offsets.len()]));
                    offsets.push(offset);
                    Ok(())
                })
                .unwrap();
                let same = first > 0 && impressions[first].customer == impressions[first - 1].customer;
                prop_assert_eq!(block.continues, same);
            }
            prop_assert_eq!(offsets.len(), impressions.len());
            let mut buffer = Vec::new();
            for (number, (offset, impression)) in offsets.iter().zip(&impressions).enumerate().rev() {
                let head = put.head(*offset, &mut buffer).unwrap();
                prop_assert_eq!(head.customer, impression.customer.0);
                prop_assert_eq!(usize_of(head.history.bytes), number);
                prop_assert_eq!(&put.ranking_id(*offset, &head, &mut buffer).unwrap(), &impression.ranking_id);
                for (position, element) in (0..).zip(&impression.elements) {
                    let place = RowPlace { impression: *offset, position };
                    prop_assert_eq!(put.element(place, &mut buffer).unwrap(), *element);
                    let mut bytes = Vec::new();
                    place.encode(&mut bytes);
                    prop_assert_eq!(bytes.len(), RowPlace::BYTES);
                    prop_assert_eq!(RowPlace::decode(&bytes), Some(place));
                }
            }
        }
    }
}
