//! Floor 2, descriptions of the input: the files of a day, the names of their columns, and how to determine an action's
//! type. Plain values; no I/O. [`crate::config`] reads them from a file; without a configuration they are
//! [`Sources::default`].
//!
//! A source is identified by its name. Its rows are determined by its [`ActionSource::mapping`], which a batch records:
//! a changed mapping means a changed batch.

mod action_source;
mod csv_dialect;
mod exploded;
mod file_format;
mod impression_source;
mod mapping;
mod pattern;
mod time_format;

use std::path::PathBuf;

use crate::model::{Ids, TypeTable};

pub use action_source::{ActionSource, BUILT_IN, Int96, TimeUnit, TypeRule, WithoutCustomer, source_rank};
pub use csv_dialect::CsvDialect;
pub(crate) use exploded::in_element;
pub use file_format::FileFormat;
pub use impression_source::{ImpressionLayout, ImpressionSource};
pub use mapping::Mapping;
pub use pattern::{Component, Glob, Pattern};
pub use time_format::TimeFormat;

/// What begins the name under which batches and partitions record rows from memory. No file has such a name: between
/// two slashes of a path there is a folder.
const MEMORY: &str = "memory://";

/// Returns the name under which batches and partitions record the rows of a source from memory.
pub(crate) fn memory_name(source: &str) -> String {
    format!("{MEMORY}{source}")
}

/// Whether a recorded name is that of rows from memory, and not of a file.
pub(crate) fn is_memory_name(name: &str) -> bool {
    name.starts_with(MEMORY)
}

/// Everything that is read of an input root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources {
    /// The types of the actions.
    pub types: TypeTable,
    /// In the order of [`source_rank`]; no name twice, at least one and at most [`SOURCES_MAX`].
    pub actions: Vec<ActionSource>,
    /// The impressions.
    pub impressions: ImpressionSource,
    /// The configuration file; `None` without a configuration.
    pub file: Option<PathBuf>,
}

/// The maximum number of sources of actions; a batch numbers them in one byte.
pub const SOURCES_MAX: usize = 100;

impl Default for Sources {
    /// Returns clicks, add-to-carts, orders and impressions in Hive layout, as in the contract.
    fn default() -> Self {
        Sources {
            types: TypeTable::default(),
            actions: BUILT_IN.iter().filter_map(|name| ActionSource::built_in(name)).collect(),
            impressions: ImpressionSource::default(),
            file: None,
        }
    }
}

impl Sources {
    /// Returns how the ids of all sources become numbers.
    pub fn ids(&self) -> Ids {
        self.impressions.ids
    }

    /// Returns the sources with ids that become numbers in another way.
    pub fn with_ids(mut self, ids: Ids) -> Self {
        self.actions.iter_mut().for_each(|source| source.ids = ids);
        self.impressions.ids = ids;
        self
    }

    /// Returns the source with this name.
    pub fn named(&self, name: &str) -> Option<&ActionSource> {
        self.actions.iter().find(|source| source.name == name)
    }
}
