//! Step 1 of rows in any order: in the order of customers, each history is read from the store once, packed, and
//! spooled.

use super::chunks::{CHUNKS_AHEAD, Chunks};
use super::counters::{Counters, Counts};
use super::histories::Histories;
use super::history_spool::{HistoryPlace, HistorySpool, pack};
use super::keyed_rows::{Copies, Numbered};
use super::summary::ProduceSummary;
use crate::error::Result;
use crate::model::Impression;
use crate::output::RowSettings;
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::sort::Sorted;

/// Rows in a chunk whose histories one thread reads and packs: up to 5 MB.
const CHUNK_ROWS: usize = 1_000;

/// Spools the histories of the rows of one day.
///
/// Memory: two times the histories of 1,000 rows for each thread, and what is made of their impressions.
pub(crate) struct Spooling<'a> {
    pub settings: &'a RowSettings,
    pub resources: &'a Resources,
    pub progress: &'a dyn Progress,
}

/// What was made of the impressions of a chunk, and their packed histories.
struct Spooled<T> {
    made: Vec<T>,
    packed: Vec<u8>,
    counts: Counts,
}

impl Spooling<'_> {
    /// Joins the impressions, given in the order of customers, with their histories, and adds the counts to the
    /// summary.
    ///
    /// Threads pass each impression, with the place of its history in the chunk, to `make`; then `take` has all that
    /// was made of a chunk, in order, and the offset of the chunk's histories in the spool.
    pub(crate) fn run<T: Send>(
        &self,
        impressions: Sorted<Impression>,
        threads: Vec<Histories<'_>>,
        spool: &mut HistorySpool,
        summary: &mut ProduceSummary,
        make: impl Fn(Numbered, HistoryPlace, &mut Vec<T>) -> Result<()> + Sync,
        mut take: impl FnMut(Vec<T>, u64) -> Result<()> + Send,
    ) -> Result<()> {
        self.progress.begin("reading histories", "impressions", Some(summary.impressions));
        let (mut chunks, mut counters) = (Chunks::new(Copies::of(impressions), CHUNK_ROWS), Counters::default());
        let make = &make;
        let workers = threads.into_iter();
        let workers = workers.map(|mut histories| move |chunk| self.chunk(chunk, &mut histories, make)).collect();
        let take = |chunk: Spooled<T>| {
            counters.add(&chunk.counts, summary);
            self.progress.advance(chunk.counts.impressions);
            take(chunk.made, spool.append(&chunk.packed)?)
        };
        ordered_map(self.resources.cancel(), workers, CHUNKS_AHEAD, || chunks.next_chunk(), take)?;
        summary.duplicates = chunks.repeats();
        Ok(())
    }

    fn chunk<T>(
        &self,
        chunk: Vec<Numbered>,
        histories: &mut Histories<'_>,
        make: impl Fn(Numbered, HistoryPlace, &mut Vec<T>) -> Result<()>,
    ) -> Result<Spooled<T>> {
        let (mut made, mut packed, mut counts) = (Vec::with_capacity(chunk.len()), Vec::new(), Counts::default());
        let mut history = Default::default();
        for numbered in chunk {
            let impression = &numbered.impression;
            if counts.is_new(impression.customer) {
                let (read, has_late) = histories.read(impression.customer)?;
                history = pack(read, &mut packed)?;
                counts.begin(impression.customer, read.len(), has_late, self.settings.max_history);
            }
            histories.check(impression)?;
            counts.add(impression);
            make(numbered, history, &mut made)?;
        }
        Ok(Spooled { made, packed, counts })
    }
}
