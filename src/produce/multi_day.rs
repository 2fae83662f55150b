//! Produces several days at once, so that each customer's histories are read once for all days.
//!
//! 1. Each day's impressions are read and sorted, as for a single day.
//! 2. The impressions are cut into chunks of some customers, with their impressions on each of the days (see
//!    [`super::customer_chunks`]). Threads read chunks in parallel: for each customer the newest history, then the
//!    older ones, which contain most of its actions.
//! 3. Each day takes all chunks in order, on one thread at a time. [`GroupedWriter`] cuts its impressions into the same
//!    row groups as for a single day, so the bytes are the same.
//! 4. Each partition appears as a whole.

use std::ops::Range;

use super::counters::{Counters, Counts};
use super::customer_chunks::{CustomerChunk, CustomerChunks};
use super::histories::Histories;
use super::options::ProduceOptions;
use super::prepared_day::{Prepare, PreparedDay};
use super::summary::ProduceSummary;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::exact::Held;
use crate::history::HistoryView;
use crate::model::{HistoryDetail, Impression, OrderKind};
use crate::output::GroupedWriter;
use crate::parallel::broadcast;
use crate::parallel::ordered_map;
use crate::progress::{Notes, Progress};
use crate::store::Store;

/// Chunks in flight for each thread: one that waits until all days have taken it, and the one being read.
const CHUNKS_AHEAD: usize = 2;

/// Whether days with these options, apart from the day itself, can be produced together: the histories of several days
/// overlap if all batches count for all days, only `max_history` limits them, and no column depends on an action's age.
/// Shuffled orders spool the histories of one day at a time.
pub(crate) fn is_multi_day(options: &ProduceOptions) -> bool {
    let rows = &options.rows;
    let is_plain =
        rows.order.unwrap_or_default() == OrderKind::Customer && rows.row_columns().detail() == HistoryDetail::None;
    is_plain && options.known_as_of.is_none() && rows.lookback_days.is_none()
}

/// Writes the partitions of several days, whose options differ only in `dt`, and returns their summaries in order. The
/// bytes are the same as from [`super::produce`] for each day.
///
/// Fails with the error of the first day that cannot begin, after producing the days before it. If a later step fails,
/// no further partition appears.
///
/// Memory: each day's for sorting, what the open store takes, for each day two row groups (see
/// [`crate::output::RowGroup`]), and for each thread two chunks of 256 customers with their histories, 3 MB each with
/// 1,000 actions.
pub(crate) fn produce_multi_day(
    store: &Store,
    days: &[ProduceOptions],
    progress: &dyn Progress,
) -> Result<Vec<ProduceSummary>> {
    progress.begin("reading", "days", Some(days.len() as u64));
    let (mut summaries, mut prepared, mut streams, mut next) = (Vec::new(), Vec::new(), Vec::new(), days.iter());
    let begin = |options: &ProduceOptions| Ok((options.dt, PreparedDay::prepare(store, options, &Notes(progress))?));
    let take = |(dt, beginning)| {
        match beginning {
            Prepare::Kept(summary) => summaries.push(summary),
            Prepare::Prepared(day, impressions) => {
                streams.push((dt, impressions));
                prepared.push(DayRows::new(*day)?);
            }
        }
        progress.advance(1);
        Ok(())
    };
    let Some(resources) = days.first().map(|options| &options.resources) else { return Ok(summaries) };
    let threads = resources.threads().min(days.len());
    let stopped = ordered_map(resources.cancel(), vec![begin; threads], 1, || Ok(next.next()), take).err();
    let oldest = prepared.iter().min_by_key(|rows| rows.day.input.settings.dt);
    if let Some(DayRows { day, .. }) = oldest {
        let histories = day.input.histories(store, resources.threads())?;
        let impressions = prepared.iter().map(|rows| rows.day.input.summary.impressions).sum();
        progress.begin("writing", "impressions", Some(impressions));
        let mut chunks = CustomerChunks::new(streams.into_iter());
        let ahead = histories.len() * CHUNKS_AHEAD;
        let readers = histories.into_iter().map(|mut histories| move |chunk| read(chunk, &mut histories)).collect();
        let takers = prepared.iter_mut().enumerate();
        let takers = takers.map(|(place, rows)| move |chunk: &ReadChunk| rows.take(chunk, place, progress)).collect();
        broadcast(resources.cancel(), readers, ahead, || chunks.next_chunk(), takers)?;
        summaries.extend(finish(prepared, resources.cancel(), progress)?);
        summaries.sort_by(|one, other| one.dt.cmp(&other.dt));
    }
    stopped.map_or(Ok(summaries), Err)
}

/// Finishes each day on its own thread, since most of the time is spent waiting for the disk.
fn finish(days: Vec<DayRows>, cancel: &Cancel, progress: &dyn Progress) -> Result<Vec<ProduceSummary>> {
    let (mut summaries, count, mut days) = (Vec::new(), days.len(), days.into_iter());
    let take = |summary| {
        summaries.push(summary);
        Ok(())
    };
    ordered_map(cancel, vec![|day: DayRows| day.finish(progress); count], 1, || Ok(days.next()), take)?;
    Ok(summaries)
}

/// The invariant that a chunk has the histories that its days ask for.
const CHUNK_IS_COMPLETE: &str = "a chunk has the history of each customer on each of its days";

/// A chunk with the histories of its customers.
struct ReadChunk {
    impressions: Vec<Vec<Impression>>,
    /// Items and types of all histories read, customer after customer.
    item_ids: Vec<i64>,
    action_types: Vec<u8>,
    /// The histories of each day, in the order of its customers.
    histories: Vec<Vec<DayHistory>>,
}

/// The history of a customer as of one of the days.
#[derive(Clone)]
struct DayHistory {
    /// Its range in the items and types of the chunk.
    range: Range<usize>,
    /// Time of the newest action.
    newest_us: Option<i64>,
    has_late: bool,
}

fn read(chunk: CustomerChunk, histories: &mut Histories<'_>) -> Result<ReadChunk> {
    let CustomerChunk { impressions, customers } = chunk;
    let of_days = impressions.iter().map(|_| Vec::new()).collect();
    let mut read = ReadChunk { impressions, item_ids: Vec::new(), action_types: Vec::new(), histories: of_days };
    let max_history = histories.max_history();
    for query in customers {
        let (history, begins) = histories.read_each(query.customer, &query.days)?;
        let before = read.item_ids.len();
        for (place, begin) in query.places.iter().zip(begins) {
            let range = begin.at..begin.at.saturating_add(max_history).min(history.len());
            let range = before + range.start..before + range.end;
            let history = DayHistory { range, newest_us: begin.newest_us, has_late: begin.has_late };
            read.histories.get_mut(*place).held(CHUNK_IS_COMPLETE)?.push(history);
        }
        read.item_ids.extend_from_slice(&history.item_ids);
        read.action_types.extend_from_slice(&history.action_types);
    }
    read.impressions.iter().flatten().try_for_each(|impression| histories.check(impression))?;
    Ok(read)
}

impl ReadChunk {
    fn view(&self, DayHistory { range, newest_us, .. }: &DayHistory) -> Result<HistoryView<'_>> {
        Ok(HistoryView {
            item_ids: self.item_ids.get(range.clone()).held(CHUNK_IS_COMPLETE)?,
            action_types: self.action_types.get(range.clone()).held(CHUNK_IS_COMPLETE)?,
            newest_us: *newest_us,
            ..HistoryView::default()
        })
    }
}

/// One of the days, while its rows are written.
struct DayRows {
    day: PreparedDay,
    writer: GroupedWriter,
    counts: Counts,
    /// The last impression of the chunk before.
    last: Option<Impression>,
}

impl DayRows {
    fn new(day: PreparedDay) -> Result<Self> {
        let writer = GroupedWriter::new(day.partition.parts(), &day.input.settings, &day.schema)?;
        Ok(DayRows { day, writer, counts: Counts::default(), last: None })
    }

    /// Takes a chunk, in which `place` is the index of this day.
    fn take(&mut self, chunk: &ReadChunk, place: usize, progress: &dyn Progress) -> Result<()> {
        let impressions = chunk.impressions.get(place).held(CHUNK_IS_COMPLETE)?;
        let mut histories = chunk.histories.get(place).held(CHUNK_IS_COMPLETE)?.iter();
        let max_history = self.day.input.settings.max_history;
        let mut customer = None;
        let mut view = HistoryView::default();
        let mut before = self.last.as_ref();
        for impression in impressions {
            if customer != Some(impression.customer) {
                customer = Some(impression.customer);
                let history = histories.next().held(CHUNK_IS_COMPLETE)?;
                view = chunk.view(history)?;
                if self.counts.is_new(impression.customer) {
                    self.counts.begin(impression.customer, view.item_ids.len(), history.has_late, max_history);
                }
            }
            self.writer.add(impression, 0, view)?;
            self.counts.add(impression);
            self.day.input.summary.duplicates += u64::from(before == Some(impression));
            before = Some(impression);
        }
        if let Some(last) = impressions.last() {
            self.last = Some(last.clone());
        }
        progress.advance(impressions.len() as u64);
        Ok(())
    }

    fn finish(self, progress: &dyn Progress) -> Result<ProduceSummary> {
        let DayRows { mut day, writer, counts, .. } = self;
        Counters::default().add(&counts, &mut day.input.summary);
        day.publish(writer.finish()?, progress)
    }
}
