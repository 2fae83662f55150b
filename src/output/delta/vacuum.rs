//! Removes the files of older versions of a table.
//!
//! Ages are differences of times by the clock of the place (the file system's, or the object store's), and now is when
//! the newest commit was written, so that a wrong clock of this machine removes nothing.

use std::time::Duration;

use super::log::commit_times;
use super::percent::decoded;
use super::remains::DataFile;
use super::snapshot::{RemovedFile, Snapshot};
use crate::error::Result;
use crate::exact::Held as _;
use crate::message::message;
use crate::output::log_folder::is_delta;
use crate::output::partition_folder::{PartitionFolder, partitions};
use crate::output::upload::is_part_name;
use crate::progress::Progress;
use crate::storage::{Place, lock};
use crate::text::Shown as _;

/// Removes the files that left the table at least `age` ago, and parts of this program that never came into it and
/// were written at least `age` ago. Files that a manifest names stay. Returns how many were removed; if a removal
/// fails, that is a note, and the next vacuum makes up for it.
///
/// Requests: two lists of the log and one for each day; one for each file that is removed. Memory: that of a
/// [`Snapshot`], and some 200 bytes for each file of a day.
pub(crate) fn vacuum(out: &Place, age: Duration, progress: &dyn Progress) -> Result<u64> {
    if !is_delta(&out.afresh())? {
        return Ok(0);
    }
    let _turn = out.folder().map(lock).transpose()?;
    let Some(snapshot) = Snapshot::read(out)? else { return Ok(0) };
    let committed_ms = commit_times(out)?;
    let age_ms = i64::try_from(age.as_millis()).held("an age has less than 292 million years")?;
    let Some(until_ms) = committed_ms.get(&snapshot.version).and_then(|now_ms| now_ms.checked_sub(age_ms)) else {
        return Ok(0);
    };
    let mut removed = std::collections::BTreeMap::new();
    for (path, RemovedFile { removed_ms, version }) in &snapshot.removed {
        let written_ms = version.and_then(|version| committed_ms.get(&version)).copied();
        removed.extend(decoded(path).map(|path| (path, written_ms.unwrap_or(*removed_ms).max(*removed_ms))));
    }
    let mut count = 0;
    for folder in partitions(out)? {
        let is_old = |file: &DataFile| match removed.get(&format!("dt={}/{}", folder.dt(), file.name)) {
            Some(removed_ms) => *removed_ms <= until_ms,
            None => is_part_name(&file.name) && file.modified_ms <= until_ms,
        };
        match remove_old(&folder, &snapshot, is_old) {
            Ok(files) => count += files,
            Err(error) => progress.note(&message![
                ("files of older versions are still in {}", folder.path().shown()),
                ": ",
                { error.message() },
                " (the next run with ",
                Vacuum,
                " removes them)"
            ]),
        }
    }
    Ok(count)
}

fn remove_old(folder: &PartitionFolder, snapshot: &Snapshot, is_old: impl Fn(&DataFile) -> bool) -> Result<u64> {
    let mut files = folder.data_files()?;
    files.retain(is_old);
    if files.is_empty() {
        return Ok(0);
    }
    let in_use = folder.names_in_use(snapshot);
    files.retain(|file| !in_use.contains(&file.name));
    folder.remove_files(&files)?;
    Ok(files.len() as u64)
}
