//! Filling one sorter from several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bucket::BLOCK_RECORDS;
use super::record::Record;
use super::sorter::Sorter;
use crate::error::{Error, Kind, Result};

/// Bytes that a thread gathers before it locks the sorter to hand them over; twice as many if they do not fill a block.
const GATHERED_BYTES: usize = 256 << 10;

/// A sorter that takes records from several threads at once. The records' arrival order does not matter, since the sort
/// order is total.
pub(crate) struct SharedSorter<R>(Mutex<Shared<R>>);

struct Shared<R> {
    sorter: Sorter<R>,
    /// The first error; after it, the sorter takes no more records.
    failed: Option<Error>,
}

impl<R: Record> SharedSorter<R> {
    /// Makes a sorter available to several threads.
    pub(crate) fn new(sorter: Sorter<R>) -> Self {
        SharedSorter(Mutex::new(Shared { sorter, failed: None }))
    }

    /// Returns the feed of one thread. Fails if the sorter has failed.
    pub(crate) fn feed(&self) -> Result<Feed<'_, R>> {
        if self.lock().failed.is_some() {
            return Err(stopped());
        }
        Ok(Feed { shared: self, block: Vec::new(), full: Vec::new(), gathered_bytes: 0 })
    }

    /// Returns the sorter with all records handed over, or the error that stopped it.
    pub(crate) fn into_sorter(self) -> Result<Sorter<R>> {
        let Shared { sorter, failed } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(Ok(sorter), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Shared<R>> {
        // A thread that panicked ends the whole command when the threads are joined.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gathers the records of one thread for a [`SharedSorter`]. Memory: 512 KiB and one record.
pub(crate) struct Feed<'shared, R> {
    shared: &'shared SharedSorter<R>,
    block: Vec<R>,
    full: Vec<Vec<R>>,
    gathered_bytes: usize,
}

impl<R: Record> Feed<'_, R> {
    /// Takes one record. Fails if the sorter has failed; [`SharedSorter::into_sorter`] returns the cause.
    pub(crate) fn push(&mut self, record: R) -> Result<()> {
        self.gathered_bytes += record.memory_bytes();
        if self.block.capacity() == 0 {
            self.block.reserve_exact(BLOCK_RECORDS);
        }
        self.block.push(record);
        let is_full = self.block.len() == BLOCK_RECORDS;
        if is_full {
            self.full.push(std::mem::take(&mut self.block));
        }
        let enough = if is_full { GATHERED_BYTES } else { 2 * GATHERED_BYTES };
        if self.gathered_bytes >= enough { self.hand_over() } else { Ok(()) }
    }

    /// Hands over the remaining records. Without this call they are lost.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.hand_over()
    }

    fn hand_over(&mut self) -> Result<()> {
        self.gathered_bytes = 0;
        let last = std::mem::take(&mut self.block);
        let mut blocks = self.full.drain(..).chain((!last.is_empty()).then_some(last));
        let mut shared = self.shared.lock();
        if shared.failed.is_none() {
            shared.failed = blocks.try_for_each(|block| shared.sorter.append(block)).err();
        }
        if shared.failed.is_some() { Err(stopped()) } else { Ok(()) }
    }
}

fn stopped() -> Error {
    Error::new(Kind::Io, "reading was stopped", "see the error before")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::{Resources, Scratch};

    /// A number that claims to take 1,000 bytes.
    #[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
    struct Wide(u64);

    impl Record for Wide {
        fn encode(&self, bytes: &mut Vec<u8>) {
            bytes.extend_from_slice(&self.0.to_be_bytes());
        }
        fn decode(bytes: &[u8]) -> Option<Self> {
            Some(Wide(u64::from_be_bytes(bytes.try_into().ok()?)))
        }
        fn memory_bytes(&self) -> usize {
            1_000
        }
        fn sort_key(&self) -> u64 {
            self.0
        }
    }

    /// Two threads push the numbers 0 to 1999 into a sorter with this budget that spills into this folder.
    fn fed(budget_bytes: usize, scratch: &std::path::Path) -> Result<Vec<u64>> {
        let shared =
            SharedSorter::new(Sorter::new(budget_bytes, Scratch::new(scratch.to_owned()), &Resources::default()));
        let brought = std::thread::scope(|scope| {
            let bring = |from: u64| {
                let shared = &shared;
                move || {
                    let mut feed = shared.feed()?;
                    (from..2_000).step_by(2).try_for_each(|number| feed.push(Wide(number)))?;
                    feed.finish()
                }
            };
            [scope.spawn(bring(0)), scope.spawn(bring(1))].map(|thread| thread.join().unwrap())
        });
        let sorter = shared.into_sorter()?;
        brought.into_iter().collect::<Result<()>>()?;
        sorter.finish()?.map(|record| record.map(|wide| wide.0)).collect()
    }

    #[test]
    fn all_that_threads_bring_is_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for budget_bytes in [usize::MAX, 300_000] {
            assert_eq!(fed(budget_bytes, &folder.path().join("scratch")).unwrap(), (0..2_000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_error_is_why_the_sorter_takes_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let no_folder = folder.path().join("a-file");
        std::fs::write(&no_folder, "x").unwrap();
        let error = fed(300_000, &no_folder.join("scratch")).unwrap_err();
        assert!(error.to_string().contains("a-file"), "{error}");
    }
}
