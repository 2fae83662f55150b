//! Whether a partition is to be kept as it is, where several stores have given its rows.

use super::day_input::{DayInput, shown_files};
use super::options::ProduceOptions;
use super::read::Fingerprinted;
use super::summary::ProduceSummary;
use crate::error::Result;
use crate::output::PartitionFolder;
use crate::progress::Progress;
use crate::store::Store;

/// A day whose partition may be that of its inputs already.
///
/// Memory: some 100 bytes for each impression file.
pub(crate) struct MayBeKept {
    options: ProduceOptions,
    folder: PartitionFolder,
    files: Vec<Fingerprinted>,
}

impl MayBeKept {
    /// Finds the impression files of a day with a partition.
    pub(crate) fn find(options: ProduceOptions, folder: PartitionFolder) -> Result<Self> {
        let files = shown_files(&options.day())?;
        Ok(MayBeKept { options, folder, files })
    }

    /// Returns the hash over everything that determines the rows from a store, and the summary of keeping them. Fails
    /// if the options do not fit the store.
    pub(crate) fn inputs(&self, store: &Store, progress: &dyn Progress) -> Result<(String, ProduceSummary)> {
        let input = DayInput::check_with(store, &self.options.day(), Some(self.files.clone()), progress)?;
        Ok((input.inputs, ProduceSummary { kept: true, ..input.summary }))
    }

    /// Whether the partition is kept that is from inputs with this hash; then leftovers in it are removed.
    pub(crate) fn is_kept(&self, inputs: &str) -> Result<bool> {
        let is_kept = self.options.is_current(&self.folder, inputs)?;
        if is_kept {
            self.folder.tidy_up()?;
        }
        Ok(is_kept)
    }
}
