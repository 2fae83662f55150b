//! The figures of a partition's rows.

use serde::Serialize;

use crate::cancel::Cancel;
use crate::error::Result;
use crate::manifest::RowTally;
use crate::model::Day;
use crate::output::{PartitionFolder, ProducedFile, check_sizes, partitions};
use crate::progress::Progress;
use crate::storage::Place;

/// The source of a partition's figures.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadFrom {
    /// Its manifest.
    Manifest,
    /// Two columns of its part files, since its manifest is unusable, lacks the figures, or lists other files.
    PartFiles,
}

/// One partition in figures.
#[derive(Clone, Debug, Serialize)]
pub struct PartitionFigures {
    /// The day of its rows.
    pub dt: Day,
    /// Training rows.
    pub rows: u64,
    /// Rows with label 1.
    pub ordered: u64,
    /// Rows of customers without any history, which are all padding.
    pub rows_without_history: u64,
    /// Elements of the rows' `actions` that hold an action.
    pub filled: u64,
    /// All elements of the rows' `actions`; those without an action are padding.
    pub places: u64,
    /// Part files, and their bytes.
    pub parts: usize,
    /// See `parts`.
    pub bytes: u64,
    /// The source of the figures.
    pub read_from: ReadFrom,
}

impl PartitionFigures {
    /// Returns rows with label 1 divided by rows; `None` without rows.
    pub fn label_rate(&self) -> Option<f64> {
        ratio(self.ordered, self.rows)
    }

    /// Returns rows without history divided by rows; `None` without rows.
    pub fn cold_start_ratio(&self) -> Option<f64> {
        ratio(self.rows_without_history, self.rows)
    }

    /// Returns padding elements divided by all elements; `None` without elements.
    pub fn padding_ratio(&self) -> Option<f64> {
        ratio(self.places.saturating_sub(self.filled), self.places)
    }
}

/// Returns a part divided by the whole; `None` if the whole is 0.
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Returns the figures of all partitions below `out`, days ascending.
///
/// A manifest has some kilobytes, however many rows there are. Only if it lacks the figures, columns `label` and
/// `action_types` of the part files are read: about 6 s for a million rows of 1,000 actions. Memory: one manifest, or
/// 512 rows of these columns and a page of each.
pub(super) fn partition_figures(
    out: &Place,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Vec<PartitionFigures>> {
    let folders = partitions(out)?;
    progress.begin("reading", "partitions", Some(folders.len() as u64));
    let figures = folders.into_iter().map(|folder| {
        cancel.check()?;
        let figures = match from_manifest(&folder) {
            Some(figures) => figures,
            None => from_part_files(&folder, cancel)?,
        };
        progress.advance(1);
        Ok(figures)
    });
    figures.collect()
}

fn from_manifest(folder: &PartitionFolder) -> Option<PartitionFigures> {
    let manifest = folder.manifest().ok()?;
    check_sizes(folder, &manifest).ok()?;
    let RowTally { ordered, rows_without_history, filled } = manifest.tally?;
    Some(PartitionFigures {
        dt: folder.dt(),
        rows: manifest.rows,
        ordered,
        rows_without_history,
        filled,
        places: manifest.rows.saturating_mul(manifest.settings.max_history as u64),
        parts: manifest.parts.len(),
        bytes: manifest.parts.iter().map(|part| part.bytes).sum(),
        read_from: ReadFrom::Manifest,
    })
}

fn from_part_files(folder: &PartitionFolder, cancel: &Cancel) -> Result<PartitionFigures> {
    let mut figures = PartitionFigures {
        dt: folder.dt(),
        rows: 0,
        ordered: 0,
        rows_without_history: 0,
        filled: 0,
        places: 0,
        parts: 0,
        bytes: 0,
        read_from: ReadFrom::PartFiles,
    };
    for file in folder.files()? {
        let file = ProducedFile::open(&file, cancel)?;
        let (tally, places) = file.tally()?;
        figures.rows += file.rows();
        figures.ordered += tally.ordered;
        figures.rows_without_history += tally.rows_without_history;
        figures.filled += tally.filled;
        figures.places += places;
        figures.parts += 1;
        figures.bytes += file.bytes()?;
    }
    Ok(figures)
}
