//! The options of producing a day.

use std::path::PathBuf;

use super::choice::RowChoice;
use super::day_options::DayOptions;
use crate::input::Input;
use crate::model::Day;
use crate::options::options;
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
        /// The quarantine folder for bad rows. Default: impressions with a bad row are refused.
        quarantine: Option<PathBuf> = None,
        /// Memory, threads and disk to use. An impression of 10 items takes some 250 bytes of the memory for sorting;
        /// beyond it, sorted runs spill to disk beside the partition. Shuffled orders divide it.
        resources: Resources = Resources::default(),
        /// Whether to keep a partition that was produced from the same inputs. Default: it is written again.
        keep_current: bool = false,
    }
}

impl ProduceOptions {
    /// Returns the options that determine the rows.
    pub(super) fn day(&self) -> DayOptions<'_> {
        DayOptions {
            input: &self.input,
            impressions: &self.sources.impressions,
            dt: self.dt,
            rows: self.rows,
            known_as_of: self.known_as_of,
            allowed: (self.allow_gaps, self.allow_pruned),
            quarantine: self.quarantine.as_deref(),
            resources: &self.resources,
        }
    }
}
