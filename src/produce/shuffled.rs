//! Writes rows in a shuffled order: row by row, or carousel by carousel.
//!
//! 1. In the order of customers, each history is read from the store once, packed, and spooled to disk. Each
//!    impression, or each of its rows, gets its key in the shuffled order (see [`Places`]) and is sorted by the key,
//!    together with the place of its history in the spool.
//! 2. In the shuffled order, row groups are cut and assembled in parallel, with histories read from the spool.
//!
//! So the store is read once, sequentially, as for the order of customers. Reading histories from the store for each
//! shuffled row group would read most of the store every time. The spool takes 3 to 5 bytes per action on the disk of
//! the output.

use std::path::PathBuf;
use std::sync::Arc;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::chunks::Chunks;
use super::histories::Histories;
use super::history_spool::{HistoryPlace, HistorySpool};
use super::keyed_rows::{KeyedRow, Numbered};
use super::spooling::Spooling;
use super::summary::ProduceSummary;
use crate::error::{Error, Result};
use crate::exact::{Held, usize_of};
use crate::history::History;
use crate::message::message;
use crate::model::{ExtraColumn, Impression, Places, RowOrder};
use crate::output::{EncodedRowGroup, RowGroup, RowSchema, RowSettings, RowWriter};
use crate::progress::Progress;
use crate::resources::{Resources, Scratch, Spool};
use crate::sort::{Sorted, Sorter};

/// A row group may always take this much memory: 10,000 rows with 1,000 actions each take less. It is three quarters of
/// the smallest memory limit.
const GROUP_BYTES_MIN: usize = 96 << 20;

/// How the memory of a produce is divided, in multiples of the memory for sorting, which is an eighth of the limit.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// For sorting impressions.
    pub sort_bytes: usize,
    /// For sorting by shuffled keys, at the same time.
    places_bytes: usize,
    /// For all row groups assembled at once, if there is more than one.
    groups_bytes: usize,
    /// The maximum for a single row group.
    group_bytes_max: usize,
}

impl Budget {
    /// Returns the budget of an order, given `sort_bytes` of memory for sorting.
    pub(super) fn of(order: RowOrder, sort_bytes: usize) -> Self {
        let half = sort_bytes / 2;
        let (sort_bytes, places_bytes) = if order == RowOrder::Customer { (sort_bytes, 0) } else { (half, half) };
        let (groups_bytes, most) = (half.saturating_mul(8), half.saturating_mul(12));
        Budget { sort_bytes, places_bytes, groups_bytes, group_bytes_max: most.max(GROUP_BYTES_MIN) }
    }
}

/// Writes the rows of one day in a shuffled order.
///
/// Memory: that of the budget; while sorting, two times the histories of 1,000 rows for each thread; while assembling,
/// as many row groups as fit the budget, or one. A single row group above its own maximum is refused.
pub(super) struct Shuffled<'a> {
    pub settings: &'a RowSettings,
    pub budget: Budget,
    /// The folder for the spool.
    pub scratch: PathBuf,
    pub resources: &'a Resources,
    pub progress: &'a dyn Progress,
}

impl Shuffled<'_> {
    /// Joins the impressions, given in the order of customers, and writes their rows.
    pub(super) fn write(
        &self,
        impressions: Sorted<Impression>,
        threads: Vec<Histories<'_>>,
        schema: &Arc<RowSchema>,
        writer: &mut RowWriter,
        summary: &mut ProduceSummary,
    ) -> Result<()> {
        let mut packed = HistorySpool::new(Spool::new(Scratch::new(self.scratch.clone()), 0));
        let sorted = self.place(impressions, threads, &mut packed, summary)?;
        self.assemble(sorted, &packed, schema, writer)
    }

    /// Step 1: spools the histories, and sorts by shuffled key.
    fn place(
        &self,
        impressions: Sorted<Impression>,
        threads: Vec<Histories<'_>>,
        packed: &mut HistorySpool,
        summary: &mut ProduceSummary,
    ) -> Result<Sorted<KeyedRow>> {
        let scratch = Scratch::new(self.scratch.with_extension("sorted"));
        let mut sorter = Sorter::new(self.budget.places_bytes, scratch, self.resources);
        let take = |rows: Vec<KeyedRow>, begin| {
            rows.into_iter().try_for_each(|mut keyed| {
                keyed.history.offset += begin;
                sorter.push(keyed)
            })
        };
        let spooling = Spooling { settings: self.settings, resources: self.resources, progress: self.progress };
        let make = |numbered, history, keyed: &mut Vec<KeyedRow>| self.key(numbered, history, keyed);
        spooling.run(impressions, threads, packed, summary, make, take)?;
        sorter.finish()
    }

    fn key(&self, numbered: Numbered, history: HistoryPlace, keyed: &mut Vec<KeyedRow>) -> Result<()> {
        let Numbered { impression, copy } = numbered;
        let seed = self.settings.order.seed().held("a shuffled order has a seed")?;
        let places = Places::of(seed, self.settings.dt, &impression, copy);
        if let RowOrder::Shuffled(_) = self.settings.order {
            let Impression { customer, ranking_id, elements } = impression;
            keyed.extend((0..).zip(elements).map(|(first, element)| {
                let impression = Impression { customer, ranking_id: ranking_id.clone(), elements: vec![element] };
                KeyedRow { key: places.row(first), first, impression, history }
            }));
        } else {
            keyed.push(KeyedRow { key: places.whole(), first: 0, impression, history });
        }
        Ok(())
    }

    /// Step 2: assembles row groups round by round. Each round is written before the next begins, which frees its
    /// memory.
    fn assemble(
        &self,
        sorted: Sorted<KeyedRow>,
        packed: &HistorySpool,
        schema: &Arc<RowSchema>,
        writer: &mut RowWriter,
    ) -> Result<()> {
        let threads = 0..self.resources.threads();
        let groups: Result<Vec<RowGroup>> = threads.map(|_| RowGroup::new(schema, self.settings)).collect();
        let mut groups = groups?;
        let mut chunks = Chunks::new(sorted, self.settings.sizes.row_group_rows);
        let mut chunk = chunks.next_chunk()?;
        self.progress.begin("writing", "row groups", None);
        while chunk.is_some() {
            self.resources.check()?;
            let (mut round, mut bytes) = (Vec::new(), 0);
            while let Some(next) = chunk.take_if(|_| round.len() < groups.len()) {
                let needed = self.group_bytes(&next)?;
                if !round.is_empty() && bytes + needed > self.budget.groups_bytes {
                    chunk = Some(next);
                    break;
                }
                bytes += needed;
                round.push(next);
                chunk = chunks.next_chunk()?;
            }
            let assemble = |(group, chunk): (&mut RowGroup, Vec<KeyedRow>)| self.assemble_group(&chunk, packed, group);
            let assembled: Vec<Result<EncodedRowGroup>> =
                self.resources.install(|| groups.par_iter_mut().zip(round.into_par_iter()).map(assemble).collect())?;
            // Of several errors, returns the first in the order of the rows, independent of thread timing.
            for group in assembled.into_iter().collect::<Result<Vec<_>>>()? {
                writer.append(group)?;
                self.progress.advance(1);
            }
        }
        Ok(())
    }

    fn assemble_group(
        &self,
        chunk: &[KeyedRow],
        packed: &HistorySpool,
        group: &mut RowGroup,
    ) -> Result<EncodedRowGroup> {
        let (mut buffer, mut history, mut last) = (Vec::new(), History::default(), None);
        for KeyedRow { first, impression, history: place, .. } in chunk {
            if last != Some(*place) {
                packed.read(*place, &mut buffer)?.unpack(&mut history);
                group.begin_customer(history.view())?;
                last = Some(*place);
            }
            group.add_elements(impression.customer, impression.ranking_id.as_deref(), *first, &impression.elements)?;
        }
        group.encode()
    }

    /// Returns the memory of a row group of these rows: 8 bytes per action (5 for its numbers and 3 encoded), 5 for its
    /// age (4 and 1), 15 for its time (8 and 7). Fails above the budget's maximum.
    fn group_bytes(&self, chunk: &[KeyedRow]) -> Result<usize> {
        let with = self.settings.columns.with;
        let (ages, times) = (with.has(ExtraColumn::ActionAges), with.has(ExtraColumn::ActionTimes));
        let of_action = 8 + if ages { 5 } else { 0 } + if times { 15 } else { 0 };
        let histories = chunk.chunk_by(|one, next| one.history == next.history).filter_map(<[KeyedRow]>::first);
        let actions: u64 = histories.map(|keyed| u64::from(keyed.history.actions)).sum();
        let bytes = usize_of(actions).saturating_mul(of_action);
        if bytes > self.budget.group_bytes_max {
            let rows: usize = chunk.iter().map(|keyed| keyed.impression.elements.len()).sum();
            return Err(Error::refused(
                format!("a row group of {rows} rows with {actions} actions takes {} MB of memory", bytes / 1_000_000),
                message!["use a smaller ", RowGroupRows, ", or a larger ", MemoryLimit],
            ));
        }
        Ok(bytes)
    }
}
