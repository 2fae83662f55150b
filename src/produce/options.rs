//! The options of producing a day.

use std::path::PathBuf;
use std::time::Duration;

use super::choice::RowChoice;
use super::day_options::DayOptions;
use crate::error::Result;
use crate::input::Input;
use crate::model::{Day, Shard, TableFormat};
use crate::options::options;
use crate::output::{PartitionFolder, TableFiles};
use crate::resources::Resources;
use crate::sources::Sources;

options! {
    /// The options of producing a day: the root folder of the input, or rows in memory; the day, from strictly before
    /// which every action in its rows is; and the folder for the partition.
    ProduceOptions(input: Input, dt: Day, out: PathBuf) {
        /// The description of the input, of which the impressions are read.
        sources: Sources = Sources::default(),
        /// The settings of rows.
        rows: RowChoice = RowChoice::default(),
        /// Only batches up to and including this one. Default: all.
        known_as_of: Option<Day> = None,
        /// Whether to produce although batches are missing. Default: no.
        allow_gaps: bool = false,
        /// Whether to produce although the rows lack pruned actions. Default: no.
        allow_pruned: bool = false,
        /// Only impressions of this shard's customers: those of a sharded store. Default: all.
        shard: Option<Shard> = None,
        /// The quarantine, a folder or URL for bad rows. Default: impressions with a bad row are refused.
        quarantine: Option<PathBuf> = None,
        /// Memory, threads and disk to use. An impression of 10 items takes some 250 bytes of the memory for sorting;
        /// beyond it, sorted runs spill to disk beside the partition. Shuffled orders divide it.
        resources: Resources = Resources::default(),
        /// The table that the output is. Default: partitions without a log. An output never changes its kind.
        table: Option<TableFormat> = None,
        /// Once the day is produced, files of older versions of the table that left it at least this long ago are
        /// removed. Default: they stay.
        vacuum: Option<Duration> = None,
        /// Whether to keep a partition that was produced from the same inputs. Default: it is written again.
        keep_current: bool = false,
        /// With `keep_current`, the files of the Delta table, as read for several days. Default: read for each day.
        table_files: Option<TableFiles> = None,
    }
}

impl ProduceOptions {
    /// Whether a partition is to be kept: it was produced from these inputs, and a table has its parts.
    pub(super) fn is_current(&self, folder: &PartitionFolder, inputs: &str) -> Result<bool> {
        if !self.keep_current || !folder.holds(inputs, self.table_files.as_ref()) {
            return Ok(false);
        }
        let read = if self.table_files.is_none() { TableFiles::read(folder.out())? } else { None };
        Ok(read.is_none_or(|read| folder.holds(inputs, Some(&read))))
    }

    /// Returns the options that determine the rows.
    pub(super) fn day(&self) -> DayOptions<'_> {
        DayOptions {
            input: &self.input,
            impressions: &self.sources.impressions,
            dt: self.dt,
            rows: self.rows,
            known_as_of: self.known_as_of,
            shard: self.shard,
            allowed: (self.allow_gaps, self.allow_pruned),
            quarantine: self.quarantine.as_deref(),
            resources: &self.resources,
        }
    }
}
