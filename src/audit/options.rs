//! The options of an audit.

use std::path::PathBuf;

use crate::model::Day;
use crate::options::options;
use crate::resources::Resources;
use crate::sources::Sources;

options! {
    /// The options of an audit: the input root, which holds all raw files; the output folder of the partition, and its
    /// day.
    AuditOptions(input: PathBuf, out: PathBuf, dt: Day) {
        /// The description of the input, as it was when the rows were made.
        sources: Sources = Sources::default(),
        /// The number of customers whose rows are compared; other rows are only counted. Default: all customers.
        sample: Option<usize> = None,
        /// The seed that selects these customers. Default: 0.
        seed: u64 = 0,
        /// What the audit may use. With less memory, the raw files are read more often.
        resources: Resources = Resources::default(),
    }
}
