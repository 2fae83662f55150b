//! The URL: which versions and objects are there, and the put by which a version appears.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Document;
use super::name::ObjectName;
use crate::error::{Error, Kind, Result};
use crate::message::message;
use crate::resources::Resources;
use crate::storage::{Found, Objects, Written};
use crate::text::Shown as _;

/// The least grace, and for how long before the newest version an object that none names may be taken up again.
pub(super) const GRACE_MIN: Duration = Duration::from_secs(3_600);

/// The most objects below the URL.
const OBJECTS_MAX: usize = 1_000_000;

/// The most bytes of a document: some 200 for each file.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// Versions at a URL.
#[derive(Debug)]
pub(crate) struct Versions {
    pub(super) objects: Objects,
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
    /// Connects to the store of a URL. Fails if there are no credentials; makes no request.
    pub(crate) fn connect(url: &Path, resources: &Resources) -> Result<Self> {
        Ok(Versions { objects: resources.objects(url)? })
    }

    /// Returns the URL.
    pub(crate) fn url(&self) -> &Path {
        self.objects.url()
    }

    /// Fails if the store takes no conditional puts. Leaves an empty object, so that the next call is one request.
    pub(crate) fn claim(&self) -> Result<()> {
        self.objects.claim(&self.url().join("lookback")).map(drop)
    }

    /// Returns all versions, by number, with those that were removed lately. One list.
    pub(crate) fn list(&self) -> Result<Vec<Listed>> {
        let mut versions: Vec<Listed> =
            self.objects.below(&self.url().join("versions"), OBJECTS_MAX)?.iter().filter_map(listed).collect();
        versions.sort_unstable_by_key(|version| version.number);
        Ok(versions)
    }

    /// Reads the document of a version; `None` if it is missing or was removed.
    pub(crate) fn document(&self, number: u32) -> Result<Option<Document>> {
        let path = self.path_of_version(number);
        let read = self.objects.read(&path, DOCUMENT_BYTES_MAX)?;
        let Some((bytes, _)) = read.filter(|(bytes, _)| !bytes.is_empty()) else { return Ok(None) };
        let document =
            Document::from_bytes(&bytes, number).map_err(|why| self.damaged(number, &file_name(number), &why))?;
        Ok(Some(document))
    }

    /// Lets a version appear: its number must be the one after the newest. Fails if another run has taken it.
    pub(crate) fn publish(&self, document: &Document) -> Result<()> {
        let bytes = document.to_bytes().map_err(|error| Error::internal(format!("no document: {error}")))?;
        let number = document.number;
        match self.objects.write_if(&self.path_of_version(number), &bytes, None)? {
            Written::Done => Ok(()),
            Written::Other => Err(Error::new(
                Kind::Busy,
                format!("another run has made backup {number} at {} meanwhile", self.url().shown()),
                "nothing is lost: run the same command again",
            )),
        }
    }

    /// Returns all objects that have names of files. One list.
    pub(super) fn stored(&self) -> Result<BTreeMap<ObjectName, Found>> {
        let found = self.objects.below(&self.url().join("files"), OBJECTS_MAX)?;
        let named = |found: Found| Some((found.path.file_name()?.to_str()?.parse().ok()?, found));
        Ok(found.into_iter().filter_map(named).collect())
    }

    pub(super) fn path_of_version(&self, number: u32) -> PathBuf {
        self.url().join("versions").join(file_name(number))
    }

    pub(super) fn path_of(&self, object: &ObjectName) -> PathBuf {
        self.url().join("files").join(object.to_string())
    }

    /// Returns the error for a version of which `what` is damaged or missing.
    pub(super) fn damaged(&self, number: u32, what: &str, why: &str) -> Error {
        let why = format!("{what}: {why}");
        Error::new(
            Kind::Corrupt,
            format!("backup {number} at {} is damaged ({why})", self.url().shown()),
            message!["restore another backup with ", Number, "; ", [Verify Backup], " shows whether it is complete"],
        )
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
fn listed(found: &Found) -> Option<Listed> {
    let name = found.path.file_name()?.to_str()?;
    let number = name.strip_suffix(".json")?.parse().ok().filter(|number| file_name(*number) == name)?;
    Some(Listed { number, modified_ms: found.modified_ms, is_removed: found.bytes == 0 })
}
