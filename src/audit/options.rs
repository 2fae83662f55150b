//! The options of an audit.

use std::path::Path;

use crate::model::Day;
use crate::resources::Resources;
use crate::sources;

/// The options of an audit.
#[derive(Clone, Copy, Debug)]
pub struct AuditOptions<'a> {
    /// The input root, which holds all raw files.
    pub input: &'a Path,
    /// The sources in the input, as they were when the rows were made.
    pub sources: &'a sources::Sources,
    /// The output folder of the partition.
    pub out: &'a Path,
    /// The day of the partition.
    pub dt: Day,
    /// The number of customers whose rows are compared; `None` for all. Other rows are only counted.
    pub sample: Option<usize>,
    /// The seed that selects these customers.
    pub seed: u64,
    /// What the audit may use. With less memory, the raw files are read more often.
    pub resources: &'a Resources,
}
