//! Makes a training day from a partition.

use super::super::gathered::Gathered;
use super::super::options::PartitionOptions;
use super::super::training_day::TrainingDay;
use super::lists::impressions;
use super::read::{ReadRows, read};
use super::row::CustomerHistory;
use super::source::Source;
use crate::error::Result;
use crate::exact::{Held, usize_of};
use crate::produce::{Chunks, Copies, Counters, Counts, ProduceSummary};
use crate::progress::Progress;

/// Rows put aside at once.
const BLOCK_ROWS: usize = 1_000;

impl TrainingDay {
    /// Reads the rows of a day from its partition, whatever its order and files, instead of store and impressions. The
    /// batches are those of [`TrainingDay::prepare`] with the same settings, cell for cell.
    ///
    /// Fails if the partition is incomplete, or a file of it has changed since it was written or changes meanwhile; if
    /// settings were asked for that its rows do not allow: a longer history, another `lookback_days`, ages or times of
    /// actions which it does not have, a narrow type for a wide item; and if its rows are shuffled and several lists of
    /// one customer have the same ranking id, or none, so that they cannot be told apart. Mostly two lists can be, and
    /// three of up to ten elements.
    ///
    /// Memory: that for sorting, that of the day, and a bit for each row; for each thread 256 rows, decoded twice, and
    /// one page of each column; of shuffled rows those of one customer and ranking id, sixteen times for each thread.
    /// The partition may be removed afterwards.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = example();
    /// # let at = |name: &str| folder.path().join(name);
    /// # use lookback::{ingest::{IngestOptions, Ingester}, model::Day, progress::Silent};
    /// # use lookback::store::{Folder, Settings, Store};
    /// # let store_folder = Folder::new(&at("store"));
    /// # Store::create(&store_folder, Settings::default())?;
    /// # let batch = IngestOptions::new(at("input"), "2026-01-01".parse::<Day>()?);
    /// # Ingester::open(&store_folder, &Silent)?.ingest(&batch, &Silent)?;
    /// # use lookback::produce::{ProduceOptions, produce};
    /// # let store = Store::open_reader(&store_folder)?;
    /// # produce(&store, &ProduceOptions::new(at("input"), "2026-01-02".parse::<Day>()?, at("out")), &Silent)?;
    /// use lookback::training::{BatchOptions, PartitionOptions, TrainingDay};
    ///
    /// let options = PartitionOptions::new(at("out"), "2026-01-02".parse::<Day>()?);
    /// let day = TrainingDay::from_partition(&options, &Silent)?;
    /// for batch in day.epoch(0)?.batches(&BatchOptions::default())? {
    ///     assert_eq!(batch?.impressions, [12, 13]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_partition(options: &PartitionOptions, progress: &dyn Progress) -> Result<Self> {
        let source = Source::open(options, progress)?;
        let resources = &options.resources;
        let ReadRows { rows, mut places, histories } = read(&source, options, progress)?;
        source.check_unchanged()?;
        progress.begin("sorting", "", None);
        let impressions = impressions(rows, &source, options)?;
        let Source { manifest, settings, inputs, .. } = source;
        let mut summary = ProduceSummary::of(&settings);
        let mut gathered = Gathered::new(options.max_rows_per_customer, resources);
        let (mut chunks, mut counters) = (Chunks::new(Copies::of(impressions), BLOCK_ROWS), Counters::default());
        let mut last: Option<CustomerHistory> = None;
        progress.begin("putting aside", "impressions", Some(manifest.impressions));
        while let Some(chunk) = chunks.next_chunk()? {
            resources.check()?;
            let (mut block, mut counts) = (Vec::with_capacity(chunk.len()), Counts::default());
            for numbered in chunk {
                let customer = numbered.impression.customer;
                let history = match last.filter(|last| last.customer == customer.0) {
                    Some(last) => last,
                    None => {
                        let next = places.next().transpose()?.filter(|next| next.customer == customer.0);
                        *last.insert(next.held("each customer with a row has a history")?)
                    }
                };
                if counts.is_new(customer) {
                    counts.begin(customer, usize_of(history.place.actions), false, settings.max_history);
                }
                counts.add(&numbered.impression);
                block.push((numbered, history.place));
            }
            counters.add(&counts, &mut summary);
            summary.impressions += counts.impressions;
            gathered.append(&block)?;
            progress.advance(counts.impressions);
        }
        summary.duplicates = chunks.repeats();
        Ok(gathered.finish(settings, histories, summary, &inputs))
    }
}
