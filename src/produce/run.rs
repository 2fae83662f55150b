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
use crate::output::{RowWriter, vacuum};
use crate::parallel::ordered_map;
use crate::progress::Progress;
use crate::sort::Sorted;
use crate::store::Store;

/// Writes the partition of one day, replacing an existing one.
///
/// Memory: that for sorting, that of the open store, and two row groups for each thread (see
/// [`crate::output::RowGroup`]); with a shuffled order, row groups of four times the memory for sorting at once.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = example();
/// # let at = |name: &str| folder.path().join(name);
/// # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent, store::{Folder, Settings, Store}};
/// # let store_folder = Folder::new(&at("store"));
/// # Store::create(&store_folder, Settings::default())?;
/// # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
/// # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
/// # let store = Store::open_reader(&store_folder)?;
/// use lookback::model::OrderKind;
/// use lookback::produce::{ProduceOptions, RowChoice, produce};
///
/// let rows = RowChoice::default().max_history(Some(100)).order(Some(OrderKind::Shuffled)).seed(Some(1));
/// let options = ProduceOptions::new(at("input"), "2026-01-02".parse::<Day>()?, at("out")).rows(rows);
/// assert_eq!(produce(&store, &options, &Silent)?.rows, 2);
/// # Ok(())
/// # }
/// ```
pub fn produce(store: &Store, options: &ProduceOptions, progress: &dyn Progress) -> Result<ProduceSummary> {
    let mut summary = produce_day(store, options, progress)?;
    if let Some(age) = options.vacuum {
        summary.vacuumed = vacuum(&options.resources.place(&options.out)?, age, progress)?;
    }
    Ok(summary)
}

fn produce_day(store: &Store, options: &ProduceOptions, progress: &dyn Progress) -> Result<ProduceSummary> {
    let (mut day, impressions) = match PreparedDay::prepare(store, options, progress)? {
        Prepare::Kept(summary) => return Ok(summary),
        Prepare::Prepared(day, impressions) => (*day, impressions),
    };
    let resources = &options.resources;
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
    day.publish(writer.finish()?, progress)
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
