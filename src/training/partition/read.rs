//! Reads the rows of a partition on several threads, each row group by one.

use std::sync::{Mutex, PoisonError};

use super::super::options::PartitionOptions;
use super::cells::{check_history, check_row, history_hash, read_history};
use super::row::{CustomerHistory, CustomerRow, PartitionRow};
use super::source::{RowGroupPlace, Source};
use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::history::History;
use crate::model::Element;
use crate::output::ProducedRow;
use crate::parallel::each;
use crate::produce::{HistorySpool, check_fits, pack};
use crate::progress::Progress;
use crate::resources::Spool;
use crate::sort::{Feed, SharedSorter, Sorted, Sorter};

/// Bytes of packed histories that a thread gathers before it puts them aside.
const PACKED_BYTES: usize = 1 << 20;

/// The rows of a partition, sorted, and their histories, put aside.
pub(super) struct ReadRows {
    pub rows: Sorted<PartitionRow>,
    /// By customer, each once.
    pub places: Sorted<CustomerHistory>,
    pub histories: HistorySpool,
}

/// What threads share while they read.
struct Reading<'a> {
    source: &'a Source,
    options: &'a PartitionOptions,
    progress: &'a dyn Progress,
    /// A bit for each row: whether it is the first of its customer.
    firsts: Vec<u64>,
    rows: SharedSorter<PartitionRow>,
    histories: Mutex<(HistorySpool, Sorter<CustomerHistory>)>,
}

/// Reads all rows. Fails, naming one, if the cells of a row cannot be those of a produced row, or if an item does not
/// fit the type asked for.
///
/// Memory: two thirds of that for sorting; that of a [`HistorySpool`]; a bit for each row; for each thread 256 rows,
/// once decoded and once as returned, one page of each column, and one megabyte and a history.
pub(super) fn read(source: &Source, options: &PartitionOptions, progress: &dyn Progress) -> Result<ReadRows> {
    let resources = &options.resources;
    let jobs = source.row_groups(options)?;
    let third = resources.sort_bytes() / 3;
    let spool = HistorySpool::new(Spool::new(resources.scratch(), resources.spool_bytes()));
    let reading = Reading {
        source,
        options,
        progress,
        firsts: first_rows(source, options)?,
        rows: SharedSorter::new(Sorter::new(third, resources.scratch(), resources)),
        histories: Mutex::new((spool, Sorter::new(third, resources.scratch(), resources))),
    };
    progress.begin("reading", "rows", Some(source.manifest.rows));
    let is_read = each(resources, &jobs, |job| {
        let mut feed = reading.rows.feed()?;
        reading.row_group(job, &mut feed)?;
        feed.finish()
    });
    // A failed sorter is the cause of the other error, so its error is returned first.
    let rows = reading.rows.into_sorter()?;
    is_read?;
    let (histories, places) = reading.histories.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(ReadRows { rows: rows.finish()?, places: places.finish()?, histories })
}

/// Marks the first row of each customer. Memory: a bit for each row, and that for sorting.
fn first_rows(source: &Source, options: &PartitionOptions) -> Result<Vec<u64>> {
    let resources = &options.resources;
    let mut sorter = Sorter::new(resources.sort_bytes(), resources.scratch(), resources);
    for part in 0..source.parts.len() {
        let (first, mut pushed) = (source.part(part)?.first, Ok(()));
        source.file(part, options)?.customers(|index, customer| {
            if pushed.is_ok() {
                pushed = sorter.push(CustomerRow { customer, index: first + index as u64 });
            }
        })?;
        pushed?;
    }
    let (mut bits, mut last) = (source.bits(), None);
    for row in sorter.finish()? {
        let CustomerRow { customer, index } = row?;
        if last.replace(customer) != Some(customer) {
            *bits.get_mut(usize_of(index / 64)).held("each row has a bit")? |= 1 << (index % 64);
        }
    }
    Ok(bits)
}

impl Reading<'_> {
    fn row_group(&self, job: &RowGroupPlace, feed: &mut Feed<'_, PartitionRow>) -> Result<()> {
        let file = self.source.file(job.part, self.options)?;
        let mut rows = file.read_row_group(job.group, job.first)?;
        let mut index = self.source.part(job.part)?.first + job.first;
        let (mut bytes, mut packed, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut history = History::default();
        while let Some(row) = rows.take()? {
            let length = self.check(&row, index)?;
            let word = self.firsts.get(usize_of(index / 64)).held("each row has a bit")?;
            if word >> (index % 64) & 1 == 1 {
                let settings = &self.source.settings;
                let lengths = (length, settings.max_history);
                read_history(&row, lengths, settings.columns.with, settings.dt, &mut history)?;
                let customer = row.customer_id;
                check_fits(settings.columns.item_type, history.item_ids.iter().copied(), || {
                    format!("in the history of customer {customer}")
                })?;
                places.push(CustomerHistory { customer, place: pack(&history, &mut packed)? });
                if packed.len() >= PACKED_BYTES {
                    self.put_aside(&mut packed, &mut places)?;
                }
            }
            feed.push(PartitionRow {
                customer: row.customer_id,
                history: history_hash(&row, &mut bytes),
                index,
                position: row.impression_pos,
                element: Element { item_id: row.impression_item_id, label: row.label },
                ranking_id: row.ranking_id,
            })?;
            index += 1;
        }
        self.progress.advance(job.rows);
        self.put_aside(&mut packed, &mut places)
    }

    /// Checks all cells of a row, and returns the length of its history.
    fn check(&self, row: &ProducedRow, index: u64) -> Result<usize> {
        let Source { manifest, settings, .. } = self.source;
        let checked =
            check_row(row, settings.dt).and_then(|()| check_history(row, settings.dt, manifest.settings.max_history));
        let length = checked.map_err(|why| self.source.invalid(index, &why))?;
        check_fits(settings.columns.item_type, [row.impression_item_id].into_iter(), || {
            format!("shown to customer {}", row.customer_id)
        })?;
        Ok(length)
    }

    /// Appends packed histories to those put aside. Where each of them lies shows in no batch.
    fn put_aside(&self, packed: &mut Vec<u8>, places: &mut Vec<CustomerHistory>) -> Result<()> {
        let mut shared = self.histories.lock().unwrap_or_else(PoisonError::into_inner);
        let (spool, sorter) = &mut *shared;
        let begin = spool.append(packed)?;
        packed.clear();
        places.drain(..).try_for_each(|CustomerHistory { customer, mut place }| {
            place.offset += begin;
            sorter.push(CustomerHistory { customer, place })
        })
    }
}
