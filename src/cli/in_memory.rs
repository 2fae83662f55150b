//! Rows that a program gives a command in memory, in place of files.

use std::collections::BTreeMap;

use lookback::config;
use lookback::error::Result;
use lookback::input::{Input, MemoryInput, RecordBatches};
use lookback::resources::Resources;
use lookback::sources::Sources;

use super::args::Configuration;

/// Opens the rows of a source.
type Open = Box<dyn FnOnce() -> Result<RecordBatches> + Send>;

/// The name under which impressions are given.
const IMPRESSIONS: &str = "impressions";

/// Rows that a program has in memory: record batches by the name of their source, `impressions` for impressions; and
/// the names of their columns, where they are others than the configuration has.
#[derive(Default)]
pub struct RowsInMemory {
    sources: Vec<(String, Open)>,
    columns: Vec<(String, BTreeMap<String, String>)>,
}

impl RowsInMemory {
    /// Adds the rows of a source. They are opened when their turn to be read comes: some programs give only one stream
    /// at a time.
    #[must_use]
    pub fn add(mut self, source: &str, open: impl FnOnce() -> Result<RecordBatches> + Send + 'static) -> Self {
        self.sources.push((source.to_owned(), Box::new(open)));
        self
    }

    /// Names columns of a source, as `columns` of the configuration does: see [`config::name_columns`].
    #[must_use]
    pub fn columns(mut self, source: &str, columns: BTreeMap<String, String>) -> Self {
        self.columns.push((source.to_owned(), columns));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Reads all rows: those of a task, or those of a whole day. Returns them with the description by which they were
    /// read.
    pub(super) fn read(self, named: &Configuration, is_task: bool, resources: &Resources) -> Result<(Input, Sources)> {
        let mut sources = config::sources(None, named.config.as_deref(), resources)?;
        for (source, columns) in &self.columns {
            config::name_columns(&mut sources, source, columns)?;
        }
        let memory = MemoryInput::new(&sources, resources);
        let mut memory = if is_task { memory.keeping_empty() } else { memory };
        for (source, open) in self.sources {
            if source == IMPRESSIONS {
                memory.add_impressions(open()?)?;
            } else {
                memory.add(&source, open()?)?;
            }
        }
        Ok((memory.into(), sources))
    }
}
