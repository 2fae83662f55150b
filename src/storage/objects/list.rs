//! Which objects there are.

use std::path::{Path, PathBuf};

use futures_util::TryStreamExt as _;
use object_store::ObjectMeta;
use object_store::path::Path as Key;

use super::below::{Objects, join};
use crate::error::{Error, Result};
use crate::text::Shown as _;

/// An object that a list has named.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its URL.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, by the clock of the store, in milliseconds since 1970.
    pub modified_ms: i64,
    pub(super) key: Key,
    /// What names this version of it, where the store says so.
    pub(super) etag: Option<String>,
}

/// What lies directly below a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Level {
    /// Names that further names lie below.
    pub folders: Vec<String>,
    pub objects: Vec<Found>,
}

impl Level {
    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.objects.is_empty()
    }
}

impl Objects {
    /// Lists all objects below `folder`, by name. Fails if there are more than `max`.
    pub(crate) fn below(&self, folder: &Path, max: usize) -> Result<Vec<Found>> {
        let prefix = self.key(folder)?;
        let prefix = Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let listed = self.requests.wait(&self.cancel, async {
            // A list that is cut is asked for again from its beginning.
            self.done("list", folder, || async {
                let mut objects = self.store.list(prefix);
                let mut found = Vec::new();
                while let Some(object) = objects.try_next().await? {
                    found.push(object);
                    if found.len() > max {
                        break;
                    }
                }
                Ok(found)
            })
            .await
        })?;
        if listed.len() > max {
            let what = format!("more than {max} objects lie below {}", folder.shown());
            return Err(Error::input(what, "merge some of them, or name a smaller part"));
        }
        let mut found: Vec<Found> = listed.into_iter().map(|object| self.found(object)).collect();
        found.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    /// Lists what lies directly below `folder`, by name.
    pub(crate) fn level(&self, folder: &Path) -> Result<Level> {
        let prefix = self.key(folder)?;
        let prefix = Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let listed = self
            .requests
            .wait(&self.cancel, async { self.done("list", folder, || self.store.list_with_delimiter(prefix)).await })?;
        let names = listed.common_prefixes.iter().filter_map(|prefix| prefix.filename().map(str::to_owned));
        let mut folders: Vec<String> = names.collect();
        folders.sort_unstable();
        let mut objects: Vec<Found> = listed.objects.into_iter().map(|object| self.found(object)).collect();
        objects.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Ok(Level { folders, objects })
    }

    /// Returns the nearest name above the URL directly below which something of this name lies.
    pub(crate) fn above_with(&self, name: &str) -> Result<Option<PathBuf>> {
        let parts: Vec<String> = self.prefix.parts().map(|part| part.as_ref().to_owned()).collect();
        for above in (0..parts.len()).rev() {
            let folder: Key = parts.iter().take(above).map(String::as_str).collect();
            let log = join(&folder, name);
            let first = self.requests.wait(&self.cancel, async {
                self.outcome("list", &self.url, || async { self.store.list(Some(&log)).try_next().await }).await
            })?;
            if first.is_ok_and(|first| first.is_some()) {
                let up = parts.len() - above;
                return Ok(self.url.ancestors().nth(up).map(Path::to_owned));
            }
        }
        Ok(None)
    }

    /// Returns an object that was never written twice, without looking whether it is there.
    pub(in crate::storage) fn named(&self, path: &Path, bytes: u64) -> Result<Found> {
        Ok(Found { path: path.to_owned(), bytes, modified_ms: 0, key: self.key(path)?, etag: None })
    }

    fn found(&self, object: ObjectMeta) -> Found {
        Found {
            path: self.path_of(&object.location),
            bytes: object.size,
            modified_ms: object.last_modified.timestamp_millis(),
            key: object.location,
            etag: object.e_tag,
        }
    }
}
