//! The state of a table at its newest version: the commits of its log, applied in order.

use std::collections::BTreeMap;
use std::io::Read as _;

use super::action::{Add, Line, Metadata, PartitionValues, Protocol, Remove, read_lines};
use super::checkpoint;
use super::log::{LogFiles, path_of, unusable};
use super::protocol::{check_metadata, check_protocol};
use super::schema::Schema;
use crate::error::{Error, Result};
use crate::model::{Day, RowColumn};
use crate::output::log_folder::LOG;
use crate::storage::Place;

/// A file of the newest version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ActiveFile {
    pub partition_values: PartitionValues,
    pub bytes: i64,
}

/// A file that is no longer in the newest version.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemovedFile {
    /// When it left, as the log says.
    pub removed_ms: i64,
    /// The version that it left with, if its commit was read.
    pub version: Option<u64>,
}

/// The state of a table. Memory: some 300 bytes for each file that its log names.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// The newest version that was read.
    pub version: u64,
    pub protocol: Protocol,
    pub metadata: Metadata,
    /// By their paths, as the log has them.
    pub active: BTreeMap<String, ActiveFile>,
    pub removed: BTreeMap<String, RemovedFile>,
}

impl Snapshot {
    /// Reads the newest version; `None` if there is no table yet. Fails if the log is damaged, or needs more than this
    /// program knows.
    ///
    /// One request for the list, and one for each file from the newest checkpoint on, several at the same time.
    pub(super) fn read(out: &Place) -> Result<Option<Self>> {
        let files = LogFiles::list(out)?;
        let Some(newest) = files.newest() else { return Ok(None) };
        let mut snapshot = Snapshot::default();
        let after = files.checkpoint.as_ref().map(|(version, _)| *version);
        if let Some((version, paths)) = &files.checkpoint {
            snapshot.version = *version;
            files.read(paths.clone(), |path, file| checkpoint::read(path, file, |line| snapshot.apply(line, None)))?;
        }
        snapshot.read_commits(out, &files, after)?;
        if snapshot.metadata.id.is_empty() || snapshot.protocol == Protocol::default() {
            return Err(unusable(&path_of(out, newest), "no version up to this one says what the table is"));
        }
        check_protocol(out, &snapshot.protocol)?;
        Ok(Some(snapshot))
    }

    /// Reads what has been committed since. Fails as [`Self::read`] does.
    pub(super) fn advance(&mut self, out: &Place) -> Result<()> {
        let files = LogFiles::list(out)?;
        let next = self.version + 1;
        if files.newest().is_some_and(|newest| newest > self.version) && !files.commits.contains(&next) {
            // The log has been cleaned up meanwhile, behind a checkpoint.
            if let Some(read) = Snapshot::read(out)? {
                *self = read;
            }
            return Ok(());
        }
        self.read_commits(out, &files, Some(self.version))?;
        check_protocol(out, &self.protocol)
    }

    fn read_commits(&mut self, out: &Place, files: &LogFiles, after: Option<u64>) -> Result<()> {
        let wrong = |reason: String| unusable(&out.path().join(LOG), &reason);
        let versions = files.commits_after(after).map_err(wrong)?;
        let mut numbers = versions.iter().copied();
        let paths = versions.iter().map(|version| path_of(out, *version)).collect();
        files.read(paths, |path, mut file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|error| Error::io("read", path, error))?;
            let version = numbers.next();
            read_lines(&bytes, |line| self.apply(line, version)).map_err(|reason| unusable(path, &reason))?;
            self.version = version.unwrap_or(self.version);
            Ok(())
        })
    }

    /// Applies an action; `version` is that of its commit.
    fn apply(&mut self, line: Line, version: Option<u64>) {
        let Line { commit_info: _, protocol, meta_data, remove, add } = line;
        if let Some(protocol) = protocol {
            self.protocol = protocol;
        }
        if let Some(metadata) = meta_data {
            self.metadata = metadata;
        }
        if let Some(Remove { path, deletion_timestamp, .. }) = remove {
            self.active.remove(&path);
            self.removed.insert(path, RemovedFile { removed_ms: deletion_timestamp.unwrap_or_default(), version });
        }
        if let Some(Add { path, partition_values, size, .. }) = add {
            self.removed.remove(&path);
            self.active.insert(path, ActiveFile { partition_values, bytes: size });
        }
    }

    /// Fails if rows with these columns cannot replace those of the table.
    pub(super) fn check(&self, out: &Place, own: &Schema) -> Result<()> {
        check_metadata(out, &self.metadata, own)
    }

    /// Returns the files of a day.
    pub(super) fn of_day(&self, dt: Day) -> BTreeMap<String, ActiveFile> {
        let day = Some(dt.to_string());
        let is_of_day = |file: &ActiveFile| file.partition_values.get(RowColumn::Dt.name()) == Some(&day);
        self.active
            .iter()
            .filter(|(_, file)| is_of_day(file))
            .map(|(path, file)| (path.clone(), file.clone()))
            .collect()
    }
}
