//! The options of an ingest.

use std::path::PathBuf;

use crate::input::Input;
use crate::model::Day;
use crate::options::options;
use crate::resources::Resources;
use crate::sources::Sources;

options! {
    /// The options of an ingest: the root folder of the input, or rows in memory; and the day of the batch.
    IngestOptions(input: Input, dt: Day) {
        /// The sources to read from the input. Default: clicks, add_to_carts and orders.
        sources: Sources = Sources::default(),
        /// Today's date, used only to refuse a batch day later than tomorrow. Default: no such check.
        today: Option<Day> = None,
        /// Whether to ingest a day without any file as an empty batch. Default: no.
        allow_empty: bool = false,
        /// Whether to accept a batch day later than tomorrow, or over ten years from every other batch. Default: no.
        allow_far_day: bool = false,
        /// Whether to accept a batch with more than half of its actions over ten years from its day. Default: no.
        allow_far_actions: bool = false,
        /// Whether to accept a batch without files of a source that all recent batches have files of. Default: no.
        allow_missing_source: bool = false,
        /// The quarantine, a folder or URL for bad rows. Default: a batch with a bad row is refused.
        quarantine: Option<PathBuf> = None,
        /// Memory, threads and disk for reading. An action takes 40 bytes of the memory for sorting; beyond it, sorted
        /// runs spill to disk beside the store.
        resources: Resources = Resources::default(),
    }
}
