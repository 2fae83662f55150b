//! Radix partition: one pass spreads the records over buckets by their sort keys; then each bucket is sorted by itself,
//! on the thread that needs it.
//!
//! A bucket fits the processor's cache, where comparisons are cheap. Sorting all records at once would move them
//! through memory a dozen times.

use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use super::keys::sort_by_keys;
use super::record::Record;
use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::resources::Resources;

/// Records in a block. Emptied blocks are reused, so spreading takes hardly more memory than the records themselves.
pub(super) const BLOCK_RECORDS: usize = 256;

/// Records in a bucket if the sort keys are evenly distributed; up to twice as many.
pub(crate) const BUCKET_RECORDS: usize = 4_096;

/// Maximum number of buckets filled at once; more buckets would cost more time to fill than they save in sorting.
const BUCKETS_MAX: usize = 1 << 12;

/// A bucket with more records is spread again: its sort keys lie closer together than those of the other buckets.
const RECORDS_MAX: usize = 8 * BUCKET_RECORDS;

/// Maximum number of threads that spread at the same time. Each thread has an open block for every bucket; all open
/// blocks together take at most a quarter of the records' memory.
const PARTITIONERS_MAX: usize = 4;

/// Unordered records that are consecutive in the sorted sequence: earlier buckets have smaller sort keys, later buckets
/// have larger ones.
#[derive(Debug)]
pub struct Bucket<R> {
    from: u64,
    blocks: Vec<Vec<R>>,
}

impl<R: Record> Bucket<R> {
    /// Returns a bucket of these records, which may be empty.
    pub fn new(records: Vec<R>) -> Self {
        let from = records.iter().map(R::sort_key).min().unwrap_or(0);
        Bucket { from, blocks: vec![records] }
    }

    /// Returns the lower bound of the bucket: its sort keys are at or above the bound, those of all earlier buckets
    /// below.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Replaces the content of `records` with the sorted records. A large bucket is sorted on all threads of
    /// `resources`.
    pub fn sort_into(self, records: &mut Vec<R>, resources: &Resources) -> Result<()> {
        records.clear();
        records.reserve(count(&self.blocks));
        self.blocks.into_iter().for_each(|block| records.extend(block));
        if records.len() > RECORDS_MAX {
            return resources.install(|| records.par_sort_unstable());
        }
        sort_by_keys(records);
        Ok(())
    }

    /// Returns the records in ascending order.
    pub fn sorted(self, resources: &Resources) -> Result<Vec<R>> {
        let mut records = Vec::new();
        self.sort_into(&mut records, resources)?;
        Ok(records)
    }

    /// Splits the bucket into the records whose sort keys are below `from` and the other records.
    pub fn cut(self, from: u64) -> (Self, Self) {
        let (before, after) = self.blocks.into_iter().flatten().partition(|record| record.sort_key() < from);
        (Bucket { from: self.from, blocks: vec![before] }, Bucket { from, blocks: vec![after] })
    }
}

/// Spreads the records of `blocks` over buckets and returns the non-empty ones, ascending. Runs on the current thread
/// pool.
///
/// Memory: the records themselves, plus at most a quarter of them.
pub(super) fn radix_partition<R: Record>(blocks: Vec<Vec<R>>) -> Result<Vec<Bucket<R>>> {
    let wider = |one: (u64, u64), other: (u64, u64)| (one.0.min(other.0), one.1.max(other.1));
    let bounds = |block: &Vec<R>| block.iter().map(|record| (record.sort_key(), record.sort_key())).reduce(wider);
    let Some((low, high)) = blocks.par_iter().filter_map(bounds).reduce_with(wider) else { return Ok(Vec::new()) };
    let records = count(&blocks);
    if low == high || records < 2 * BUCKET_RECORDS {
        return Ok(vec![Bucket { from: low, blocks }]);
    }
    let span_bits = u64::BITS - (high - low).leading_zeros();
    let bucket_bits = (records / BUCKET_RECORDS).min(BUCKETS_MAX).ilog2();
    let shift = span_bits.saturating_sub(bucket_bits);
    let place_of = |record: &R| usize_of((record.sort_key() - low) >> shift);
    let places = (low..=high).step_by(1 << shift);

    let chunk = blocks.len().div_ceil(rayon::current_num_threads().clamp(1, PARTITIONERS_MAX));
    let mut left = blocks.into_iter();
    let chunks = std::iter::from_fn(|| Some(left.by_ref().take(chunk).collect::<Vec<_>>()));
    let chunks: Vec<Vec<Vec<R>>> = chunks.take_while(|chunk| !chunk.is_empty()).collect();
    let partitioned_chunks: Result<Vec<Vec<Open<R>>>> =
        chunks.into_par_iter().map(|blocks| partition_chunk(blocks, places.clone().count(), place_of)).collect();

    let mut of_chunks: Vec<_> = partitioned_chunks?.into_iter().map(Vec::into_iter).collect();
    let mut partitioned_buckets = Vec::new();
    for from in places {
        let blocks: Vec<Vec<R>> = of_chunks.iter_mut().flat_map(Iterator::next).flat_map(Open::blocks).collect();
        match count(&blocks) {
            0 => {}
            records if records > RECORDS_MAX => partitioned_buckets.extend(radix_partition(blocks)?),
            _ => partitioned_buckets.push(Bucket { from, blocks }),
        }
    }
    Ok(partitioned_buckets)
}

fn count<R>(blocks: &[Vec<R>]) -> usize {
    blocks.iter().map(Vec::len).sum()
}

/// A bucket while it is being filled.
struct Open<R> {
    filling: Vec<R>,
    full: Vec<Vec<R>>,
}

impl<R> Open<R> {
    fn blocks(self) -> impl Iterator<Item = Vec<R>> {
        self.full.into_iter().chain([self.filling]).filter(|block| !block.is_empty())
    }
}

fn partition_chunk<R: Record>(
    blocks: Vec<Vec<R>>,
    places: usize,
    place_of: impl Fn(&R) -> usize,
) -> Result<Vec<Open<R>>> {
    let mut buckets: Vec<Open<R>> = (0..places).map(|_| Open { filling: Vec::new(), full: Vec::new() }).collect();
    let mut emptied = Vec::new();
    for mut block in blocks {
        for record in block.drain(..) {
            let bucket = buckets.get_mut(place_of(&record)).held("each record has a bucket")?;
            if bucket.filling.len() == bucket.filling.capacity() {
                let fresh = emptied.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK_RECORDS));
                let filled = std::mem::replace(&mut bucket.filling, fresh);
                bucket.full.push(filled);
            }
            bucket.filling.push(record);
        }
        emptied.push(block);
    }
    Ok(buckets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_result_is_that_of_a_plain_sort(
            few in proptest::collection::vec((any::<u64>(), any::<u8>()), 1..40),
            partitioned_over in prop_oneof![1..9_u64, 1..u64::MAX],
            records in 1..80_000_usize,
            of_block in 1..600_usize,
            cut_at in any::<u64>(),
        ) {
            // Many records from few draws: clumps, ties, and numbers over all or part of the range.
            let drawn = few.iter().cycle().take(records).zip(0_u64..);
            let mut expected: Vec<(u64, u64, u8)> =
                drawn.map(|((number, tie), place)| (number.wrapping_mul(place / 7 + 1) % partitioned_over, 0, *tie)).collect();
            // One distant number leaves all other records in a single bucket, which has to be spread again.
            expected.push((u64::MAX, 0, 0));
            let resources = Resources::default().with_threads(2);
            let blocks: Vec<_> = expected.chunks(of_block).map(<[_]>::to_vec).collect();
            let buckets = resources.install(|| radix_partition(blocks)).unwrap().unwrap();
            expected.sort_unstable();

            let mut sorted = Vec::new();
            for bucket in buckets {
                let from = bucket.from();
                prop_assert!(sorted.last().is_none_or(|(before, ..): &(u64, u64, u8)| *before < from));
                let (before, behind) = bucket.cut(cut_at % partitioned_over);
                let [before, behind] = [before, behind].map(|bucket| bucket.sorted(&resources).unwrap());
                prop_assert!(before.iter().all(|(number, ..)| *number < cut_at % partitioned_over));
                let records = [before, behind].concat();
                prop_assert!(records.first().is_some_and(|(first, ..)| *first >= from));
                let alike = records.first().map(|first| first.0) == records.last().map(|last| last.0);
                prop_assert!(alike || records.len() <= RECORDS_MAX, "{} records", records.len());
                sorted.extend(records);
            }
            prop_assert_eq!(sorted, expected);
        }
    }
}
