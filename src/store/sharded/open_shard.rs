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

    /// Brings a shard of a version to this machine. Table files that the cache has are not fetched. Fails if the shards
    /// have another format version than this program works with.
    ///
    /// Disk: the table files of the shard.
    pub fn open(&self, pinned: &Pinned, number: u32, progress: &dyn Progress) -> Result<OpenShard> {
        self.refuse_other_format(pinned)?;
        self.open_of_any_format(pinned, number, progress)
    }

    /// Does the same for a shard of any format version.
    pub(crate) fn open_of_any_format(
        &self,
        pinned: &Pinned,
        number: u32,
        progress: &dyn Progress,
    ) -> Result<OpenShard> {
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
        let (tables, others): (Vec<StoredFile>, Vec<StoredFile>) =
            files.iter().cloned().partition(|file| file.name.ends_with(".sst"));
        // All tables by the names of their objects. These names stay as long as the work does: whatever becomes of the
        // cache and of the store, no other file can be taken for one of them.
        let pins = work.path().join("tables");
        create_private(&pins)?;
        let mut missing = Vec::new();
        for table in &tables {
            if !self.cache.lend(&table.object, &pins.join(table.object.to_string()))? {
                missing.push(StoredFile { name: table.object.to_string(), ..table.clone() });
            }
        }
        let (fetched_files, fetched_bytes) = (missing.len(), missing.iter().map(|file| file.bytes).sum());
        for (files, to) in [(missing.clone(), pins.as_path()), (others, folder.path())] {
            let fetched = self.versions.fetch_named(pinned.version(), files, to, &self.resources, progress);
            fetched.map_err(|error| self.removed_meanwhile(pinned, error))?;
        }
        for file in missing {
            self.cache.keep(&file.object, &pins.join(&file.name))?;
        }
        let mut known = BTreeMap::new();
        for table in &tables {
            let (pin, to) = (pins.join(table.object.to_string()), folder.path().join(&table.name));
            link(&pin, &to).map_err(|error| Error::io("link", &pin, error))?;
            let of_store = identity(&to)?;
            // A copy has no other name, and something else can come in its place.
            if identity(&pin)? == of_store {
                known.insert(of_store, table.object.content.clone());
            }
        }
        self.cache.trim()?;
        let shard = Shard { of: pinned.shards, number };
        Ok(OpenShard { shard, folder, files, known, fetched_files, fetched_bytes, _work: work })
    }
}
