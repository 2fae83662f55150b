//! Batches of an epoch, made ahead in the background.

use std::sync::Arc;

use super::assembler::Assembler;
use super::cuts::Cuts;
use super::day_rows::DayRows;
use super::options::BatchOptions;
use super::order::Order;
use super::used_batches::UsedBatches;
use crate::error::{Error, Result};
use crate::exact::usize_of;
use crate::message::message;
use crate::output::{BatchShape, Layout, LendCells, RowBatch};
use crate::parallel::ReadAhead;

/// Batches in work or finished for each thread, where memory allows as many.
const BATCHES_AHEAD: usize = 2;

/// The same of padded batches from so many bytes on, and of those in lent memory. New memory for more of them costs
/// more than it saves: to make one takes far longer than to hand it over. Who lends memory takes batches ahead too, so
/// with a single thread none is made before it is asked for.
const LARGE_BATCHES_AHEAD: usize = 1;
const LARGE_BATCH_BYTES: usize = 16 << 20;

/// Batches that were given back for each thread.
const BATCHES_USED: usize = 2;

/// The bytes of a row beside its history: in the batch, and while it is made.
const ROW_BYTES: usize = 80;

/// The batches of an epoch, in order. After an error no batch follows.
///
/// Memory: batches in work, finished or given back take at most a quarter of the limit, and there are at most four for
/// each thread, three of large ones; those that the caller holds, and ranking ids, come on top. A batch takes at most:
/// `padded`, `batch_size` histories of `max_history`; `dedup`, as many, or as many as the day has customers; `jagged`,
/// as many as long as the day's longest one, all histories of the day, or `batch_actions_max` times `world_size`
/// actions, whichever is the least.
pub struct RowBatches {
    making: Making,
    used: UsedBatches,
}

/// Where batches are made.
enum Making {
    Ahead(ReadAhead<RowBatch>),
    /// On the caller's thread; `None` after an error.
    WhenAsked(Option<Box<dyn FnMut() -> Result<Option<RowBatch>> + Send>>),
}

impl RowBatches {
    pub(super) fn begin(
        day: &Arc<DayRows>,
        order: &Arc<Order>,
        epoch: u64,
        options: &BatchOptions,
        lender: Option<Arc<dyn LendCells>>,
    ) -> Result<Self> {
        check(options, order.rows())?;
        let shape =
            BatchShape { layout: options.layout, max_history: day.settings.max_history, columns: day.settings.columns };
        let (bytes, budget) = (batch_bytes_max(day, &shape, options), day.resources.batches_bytes());
        if bytes > budget {
            return Err(Error::refused(
                format!(
                    "a batch of {} rows may take {} MB of memory, and there are {} MB for batches",
                    options.batch_size,
                    bytes / 1_000_000,
                    budget / 1_000_000
                ),
                message!["use a smaller batch_size or batch_actions_max, or a larger ", MemoryLimit],
            ));
        }
        let threads = day.resources.threads();
        let all = budget / bytes.max(1);
        let is_large = options.layout == Layout::Padded && bytes >= LARGE_BATCH_BYTES;
        let batches_ahead = if is_large || lender.is_some() { LARGE_BATCHES_AHEAD } else { BATCHES_AHEAD };
        let used_max = (all / 3).min(threads.saturating_mul(BATCHES_USED));
        let is_lent = lender.is_some();
        let used = lender.map_or_else(|| UsedBatches::of_day(&day.used, used_max), UsedBatches::of_lender);
        let ahead = (all - all / 3).min(threads.saturating_mul(batches_ahead));
        let assembler = |_| {
            let mut assembler = Assembler::new(day, order, epoch, shape, options, &used);
            move |global| assembler.assemble(global)
        };
        let mut workers: Vec<_> = (0..threads.min(ahead)).map(assembler).collect();
        let ahead = ahead / workers.len();
        let mut cuts = Cuts::new(day, order, options);
        let mut skip = options.worker;
        let between = options.workers - 1;
        let mut next = move || {
            for _ in 0..std::mem::replace(&mut skip, between) {
                if cuts.next_batch()?.is_none() {
                    return Ok(None);
                }
            }
            cuts.next_batch()
        };
        let cancel = day.resources.cancel().clone();
        let making = match workers.pop() {
            Some(mut only) if is_lent && workers.is_empty() => Making::WhenAsked(Some(Box::new(move || {
                cancel.check()?;
                next()?.map(&mut only).transpose()
            }))),
            last => {
                workers.extend(last);
                Making::Ahead(ReadAhead::start(cancel, workers, ahead, next)?)
            }
        };
        Ok(RowBatches { making, used })
    }

    /// Returns where to give back batches that are no longer needed, so that their memory is used again.
    pub fn used(&self) -> UsedBatches {
        self.used.clone()
    }
}

impl Iterator for RowBatches {
    type Item = Result<RowBatch>;

    fn next(&mut self) -> Option<Result<RowBatch>> {
        match &mut self.making {
            Making::Ahead(batches) => batches.next(),
            Making::WhenAsked(make) => {
                let made = make.as_mut()?();
                if made.is_err() {
                    *make = None;
                }
                made.transpose()
            }
        }
    }
}

/// Fails if the options contradict each other or the rows.
fn check(options: &BatchOptions, rows: u64) -> Result<()> {
    let BatchOptions { batch_size, batch_actions_max, world_size, rank, workers, worker, first_row, .. } = *options;
    if batch_size == 0 || batch_actions_max == Some(0) {
        return Err(Error::usage("a batch without rows or actions was asked for", "ask for at least one"));
    }
    for (one, number, all, count) in [("rank", rank, "world_size", world_size), ("worker", worker, "workers", workers)]
    {
        if number >= count {
            return Err(Error::usage(
                format!("there is no {one} {number} with {all} {count}"),
                format!("give a {one} from 0 to {all} - 1"),
            ));
        }
    }
    if first_row > rows {
        return Err(Error::usage(
            format!("row {first_row} lies beyond the {rows} rows of the day"),
            "go on from a row that a batch of the same rows has reported",
        ));
    }
    Ok(())
}

/// Returns the most bytes that a batch can take.
fn batch_bytes_max(day: &DayRows, shape: &BatchShape, options: &BatchOptions) -> usize {
    let rows = options.batch_size;
    let histories = rows.min(usize_of(day.customers));
    let longest = usize_of(day.longest);
    let actions = match options.layout {
        Layout::Padded => rows.saturating_mul(shape.max_history),
        Layout::Dedup => histories.saturating_mul(shape.max_history),
        Layout::Jagged => {
            let most = options.batch_actions_max.map_or(usize::MAX, |most| most.saturating_mul(options.world_size));
            histories.saturating_mul(longest).min(usize_of(day.actions)).min(most.max(longest))
        }
    };
    actions.saturating_mul(shape.action_bytes()).saturating_add(rows.saturating_mul(ROW_BYTES))
}
