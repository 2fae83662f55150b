//! The place: which versions and objects are there, and the write by which a version appears.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Document;
use super::name::ObjectName;
use crate::error::{Error, Kind, Result};
use crate::message::message;
use crate::resources::Resources;
use crate::storage::{Kept, KeptFile, Written};
use crate::text::Shown as _;

/// The least grace, and for how long before the newest version an object that none names may be taken up again.
pub(super) const GRACE_MIN: Duration = Duration::from_secs(3_600);

/// The most objects below the URL.
const OBJECTS_MAX: usize = 1_000_000;

/// The most bytes of a document: some 200 for each file.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// What the versions of a place are of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum VersionsOf {
    /// Each is a backup of one store.
    Backups,
    /// They are those of a sharded store.
    Shards,
}

/// Versions at a place.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(super) kept: Kept,
    pub(super) of: VersionsOf,
}

/// A version as a list names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listed {
    pub number: u32,
    /// When it was written, by the store's own clock.
    pub modified_ms: i64,
    /// Whether it was removed, and the number alone is left.
    pub is_removed: bool,
}

impl Versions {
    /// Names a folder, or connects to the store of a URL. Fails if there are no credentials; makes no request.
    pub(crate) fn connect(place: &Path, of: VersionsOf, resources: &Resources) -> Result<Self> {
        Ok(Versions { kept: resources.kept(place)?, of })
    }

    /// Returns the folder or the URL.
    pub(crate) fn place(&self) -> &Path {
        self.kept.place()
    }

    /// Fails if the store of a URL takes no conditional puts. Leaves an empty object, so that the next call is one
    /// request.
    pub(crate) fn claim(&self) -> Result<()> {
        self.kept.claim(&self.place().join("lookback"))
    }

    /// Returns all versions, by number, with those that were removed lately. One list.
    pub(crate) fn list(&self) -> Result<Vec<Listed>> {
        let mut versions: Vec<Listed> =
            self.kept.below(&self.place().join("versions"), OBJECTS_MAX)?.iter().filter_map(listed).collect();
        versions.sort_unstable_by_key(|version| version.number);
        Ok(versions)
    }

    /// Reads the document of a version; `None` if it is missing or was removed.
    pub(crate) fn document(&self, number: u32) -> Result<Option<Document>> {
        let path = self.path_of_version(number);
        let read = self.kept.read(&path, DOCUMENT_BYTES_MAX)?;
        let Some(bytes) = read.filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let document =
            Document::from_bytes(&bytes, number).map_err(|why| self.damaged(number, &file_name(number), &why))?;
        if document.sharded.is_some() == (self.of == VersionsOf::Shards) {
            return Ok(Some(document));
        }
        let place = self.place().shown();
        Err(match self.of {
            VersionsOf::Backups => Error::refused(
                format!("there is a sharded store at {place}, and no backups"),
                "name the place of the backups",
            ),
            VersionsOf::Shards => Error::refused(
                format!("there are backups at {place}, and no sharded store"),
                "name the place of the sharded store",
            ),
        })
    }

    /// Lets a version appear: its number must be the one after the newest. Returns whether it is this run's; if not,
    /// another run has taken the number.
    pub(crate) fn publish(&self, document: &Document) -> Result<bool> {
        let bytes = document.to_bytes().map_err(|error| Error::internal(format!("no document: {error}")))?;
        Ok(match self.kept.create(&self.path_of_version(document.number), &bytes)? {
            Written::Done => true,
            Written::Other => false,
        })
    }

    /// Returns all objects that have names of files. One list.
    pub(super) fn stored(&self) -> Result<BTreeMap<ObjectName, KeptFile>> {
        let found = self.kept.below(&self.place().join("files"), OBJECTS_MAX)?;
        let named = |found: KeptFile| Some((found.path.file_name()?.to_str()?.parse().ok()?, found));
        Ok(found.into_iter().filter_map(named).collect())
    }

    pub(super) fn path_of_version(&self, number: u32) -> PathBuf {
        self.place().join("versions").join(file_name(number))
    }

    pub(super) fn path_of(&self, object: &ObjectName) -> PathBuf {
        self.place().join("files").join(object.to_string())
    }

    /// Returns the error for a version of which `what` is damaged or missing.
    pub(in crate::store) fn damaged(&self, number: u32, what: &str, why: &str) -> Error {
        let (place, why) = (self.place().shown(), format!("{what}: {why}"));
        match self.of {
            VersionsOf::Backups => Error::new(
                Kind::Corrupt,
                format!("backup {number} at {place} is damaged ({why})"),
                message![
                    "restore another backup with ",
                    Number,
                    "; ",
                    [Verify Backup],
                    " shows whether it is complete"
                ],
            ),
            VersionsOf::Shards => Error::new(
                Kind::Corrupt,
                format!("version {number} of the sharded store at {place} is damaged ({why})"),
                message![
                    "bring the file back from a copy of the place, or go on from an earlier version with ",
                    Number
                ],
            ),
        }
    }
}

/// Returns how old a thing was at a moment; nothing if it is younger.
pub(super) fn age(at_ms: i64, modified_ms: i64) -> Duration {
    Duration::from_millis(at_ms.saturating_sub(modified_ms).max(0).cast_unsigned())
}

fn file_name(number: u32) -> String {
    format!("{number:06}.json")
}

/// Returns the version that an object is; `None` for another object.
fn listed(found: &KeptFile) -> Option<Listed> {
    let name = found.path.file_name()?.to_str()?;
    let number = name.strip_suffix(".json")?.parse().ok().filter(|number| file_name(*number) == name)?;
    Some(Listed { number, modified_ms: found.modified_ms, is_removed: found.bytes == 0 })
}
