//! One shard on this machine.

use std::collections::BTreeMap;
use std::fs;

use super::cache::{identity, link};
use super::place::{Pinned, ShardedStore};
use crate::error::{Error, Result};
use crate::model::Shard;
use crate::progress::Progress;
use crate::resources::Resources;
use crate::storage::{WorkFolder, sync};
use crate::store::folder::{Folder, create_private};
use crate::store::handle::Store;
use crate::store::new_store::Making;
use crate::store::versions::{Content, StoredFile};

/// A shard of a version as an ordinary store, in a folder of its own that is removed with this value.
#[derive(Debug)]
pub struct OpenShard {
    pub(super) shard: Shard,
    pub(super) folder: Folder,
    /// What the version names of it, under the names that files have in a store.
    pub(super) files: Vec<StoredFile>,
    /// The content of table files that came from the cache, by what tells them from all other files.
    pub(super) known: BTreeMap<(u64, u64), Content>,
    /// Number of table files that were fetched, since the cache did not have them.
    pub fetched_files: usize,
    /// Total size of the table files that were fetched.
    pub fetched_bytes: u64,
    _work: WorkFolder,
}

impl OpenShard {
    /// Returns the store.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Makes a store of the shard where none exists. Its files are copies.
    pub fn copy_to(&self, to: &Folder) -> Result<()> {
        let making = Making::begin(to)?;
        let database = making.aside.database();
        create_private(&database)?;
        for file in &self.files {
            let (from, to) = (self.folder.path().join(&file.name), making.aside.root().join(&file.name));
            self.folder.resources().check()?;
            let copied = fs::copy(&from, &to).map_err(|error| Error::io("copy", &from, error));
            copied.and_then(|_| sync(&to))?;
        }
        sync(&database)?;
        Store::open_reader(&making.aside)?;
        making.put_in_place()
    }

    /// Which shard it is.
    pub fn shard(&self) -> Shard {
        self.shard
    }
}

/// A folder for stores that are made, removed with this value.
pub(crate) struct StoresAside {
    work: WorkFolder,
    resources: Resources,
}

impl StoresAside {
    /// Returns the folder of a store in it.
    pub(crate) fn folder(&self, name: &str) -> Folder {
        Folder::with(&self.work.path().join(name), &self.resources)
    }
}

impl ShardedStore {
    /// Makes a folder for stores.
    pub(crate) fn work_folder(&self) -> Result<StoresAside> {
        Ok(StoresAside { work: self.cache.work_folder()?, resources: self.resources.clone() })
    }

    /// Brings a shard of a version to this machine. Table files that the cache has are not fetched.
    ///
    /// Disk: the table files of the shard.
    pub fn open(&self, pinned: &Pinned, number: u32, progress: &dyn Progress) -> Result<OpenShard> {
        if number >= pinned.shards.number() {
            return Err(Error::usage(
                format!("there is no shard {number}: they are 0 to {}", pinned.shards.number() - 1),
                "name one of them",
            ));
        }
        let work = self.cache.work_folder()?;
        let folder = Folder::with(&work.path().join("store"), &self.resources);
        create_private(&folder.database())?;
        let files = pinned.files_of(number);
        let is_table = |file: &&StoredFile| file.name.ends_with(".sst");
        let missing: Vec<&StoredFile> =
            files.iter().filter(is_table).filter(|file| !self.cache.holds(&file.object)).collect();
        let mut wanted: Vec<StoredFile> = files.iter().filter(|file| !is_table(file)).cloned().collect();
        // Fetched under the names that they have in the cache.
        let arriving = work.path().join("arriving");
        let as_cached = |file: &&StoredFile| StoredFile { name: file.object.to_string(), ..(*file).clone() };
        let (fetched_files, fetched_bytes) = (missing.len(), missing.iter().map(|file| file.bytes).sum());
        let mut tables: Vec<StoredFile> = missing.iter().map(as_cached).collect();
        tables.dedup_by(|one, other| one.object == other.object);
        for (files, to) in [(tables, arriving.as_path()), (std::mem::take(&mut wanted), folder.path())] {
            let fetched = self.versions.fetch_named(pinned.version(), files, to, &self.resources, progress);
            fetched.map_err(|error| self.removed_meanwhile(pinned, error))?;
        }
        for file in missing {
            let arrived = arriving.join(file.object.to_string());
            if arrived.exists() {
                self.cache.take(&file.object, &arrived)?;
            }
        }
        let mut known = BTreeMap::new();
        for file in files.iter().filter(is_table) {
            let to = folder.path().join(&file.name);
            link(&self.cache.path_of(&file.object), &to)?;
            known.insert(identity(&to)?, file.object.content.clone());
        }
        self.cache.trim()?;
        let shard = Shard { of: pinned.shards, number };
        Ok(OpenShard { shard, folder, files, known, fetched_files, fetched_bytes, _work: work })
    }
}
