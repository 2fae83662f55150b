//! The partition that rows are read from, and what can be asked of it.

use super::super::options::PartitionOptions;
use crate::error::{Error, Kind, Result};
use crate::exact::{Held, usize_of};
use crate::format::Hasher;
use crate::manifest::Manifest;
use crate::message::message;
use crate::model::ExtraColumn;
use crate::output::{PartitionFolder, ProducedFile, RowSettings, check_content};
use crate::progress::Progress;
use crate::storage::{Fingerprint, PlacedFile};
use crate::text::Shown;

/// A part file.
pub(super) struct Part {
    pub file: PlacedFile,
    fingerprint: Fingerprint,
    /// How many rows of the partition stand before it.
    pub first: u64,
}

/// A partition whose part files are as they were written.
///
/// Memory: its manifest, and some 200 bytes for each part file.
pub(super) struct Source {
    pub manifest: Manifest,
    pub parts: Vec<Part>,
    /// The settings of the training rows.
    pub settings: RowSettings,
    /// A hash of settings and part files.
    pub inputs: String,
}

/// A row group.
pub(super) struct RowGroupPlace {
    /// The number of its part file.
    pub part: usize,
    /// Its number in the file.
    pub group: usize,
    /// How many rows of the file stand before it.
    pub first: u64,
    pub rows: u64,
}

impl Source {
    /// Reads the manifest, compares the settings, and reads each part file once for its hash.
    pub(super) fn open(options: &PartitionOptions, progress: &dyn Progress) -> Result<Self> {
        let folder = PartitionFolder::new(&options.resources.place(&options.out)?, options.dt);
        let manifest = folder.manifest()?;
        let settings = settings(options, &manifest)?;
        let checked = check_content(&folder, &manifest, options.resources.cancel(), progress)?;
        let mut hasher = Hasher::new();
        hasher.add(b"partition");
        for (key, value) in settings.key_values() {
            hasher.add(key.as_bytes());
            hasher.add(value.as_bytes());
        }
        let (mut first, mut parts) = (0, Vec::with_capacity(checked.len()));
        for (part, (file, fingerprint)) in manifest.parts.iter().zip(checked) {
            hasher.add(&fingerprint.xxh3_128);
            parts.push(Part { file, fingerprint, first });
            first += part.rows;
        }
        Ok(Source { manifest, parts, settings, inputs: hasher.hex() })
    }

    /// Opens a part file. Fails if its columns or rows are not those of the manifest.
    pub(super) fn file(&self, part: usize, options: &PartitionOptions) -> Result<ProducedFile> {
        let rows = self.manifest.parts.get(part).held("each part is in the manifest")?.rows;
        let file = ProducedFile::open(&self.part(part)?.file, options.resources.cancel())?;
        if file.columns() != self.manifest.settings.columns() || file.rows() != rows {
            return Err(Error::new(
                Kind::Corrupt,
                format!("the file {} has other columns or rows than its manifest says", file.path().shown()),
                message!["produce the day again with ", [Produce]],
            ));
        }
        Ok(file)
    }

    /// Returns all row groups, in order. Memory: 32 bytes for each.
    pub(super) fn row_groups(&self, options: &PartitionOptions) -> Result<Vec<RowGroupPlace>> {
        let mut places = Vec::new();
        for part in 0..self.parts.len() {
            let mut first = 0;
            for (group, rows) in self.file(part, options)?.row_groups().into_iter().enumerate() {
                places.push(RowGroupPlace { part, group, first, rows });
                first += rows;
            }
        }
        Ok(places)
    }

    pub(super) fn part(&self, part: usize) -> Result<&Part> {
        self.parts.get(part).held("each row is in a part file")
    }

    /// Returns the error for a row whose cells cannot be those of a produced row.
    pub(super) fn invalid(&self, index: u64, why: &str) -> Error {
        let part = self.parts.partition_point(|part| part.first <= index);
        match part.checked_sub(1).and_then(|part| self.parts.get(part)).held("each row is in a part file") {
            Ok(part) => Error::new(
                Kind::Corrupt,
                format!("the file {} row {} is invalid: {why}", part.file.path().shown(), index - part.first + 1),
                message!["produce the day again with ", [Produce]],
            ),
            Err(error) => error,
        }
    }

    /// Fails if a part file was written or replaced since it was compared with the manifest.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        self.parts.iter().try_for_each(|part| part.file.check_unchanged(&part.fingerprint))
    }

    /// Returns the number of rows as one bit each, all 0.
    pub(super) fn bits(&self) -> Vec<u64> {
        vec![0; usize_of(self.manifest.rows.div_ceil(64))]
    }
}

/// Returns the settings of the training rows. Fails if they cannot be made of the partition's.
fn settings(options: &PartitionOptions, manifest: &Manifest) -> Result<RowSettings> {
    let (dt, rows, has) = (manifest.dt, &options.rows, &manifest.settings);
    let max_history = rows.max_history.unwrap_or(has.max_history);
    if max_history > has.max_history {
        return Err(Error::refused(
            message![
                MaxHistory,
                (" {max_history} is more than the rows of the partition of {dt} have ({})", has.max_history)
            ],
            message!["use a smaller number, or produce the day again with ", [Produce MaxHistory = (max_history)]],
        ));
    }
    if let Some(asked) = rows.lookback_days.filter(|asked| Some(*asked) != has.lookback_days) {
        let was = has.lookback_days.map_or_else(|| "none".to_owned(), |days| days.to_string());
        return Err(Error::refused(
            message![LookbackDays, " {asked} was given, but the partition of {dt} has {was}"],
            message!["leave the option out, or produce the day again with ", LookbackDays],
        ));
    }
    let columns = rows.row_columns();
    let is_read = |column: &ExtraColumn| matches!(column, ExtraColumn::ActionAges | ExtraColumn::ActionTimes);
    if let Some(lacking) = columns.with.iter().filter(is_read).find(|column| !has.with.has(*column)) {
        return Err(Error::refused(
            format!("the partition of {dt} has no column {}, which the batches were to have", lacking.name()),
            message!["leave it out, or produce the day again with ", [Produce With = (lacking.name())]],
        ));
    }
    let order = rows.row_order()?;
    Ok(RowSettings { max_history, columns, order, ..RowSettings::of(manifest)? })
}
