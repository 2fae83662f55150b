//! What to audit.

use std::path::Path;

use crate::model::Day;
use crate::resources::Resources;
use crate::sources;

/// What to audit.
#[derive(Clone, Copy, Debug)]
pub struct AuditOptions<'a> {
    /// The input root, which holds all raw files.
    pub input: &'a Path,
    /// What is read of it, as it was when the rows were made.
    pub sources: &'a sources::Sources,
    /// Where the partition is.
    pub out: &'a Path,
    /// Its day.
    pub dt: Day,
    /// How many customers' rows are compared; `None` for all. Rows of others are counted only.
    pub sample: Option<usize>,
    /// Which customers these are.
    pub seed: u64,
    /// What it may take. With less memory for what the raw files say, they are read more often.
    pub resources: &'a Resources,
}
