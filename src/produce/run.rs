//! Produces one day, from its options to its summary.

use super::chunks::{CHUNKS_AHEAD, Chunks};
use super::counters::Counters;
use super::options::ProduceOptions;
use super::prepared_day::{Prepare, PreparedDay};
use super::row_groups::{Chunk, Joined, Joiner};
use super::shuffled::Shuffled;
use super::summary::ProduceSummary;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::model::{Impression, RowOrder};
use crate::output::{FileSizes, RowWriter};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::sort::Sorted;
use crate::store::Store;

/// Writes the partition of one day, replacing an existing one.
///
/// Memory: that for sorting, that of the open store, and two row groups for each thread (see
/// [`crate::output::RowGroup`]); with a shuffled order, row groups of four times the memory for sorting at once.
pub fn produce(store: &Store, options: &ProduceOptions<'_>, progress: &dyn Progress) -> Result<ProduceSummary> {
    produce_sized(store, options, FileSizes::default(), progress)
}

/// Does the same as [`produce`], with row groups and parts of the given sizes.
pub fn produce_sized(
    store: &Store,
    options: &ProduceOptions<'_>,
    sizes: FileSizes,
    progress: &dyn Progress,
) -> Result<ProduceSummary> {
    let (mut day, impressions) = match PreparedDay::prepare(store, options, sizes, progress)? {
        Prepare::Kept(summary) => return Ok(summary),
        Prepare::Prepared(day, impressions) => (*day, impressions),
    };
    let resources = options.resources;
    let mut writer = RowWriter::new(day.partition.parts(), &day.input.settings, &day.schema);
    match day.input.settings.order {
        RowOrder::Customer => {
            progress.begin("writing", "impressions", Some(day.input.summary.impressions));
            let joiners = Joiner::of_threads(store, &day, resources.threads())?;
            let chunks = Chunks::new(impressions, day.input.settings.sizes.row_group_rows);
            join(chunks, joiners, &mut writer, &mut day.input.summary, resources.cancel(), progress)?;
        }
        RowOrder::Shuffled(_) | RowOrder::Carousel(_) => {
            let scratch = day.partition.scratch().with_file_name("shuffled");
            let shuffled = Shuffled { settings: &day.input.settings, budget: day.budget, scratch, resources, progress };
            let threads = day.input.histories(store, resources.threads())?;
            shuffled.write(impressions, threads, &day.schema, &mut writer, &mut day.input.summary)?;
        }
    }
    day.publish(writer.finish()?)
}

/// Joins in parallel, and writes in the order of the impressions.
fn join(
    mut chunks: Chunks<Sorted<Impression>, Impression>,
    joiners: Vec<Joiner<'_>>,
    writer: &mut RowWriter,
    summary: &mut ProduceSummary,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<()> {
    let mut counters = Counters::default();
    let joiners = joiners.into_iter().map(|mut joiner| move |chunk: Chunk| joiner.join(&chunk)).collect();
    let write = |joined: Joined| {
        counters.add(&joined.counts, summary);
        progress.advance(joined.counts.impressions);
        writer.append(joined.group)
    };
    ordered_map(cancel, joiners, CHUNKS_AHEAD, || chunks.next_chunk(), write)?;
    summary.duplicates = chunks.repeats();
    Ok(())
}
