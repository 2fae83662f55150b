//! The options of a backfill.

use std::path::PathBuf;
use std::time::Duration;

use crate::ingest::IngestOptions;
use crate::model::{Day, TableFormat};
use crate::options::options;
use crate::produce::RowChoice;
use crate::resources::Resources;
use crate::sources::Sources;

options! {
    /// The options of a backfill: the root folder of the input, and the first and the last day.
    BackfillOptions(input: PathBuf, from: Day, to: Day) {
        /// The description of the input.
        sources: Sources = Sources::default(),
        /// The output folder of partitions. Default: nothing is produced.
        out: Option<PathBuf> = None,
        /// Whether each day is produced from the batches up to the day before, instead of from the whole store.
        as_daily: bool = false,
        /// Today's date, as for a single ingest.
        today: Option<Day> = None,
        /// Whether to ingest days without any file as empty batches.
        allow_empty: bool = false,
        /// Whether to accept batch days later than tomorrow, or over ten years from every other batch, or from more
        /// than half of their actions.
        allow_far_day: bool = false,
        /// Whether to accept batches without files of a source that all recent batches have files of.
        allow_missing_source: bool = false,
        /// Whether to produce although batches before the range are missing.
        allow_gaps: bool = false,
        /// Whether to produce although the rows lack pruned actions.
        allow_pruned: bool = false,
        /// Whether to produce only existing partitions that are stale.
        stale: bool = false,
        /// Whether to report only what would be done.
        dry_run: bool = false,
        /// The table that the output is. Default: partitions without a log. An output never changes its kind.
        table: Option<TableFormat> = None,
        /// At the end, files of older versions of the table that left it at least this long ago are removed. Default:
        /// they stay.
        vacuum: Option<Duration> = None,
        /// The settings of rows. Settings that were not chosen keep the value that a stale partition has.
        rows: RowChoice = RowChoice::default(),
        /// The quarantine, a folder or URL for bad rows. Default: days with a bad row are refused.
        quarantine: Option<PathBuf> = None,
        /// Memory, threads and disk to use.
        resources: Resources = Resources::default(),
    }
}

impl BackfillOptions {
    /// Returns the options of ingesting a day. The plan has checked the days of all batches together.
    pub(crate) fn batch(&self, day: Day) -> IngestOptions {
        IngestOptions::new(&self.input, day)
            .sources(self.sources.clone())
            .allow_empty(self.allow_empty)
            .allow_far_day(true)
            .allow_far_actions(self.allow_far_day)
            .allow_missing_source(true)
            .quarantine(self.quarantine.clone())
            .resources(self.resources.clone())
    }
}
