//! The options of an ingest.

use std::path::Path;

use crate::model::Day;
use crate::resources::Resources;
use crate::sources::Sources;

/// The options of an ingest.
#[derive(Clone, Copy, Debug)]
pub struct IngestOptions<'a> {
    /// The root folder of the input.
    pub input: &'a Path,
    /// The sources to read from it.
    pub sources: &'a Sources,
    /// The day of the batch.
    pub dt: Day,
    /// Today's date, used only to refuse a batch day later than tomorrow; `None`: no such check.
    pub today: Option<Day>,
    /// Whether to ingest a day without any file as an empty batch.
    pub allow_empty: bool,
    /// Whether to accept a batch day later than tomorrow, or over ten years from every other batch.
    pub allow_far_day: bool,
    /// Whether to accept a batch with more than half of its actions over ten years from its day.
    pub allow_far_actions: bool,
    /// Whether to accept a batch without files of a source that all recent batches have files of.
    pub allow_missing_source: bool,
    /// The quarantine folder for bad rows; `None`: a batch with a bad row is refused.
    pub quarantine: Option<&'a Path>,
    /// Memory, threads and disk for reading. An action takes 40 bytes of the memory for sorting; beyond it, sorted runs
    /// spill to disk beside the store.
    pub resources: &'a Resources,
}
