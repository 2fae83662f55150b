//! Removal of old versions, and of objects that no version names. [`super`] says why it is safe.

use std::path::PathBuf;
use std::time::Duration;

use super::document::Document;
use super::place::{GRACE_MIN, Listed, Versions, age};
use crate::error::Result;
use crate::storage::KeptFile;

/// For how long the number of a version that was removed stays taken: longer than any run is held up between two of its
/// requests.
const TAKEN: Duration = Duration::from_secs(30 * 24 * 3_600);

/// What was removed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Removed {
    pub versions: usize,
    pub objects: usize,
    pub bytes: u64,
}

impl Versions {
    /// Removes all versions but the newest `keep`, then what no version names and is older than the grace. `own` is the
    /// version that this run has just published. Stopped anywhere, it is taken up by the next.
    pub(crate) fn collect(&self, own: &Document, keep: usize, grace: Duration) -> Result<Removed> {
        let mut removed = Removed::default();
        // Listed before the versions are: what a version names that appears in between is then not in this list, or too
        // young.
        let stored = self.stored()?;
        let versions = self.list()?;
        let is_own = |version: &&Listed| version.number == own.number && !version.is_removed;
        // Another run has removed it already, and cleans up itself.
        let Some(now_ms) = versions.iter().find(is_own).map(|own| own.modified_ms) else { return Ok(removed) };
        let (old, live): (Vec<Listed>, Vec<Listed>) = versions.into_iter().partition(|version| version.is_removed);
        let (dropped, kept) = live.split_at(live.len().saturating_sub(keep.max(1)));
        // All are read before anything is removed: one that cannot be read stops the removal.
        let mut named = own.objects();
        for version in kept.iter().filter(|version| version.number != own.number) {
            named.extend(self.document(version.number)?.iter().flat_map(Document::objects));
        }
        for version in dropped {
            self.kept.write(&self.path_of_version(version.number), &[])?;
            removed.versions += 1;
        }
        let numbers = old.iter().filter(|version| age(now_ms, version.modified_ms) > TAKEN);
        let numbers: Vec<PathBuf> = numbers.map(|version| self.path_of_version(version.number)).collect();
        let is_garbage = |found: &KeptFile| age(now_ms, found.modified_ms) > grace.max(GRACE_MIN);
        let garbage = stored.into_iter().filter(|(object, found)| !named.contains(object) && is_garbage(found));
        for (_, found) in garbage {
            self.kept.remove([found.path.as_path()])?;
            removed.objects += 1;
            removed.bytes += found.bytes;
        }
        self.kept.remove(numbers.iter().map(PathBuf::as_path))?;
        self.kept.remove_unfinished(now_ms)?;
        Ok(removed)
    }
}
