//! The files of a log: which versions there are, and their content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::error::{Error, Result};
use crate::exact::{Held as _, usize_of};
use crate::message::message;
use crate::output::log_folder::LOG;
use crate::storage::Place;
use crate::text::Shown as _;

/// The most bytes of one file of a log that are read. A commit of this program has a few hundred bytes for each part.
pub(super) const LOG_FILE_BYTES_MAX: u64 = 64 << 20;

/// Files that are fetched together: each is an open file.
const FILES_AT_ONCE: usize = 64;

/// Digits of a version in the name of its file.
const VERSION_DIGITS: usize = 20;

/// Returns the path of the file of a version.
pub(super) fn path_of(out: &Place, version: u64) -> PathBuf {
    out.path().join(LOG).join(format!("{version:020}.json"))
}

/// The names of a log. Memory: some 100 bytes for each.
#[derive(Debug, Default)]
pub(super) struct LogFiles {
    place: Option<Place>,
    /// The versions that have a commit.
    pub commits: Vec<u64>,
    /// The newest version that has a whole checkpoint, and the files of it.
    pub checkpoint: Option<(u64, Vec<PathBuf>)>,
}

impl LogFiles {
    /// Lists the log of a table; an empty one if there is none. One request.
    pub(super) fn list(out: &Place) -> Result<Self> {
        let place = out.afresh();
        let log = out.path().join(LOG);
        if out.folder().is_some() && !log.is_dir() {
            return Ok(LogFiles::default());
        }
        let mut commits = Vec::new();
        let mut checkpoints: BTreeMap<(u64, usize), Vec<PathBuf>> = BTreeMap::new();
        for entry in place.entries(&log, &|name| Name::of(name).is_some())? {
            match Name::of(&entry.name) {
                Some(Name::Commit(version)) => commits.push(version),
                Some(Name::Checkpoint(version, parts)) => {
                    checkpoints.entry((version, parts)).or_default().push(entry.path);
                }
                None => {}
            }
        }
        commits.sort_unstable();
        let whole = checkpoints.into_iter().rfind(|((_, parts), files)| files.len() == *parts);
        let checkpoint = whole.map(|((version, _), mut files)| {
            files.sort_unstable();
            (version, files)
        });
        Ok(LogFiles { place: Some(place), commits, checkpoint })
    }

    /// Returns the newest version; `None` if there is no table.
    pub(super) fn newest(&self) -> Option<u64> {
        self.commits.last().copied().max(self.checkpoint.as_ref().map(|(version, _)| *version))
    }

    /// Returns the versions behind `after` (`None`: from the first on), which must all be there.
    pub(super) fn commits_after(&self, after: Option<u64>) -> Result<Vec<u64>, String> {
        let first = after.map_or(0, |version| version + 1);
        let commits: Vec<u64> = self.commits.iter().copied().filter(|version| *version >= first).collect();
        match (first..).zip(&commits).find(|(expected, version)| expected != *version) {
            Some((missing, _)) => Err(format!("version {missing} is missing")),
            None => Ok(commits),
        }
    }

    /// Reads the files at these paths, in their order; objects are fetched together. Memory: the largest file.
    pub(super) fn read(
        &self,
        paths: Vec<PathBuf>,
        mut take: impl FnMut(&Path, std::fs::File) -> Result<()>,
    ) -> Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        for some in paths.chunks(FILES_AT_ONCE) {
            for placed in place.files(some.to_vec())? {
                let bytes = placed.bytes()?;
                if bytes > LOG_FILE_BYTES_MAX {
                    let reason = format!("{bytes} bytes are more than the {LOG_FILE_BYTES_MAX} that are read");
                    return Err(unusable(placed.path(), &reason));
                }
                take(placed.path(), placed.open()?)?;
            }
        }
        Ok(())
    }
}

/// The error of a log, or of a file of it, that cannot be used.
pub(super) fn unusable(path: &Path, reason: &str) -> Error {
    Error::input(
        format!("the Delta log {} cannot be used ({reason})", path.shown()),
        message!["restore the table's log, or name a new folder with ", Out],
    )
}

/// A file of a log that matters here.
enum Name {
    Commit(u64),
    /// A checkpoint, with the number of its files.
    Checkpoint(u64, usize),
}

impl Name {
    fn of(name: &str) -> Option<Self> {
        let (version, end) = name.split_at_checked(VERSION_DIGITS)?;
        let version = number(version)?;
        match end {
            ".json" => Some(Name::Commit(version)),
            ".checkpoint.parquet" => Some(Name::Checkpoint(version, 1)),
            end => {
                let parts = end.strip_prefix(".checkpoint.")?.strip_suffix(".parquet")?;
                let (_, parts) = parts.split_once('.').filter(|(part, _)| number(part).is_some())?;
                Some(Name::Checkpoint(version, usize_of(number(parts)?)))
            }
        }
    }
}

/// Reads digits.
fn number(digits: &str) -> Option<u64> {
    Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?.parse().ok()
}

/// Returns when each commit of a log was written, by the clock of the place, in milliseconds since 1970.
pub(super) fn commit_times(out: &Place) -> Result<BTreeMap<u64, i64>> {
    let log = out.path().join(LOG);
    let version = |name: &str| match Name::of(name) {
        Some(Name::Commit(version)) => Some(version),
        _ => None,
    };
    let mut times = BTreeMap::new();
    if let Some((objects, _)) = out.objects() {
        for object in objects.level(&log)?.objects {
            let name = object.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            times.extend(version(&name).map(|version| (version, object.modified_ms)));
        }
        return Ok(times);
    }
    for entry in std::fs::read_dir(&log).map_err(|error| Error::io("list", &log, error))? {
        let path = entry.map_err(|error| Error::io("list", &log, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(version) = version(&name) {
            times.insert(version, modified_ms(&path)?);
        }
    }
    Ok(times)
}

/// Returns when a file was last written, by the clock of its file system, in milliseconds since 1970.
pub(super) fn modified_ms(path: &Path) -> Result<i64> {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let modified = modified.map_err(|error| Error::io("read", path, error))?;
    let (since, sign) = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => (since, 1),
        Err(before) => (before.duration(), -1),
    };
    Ok(sign * i64::try_from(since.as_millis()).held("a file is less than 292 million years old")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_log_are_told_from_others() {
        let kind = |name: &str| match Name::of(name) {
            Some(Name::Commit(version)) => format!("commit {version}"),
            Some(Name::Checkpoint(version, parts)) => format!("checkpoint {version} of {parts}"),
            None => "none".to_owned(),
        };
        for (name, expected) in [
            ("00000000000000000007.json", "commit 7"),
            ("00000000000000000007.checkpoint.parquet", "checkpoint 7 of 1"),
            ("00000000000000000007.checkpoint.0000000001.0000000003.parquet", "checkpoint 7 of 3"),
            ("00000000000000000007.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json", "none"),
            ("00000000000000000001.00000000000000000007.compacted.json", "none"),
            ("_last_checkpoint", "none"),
            ("0000000000000000000x.json", "none"),
            ("7.json", "none"),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }

    #[test]
    fn a_missing_version_is_named() {
        let files = LogFiles { commits: vec![3, 4, 6], ..LogFiles::default() };
        assert_eq!(files.commits_after(Some(4)), Err("version 5 is missing".to_owned()));
        assert_eq!(files.commits_after(None), Err("version 0 is missing".to_owned()));
        assert_eq!(files.commits_after(Some(5)), Ok(vec![6]));
    }
}
