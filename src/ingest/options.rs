//! What to ingest.

use std::path::Path;

use crate::model::Day;
use crate::resources::Resources;
use crate::sources::Sources;

/// What to ingest.
#[derive(Clone, Copy, Debug)]
pub struct IngestOptions<'a> {
    /// The input root.
    pub input: &'a Path,
    /// What is read of it.
    pub sources: &'a Sources,
    /// The batch.
    pub dt: Day,
    /// Which day it is, so that a batch day beyond tomorrow is told from others; `None`: that is not looked at. Nothing
    /// but a refusal follows from it.
    pub today: Option<Day>,
    /// Whether a batch without any file is taken as an empty one.
    pub allow_empty: bool,
    /// Whether a batch is taken whose day is later than tomorrow, or over ten years from every other batch.
    pub allow_far_day: bool,
    /// Whether a batch is taken of which more than half of the actions lie over ten years from its day.
    pub allow_far_actions: bool,
    /// Whether a batch is taken that has no file of a source of which all of the last batches had some.
    pub allow_missing_source: bool,
    /// Where bad rows go; `None`: a batch with a bad row is refused.
    pub quarantine: Option<&'a Path>,
    /// What reading may take. Of its memory for sorting, an action takes 40 bytes; beyond it, sorted runs go to disk,
    /// beside the store.
    pub resources: &'a Resources,
}
