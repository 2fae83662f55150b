//! The order of the rows of an epoch.
//!
//! 1. Threads read the impressions block by block, and give each row its key: the hash of the row, or of its
//!    impression, with seed and epoch; in the order of customers its place.
//! 2. The keys are sorted within the memory for sorting, and spill to disk beyond it.
//! 3. The places of the rows are written in this order, 12 bytes each, so that reading can begin at any row.

use super::day_rows::DayRows;
use super::impressions::{Block, RowPlace};
use super::row_limit::RowLimit;
use crate::error::Result;
use crate::exact::Held;
use crate::model::{OrderKey, OrderKind, Places};
use crate::parallel::each;
use crate::resources::Spool;
use crate::sort::{Feed, Record, SharedSorter, Sorter};

/// Places that are written at once.
const PLACES_AT_ONCE: usize = 4_096;

/// A row with its key in an order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct KeyedPlace {
    key: OrderKey,
    place: RowPlace,
}

impl Record for KeyedPlace {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.key.0.to_le_bytes());
        self.place.encode(bytes);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (key, bytes) = bytes.split_first_chunk()?;
        Some(KeyedPlace { key: OrderKey(u128::from_le_bytes(*key)), place: RowPlace::decode(bytes)? })
    }

    fn sort_key(&self) -> u64 {
        (self.key.0 >> 64) as u64
    }

    fn low_sort_key(&self) -> u64 {
        self.key.0 as u64
    }
}

/// Where the rows of an epoch are, in its order. Memory: that of a [`Spool`].
pub(super) struct Order {
    places: Spool,
}

impl Order {
    /// Sorts the rows of an epoch. Memory: that for sorting, and for each thread one block of impressions.
    pub(super) fn of_epoch(day: &DayRows, epoch: u64) -> Result<Self> {
        let resources = &day.resources;
        let sorter = SharedSorter::new(Sorter::new(resources.sort_bytes(), resources.scratch(), resources));
        // The rows of a customer stay together where they are counted.
        let is_counted = day.max_rows_per_customer.is_some();
        let jobs: Vec<&[Block]> = day.impressions.blocks.chunk_by(|_, next| is_counted && next.continues).collect();
        let keyed = each(resources, &jobs, |blocks| {
            let mut feed = sorter.feed()?;
            add_keys(day, epoch, blocks, &mut feed)?;
            feed.finish()
        });
        // A failed sorter is the cause of the other error, so its error is returned first.
        let sorter = sorter.into_sorter()?;
        keyed?;
        let mut places = Spool::new(resources.scratch(), resources.spool_bytes());
        let (mut bytes, mut sorted) = (Vec::new(), sorter.finish()?.peekable());
        while sorted.peek().is_some() {
            resources.check()?;
            bytes.clear();
            for keyed in sorted.by_ref().take(PLACES_AT_ONCE) {
                keyed?.place.encode(&mut bytes);
            }
            places.append(&bytes)?;
        }
        Ok(Order { places })
    }

    /// Returns the number of rows.
    pub(super) fn rows(&self) -> u64 {
        self.places.length() / RowPlace::BYTES as u64
    }

    /// Appends the places of `count` rows from row `from` on to `places`. `buffer` is reused for bytes of the file.
    pub(super) fn read(&self, from: u64, count: usize, buffer: &mut Vec<u8>, places: &mut Vec<RowPlace>) -> Result<()> {
        let bytes = self.places.read(from * RowPlace::BYTES as u64, count * RowPlace::BYTES, buffer)?;
        for place in bytes.chunks_exact(RowPlace::BYTES) {
            places.push(RowPlace::decode(place).held("places are read as they were written")?);
        }
        Ok(())
    }
}

/// Adds the rows of these blocks, with their keys in the epoch.
fn add_keys(day: &DayRows, epoch: u64, blocks: &[Block], feed: &mut Feed<'_, KeyedPlace>) -> Result<()> {
    let (order, dt) = (day.settings.order, day.settings.dt);
    let seed = order.seed().unwrap_or(0);
    let mut limit = RowLimit::new(day.max_rows_per_customer);
    for block in blocks {
        day.impressions.each(*block, |offset, copy, impression| {
            let keys = Places::of_epoch(seed, epoch, dt, impression, copy);
            let in_epoch_0 = day.max_rows_per_customer.map(|_| Places::of(seed, dt, impression, copy));
            for (position, _) in (0..).zip(&impression.elements) {
                let place = RowPlace { impression: offset, position };
                let index = i32::try_from(position).held("the positions of a list fit their column")?;
                let key = match order.kind() {
                    OrderKind::Shuffled => keys.row(index),
                    OrderKind::Carousel => keys.whole(),
                    OrderKind::Customer => OrderKey(u128::from(offset) << 64 | u128::from(position)),
                };
                let keyed = KeyedPlace { key, place };
                limit.push(
                    impression.customer,
                    || in_epoch_0.map(|keys| keys.row(index)),
                    keyed,
                    |keyed| feed.push(keyed),
                )?;
            }
            Ok(())
        })?;
    }
    limit.finish(|keyed| feed.push(keyed))
}
