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

/// An external sorter that takes records in any order.
///
/// 1. Records gather in memory until they exceed `budget_bytes`; then they are sorted and spilled as a run.
/// 2. `finish` sorts the rest and merges it with the runs; without runs, `buckets` leaves the sorting to its caller.
///
/// Memory: `budget_bytes`; while sorting, partly filled blocks of at most a quarter of the records' own size; and while
/// merging, 64 KiB for each run.
pub struct Sorter<R> {
    blocks: Vec<Vec<R>>,
    gathered_bytes: usize,
    budget_bytes: usize,
    runs: Vec<RunReader>,
    scratch: Scratch,
    resources: Resources,
}

impl<R: Record> Sorter<R> {
    /// Returns a sorter that spills into `scratch` when the records in memory exceed `budget_bytes`. It sorts on the
    /// threads of `resources`; spilling and finishing fail after a request to stop.
    pub fn new(budget_bytes: usize, scratch: Scratch, resources: &Resources) -> Self {
        let (blocks, runs, resources) = (Vec::new(), Vec::new(), resources.clone());
        Sorter { blocks, gathered_bytes: 0, budget_bytes, runs, scratch, resources }
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
            self.runs.push(spill(buckets.iter().flatten(), &mut self.scratch, self.resources.cancel())?);
            self.gathered_bytes = 0;
        }
        self.gathered_bytes += more_bytes;
        Ok(())
    }

    /// Returns all records in ascending order.
    pub fn finish(mut self) -> Result<Sorted<R>> {
        let mut heads = BinaryHeap::with_capacity(self.runs.len());
        for (run, reader) in self.runs.iter_mut().enumerate() {
            if let Some(record) = reader.next()? {
                heads.push(Reverse((record, run)));
            }
        }
        let gathered = sorted_buckets(self.blocks, &self.resources)?.into_iter().flatten().peekable();
        Ok(Sorted { gathered, heads, runs: self.runs, _scratch: self.scratch })
    }

    /// Returns all records, in buckets to be sorted separately, or merged if some were spilled.
    pub fn buckets(self) -> Result<Buckets<R>> {
        if self.runs.is_empty() {
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
    /// The next record of each run, with the run's number.
    heads: BinaryHeap<Reverse<(R, usize)>>,
    runs: Vec<RunReader>,
    _scratch: Scratch,
}

impl<R: Record> Iterator for Sorted<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let spilled_first = match (self.heads.peek(), self.gathered.peek()) {
            (Some(Reverse((head, _))), Some(gathered)) => head <= gathered,
            (spilled, _) => spilled.is_some(),
        };
        if !spilled_first {
            return self.gathered.next().map(Ok);
        }
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
            prop_assert_eq!(sorted.runs.is_empty(), numbers.len() * 8 <= budget.max(8));
            let sorted: Vec<u64> = sorted.map(|record| record.unwrap()).collect();
            numbers.sort_unstable();
            prop_assert_eq!(sorted, numbers);
            prop_assert!(!scratch.exists(), "spilled files are gone");
        }
    }
}
