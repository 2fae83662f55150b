//! Sorting within a memory budget.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::{Flatten, Peekable};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::bucket::{BLOCK_RECORDS, Bucket, radix_partition};
use super::record::Record;
use super::run::{RunReader, spill};
use crate::error::Result;
use crate::resources::{Resources, Scratch};

/// Runs of one tier; as many are merged into one of the next tier, so that open files and their buffers stay few.
const RUNS_MAX: usize = 64;

/// An external sorter that takes records in any order.
///
/// 1. Records gather in memory until they exceed `budget_bytes`; then they are sorted and spilled as a run. 64 runs are
///    merged into a longer one, and 64 of these again.
/// 2. `finish` sorts the rest and merges it with the runs; without runs, `buckets` leaves the sorting to its caller.
///
/// Memory: `budget_bytes`; while sorting, partly filled blocks of at most a quarter of the records' own size; and while
/// merging, 4 MiB for each tier of runs.
pub struct Sorter<R> {
    blocks: Vec<Vec<R>>,
    gathered_bytes: usize,
    budget_bytes: usize,
    /// The runs by tier: spilled ones, merged ones, and so on.
    tiers: Vec<Vec<RunReader>>,
    scratch: Scratch,
    resources: Resources,
}

impl<R: Record> Sorter<R> {
    /// Returns a sorter that spills into `scratch` when the records in memory exceed `budget_bytes`. It sorts on the
    /// threads of `resources`; spilling and finishing fail after a request to stop.
    pub fn new(budget_bytes: usize, scratch: Scratch, resources: &Resources) -> Self {
        let (blocks, tiers, resources) = (Vec::new(), Vec::new(), resources.clone());
        Sorter { blocks, gathered_bytes: 0, budget_bytes, tiers, scratch, resources }
    }

    /// Gives half of the budget to a new sorter of other records, for sorts that are in memory at once.
    pub fn half<S: Record>(&mut self) -> Sorter<S> {
        self.budget_bytes /= 2;
        Sorter::new(self.budget_bytes, self.scratch.beside(), &self.resources)
    }

    /// Takes one record.
    pub fn push(&mut self, record: R) -> Result<()> {
        self.spill_if_full(record.memory_bytes())?;
        match self.blocks.last_mut().filter(|block| block.len() < block.capacity()) {
            Some(block) => block.push(record),
            None => {
                let mut block = Vec::with_capacity(BLOCK_RECORDS);
                block.push(record);
                self.blocks.push(block);
            }
        }
        Ok(())
    }

    /// Takes a block of records, ideally of [`BLOCK_RECORDS`], without copying them. The records of a small block are
    /// copied into shared blocks, since its capacity may be that of a full one.
    pub fn append(&mut self, block: Vec<R>) -> Result<()> {
        if block.len() < BLOCK_RECORDS / 2 {
            return block.into_iter().try_for_each(|record| self.push(record));
        }
        self.spill_if_full(block.iter().map(R::memory_bytes).sum())?;
        self.blocks.push(block);
        Ok(())
    }

    /// Spills the gathered records if together with `more_bytes` they exceed the budget.
    fn spill_if_full(&mut self, more_bytes: usize) -> Result<()> {
        if self.gathered_bytes + more_bytes > self.budget_bytes && !self.blocks.is_empty() {
            let buckets = sorted_buckets(std::mem::take(&mut self.blocks), &self.resources)?;
            let records = buckets.into_iter().flatten().map(Ok);
            let run = spill(records, &mut self.scratch, self.resources.cancel())?;
            self.add_run(run)?;
            self.gathered_bytes = 0;
        }
        self.gathered_bytes += more_bytes;
        Ok(())
    }

    /// Adds a run, and merges the runs of each tier that is full.
    fn add_run(&mut self, run: RunReader) -> Result<()> {
        let mut run = Some(run);
        for tier in &mut self.tiers {
            tier.extend(run.take());
            if tier.len() < RUNS_MAX {
                return Ok(());
            }
            let merge = Merge::<R>::new(std::mem::take(tier))?;
            run = Some(spill(merge, &mut self.scratch, self.resources.cancel())?);
        }
        self.tiers.extend(run.map(|run| vec![run]));
        Ok(())
    }

    /// Returns all records in ascending order.
    pub fn finish(self) -> Result<Sorted<R>> {
        let merge = Merge::new(self.tiers.into_iter().flatten().collect())?;
        let gathered = sorted_buckets(self.blocks, &self.resources)?.into_iter().flatten().peekable();
        Ok(Sorted { gathered, merge, _scratch: self.scratch })
    }

    /// Returns all records, in buckets to be sorted separately, or merged if some were spilled.
    pub fn buckets(self) -> Result<Buckets<R>> {
        if self.tiers.is_empty() {
            self.resources.check()?;
            return Ok(Buckets::Apart(self.resources.install(|| radix_partition(self.blocks))??.into_iter()));
        }
        self.finish().map(Box::new).map(Buckets::Merged)
    }
}

/// The records of a [`Sorter`], not all of them sorted yet.
pub enum Buckets<R: Record> {
    /// All records fit in memory: ascending buckets, each to be sorted by itself. Memory: what the sorter held, less as
    /// buckets are taken.
    Apart(std::vec::IntoIter<Bucket<R>>),
    /// Some records were spilled.
    Merged(Box<Sorted<R>>),
}

fn sorted_buckets<R: Record>(blocks: Vec<Vec<R>>, resources: &Resources) -> Result<Vec<Vec<R>>> {
    let sorted = |bucket: Bucket<R>| resources.check().and_then(|()| bucket.sorted(resources));
    resources.install(|| radix_partition(blocks)?.into_par_iter().map(sorted).collect())?
}

/// The records of a [`Sorter`] in ascending order.
///
/// Memory: the records left in the sorter, and 64 KiB for each run. Dropping it removes the spilled files.
pub struct Sorted<R: Record> {
    gathered: Peekable<Flatten<std::vec::IntoIter<Vec<R>>>>,
    merge: Merge<R>,
    _scratch: Scratch,
}

impl<R: Record> Iterator for Sorted<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let spilled_first = match (self.merge.head(), self.gathered.peek()) {
            (Some(head), Some(gathered)) => head <= gathered,
            (spilled, _) => spilled.is_some(),
        };
        if spilled_first { self.merge.next() } else { self.gathered.next().map(Ok) }
    }
}

/// The records of several runs in ascending order. Memory: 64 KiB for each run.
struct Merge<R> {
    /// The next record of each run, with the run's number.
    heads: BinaryHeap<Reverse<(R, usize)>>,
    runs: Vec<RunReader>,
}

impl<R: Record> Merge<R> {
    fn new(mut runs: Vec<RunReader>) -> Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (run, reader) in runs.iter_mut().enumerate() {
            if let Some(record) = reader.next()? {
                heads.push(Reverse((record, run)));
            }
        }
        Ok(Merge { heads, runs })
    }

    fn head(&self) -> Option<&R> {
        self.heads.peek().map(|Reverse((record, _))| record)
    }
}

impl<R: Record> Iterator for Merge<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let Reverse((record, run)) = self.heads.pop()?;
        match self.runs.get_mut(run).map(RunReader::next) {
            Some(Ok(Some(following))) => self.heads.push(Reverse((following, run))),
            Some(Err(error)) => return Some(Err(error)),
            _ => {}
        }
        Some(Ok(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Record for u64 {
        fn encode(&self, bytes: &mut Vec<u8>) {
            bytes.extend_from_slice(&self.to_be_bytes());
        }
        fn decode(bytes: &[u8]) -> Option<Self> {
            Some(u64::from_be_bytes(bytes.try_into().ok()?))
        }
        fn sort_key(&self) -> u64 {
            *self
        }
    }

    proptest! {
        #[test]
        fn any_budget_gives_the_sorted_sequence(mut numbers in proptest::collection::vec(0..50u64, 0..300), budget in 1..2000usize) {
            let folder = tempfile::tempdir().unwrap();
            let scratch = folder.path().join("scratch");
            let mut sorter = Sorter::new(budget, Scratch::new(scratch.clone()), &Resources::default());
            for number in &numbers {
                sorter.push(*number).unwrap();
            }
            let sorted = sorter.finish().unwrap();
            prop_assert_eq!(sorted.merge.runs.is_empty(), numbers.len() * 8 <= budget.max(8));
            prop_assert!(sorted.merge.runs.len() < 2 * RUNS_MAX);
            let sorted: Vec<u64> = sorted.map(|record| record.unwrap()).collect();
            numbers.sort_unstable();
            prop_assert_eq!(sorted, numbers);
            prop_assert!(!scratch.exists(), "spilled files are gone");
        }
    }

    /// A number with how often it comes.
    #[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
    struct Times(u64, u64);

    impl Record for Times {
        fn encode(&self, bytes: &mut Vec<u8>) {
            bytes.extend([self.0, self.1].into_iter().flat_map(u64::to_be_bytes));
        }
        fn decode(bytes: &[u8]) -> Option<Self> {
            let (number, times) = bytes.split_at_checked(8)?;
            Some(Times(u64::from_be_bytes(number.try_into().ok()?), u64::from_be_bytes(times.try_into().ok()?)))
        }
        fn absorb(&mut self, following: &Self) -> bool {
            let is_same = self.0 == following.0;
            self.1 += if is_same { following.1 } else { 0 };
            is_same
        }
        fn sort_key(&self) -> u64 {
            self.0
        }
    }

    /// 5,000 spilled runs would be as many open files; merged, with equal numbers as one, they are a few short ones.
    #[test]
    fn many_runs_are_merged_and_records_that_can_be_one_are() {
        let folder = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(16, Scratch::new(folder.path().join("scratch")), &Resources::default());
        for number in 0..5_000 {
            sorter.push(Times(number % 10, 1)).unwrap();
        }
        let runs: Vec<usize> = sorter.tiers.iter().map(Vec::len).collect();
        // 4,999 = 64 * 64 + 14 * 64 + 7.
        assert_eq!(runs, [7, 14, 1]);
        let (mut sums, mut records) = ([0; 10], 0);
        for record in sorter.finish().unwrap() {
            let Times(number, times) = record.unwrap();
            sums[number as usize] += times;
            records += 1;
        }
        assert_eq!((sums, records), ([500; 10], 8 + (14 + 1) * 10));
    }
}
