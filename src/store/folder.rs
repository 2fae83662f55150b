//! The folder of a store and the files in it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::message::message;
use crate::resources::Resources;
use crate::storage::{sync, sync_with_folders_above};
use crate::text::Shown;

/// The folder for sorting, below the staging folder.
const SORT: &str = "sort";

/// The folder of a store that exists or will exist.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder that holds the files.
    root: PathBuf,
    /// The path that messages name: for a store that is still being made, its final path.
    path: PathBuf,
    /// Whether this process has found the disk full.
    is_full: Arc<AtomicBool>,
    /// The resources that work on the store may use.
    resources: Resources,
}

impl Folder {
    /// Returns the store folder at `path` with default resources. Touches no file.
    pub fn new(path: &Path) -> Self {
        Folder::with(path, &Resources::default())
    }

    /// Returns the store folder at `path`, on which work uses at most these resources. Touches no file.
    pub fn with(path: &Path, resources: &Resources) -> Self {
        let resources = resources.clone();
        Folder { root: path.to_owned(), path: path.to_owned(), is_full: Arc::default(), resources }
    }

    /// Returns what work on the store may use: memory, threads, and whether the work is asked to stop.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Returns the path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder that holds the files: for a store that is still being made, not its final path.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Records that the disk was full, for this folder and its clones.
    pub(super) fn note_full(&self) {
        self.is_full.store(true, Ordering::Relaxed);
    }

    /// Returns whether [`Folder::note_full`] was called.
    pub(super) fn has_been_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Returns the path of the RocksDB database.
    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("db")
    }

    /// Returns the path of the commit watermark.
    pub(super) fn watermark(&self) -> PathBuf {
        self.root.join("mark")
    }

    /// Returns the folder for temporary and staged files. Its content never outlives a command.
    fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// Returns whether a store exists here. Fails if the folder holds anything else, to protect other folders.
    pub fn holds_store(&self) -> Result<bool> {
        let holds_database = || self.database().join("CURRENT").is_file();
        if holds_database() {
            return Ok(true);
        }
        match self.refuse_other_things() {
            // The store may have appeared between the two checks.
            Err(_) if holds_database() => Ok(true),
            looked => looked.map(|()| false),
        }
    }

    /// Fails if the folder holds anything that an interrupted creation does not leave.
    fn refuse_other_things(&self) -> Result<()> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("open the store", &self.root, error)),
        };
        // A database appears complete, so a database without its first file has lost that file.
        if fs::read_dir(self.database()).is_ok_and(|mut files| files.next().is_some()) {
            let lost = self.database().join("CURRENT");
            return Err(Error::corrupt(format!("the store has no file {}", lost.shown())));
        }
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", &self.root, error))?;
            // An interrupted creation leaves files that are neither a store nor somebody else's.
            let name = entry.file_name();
            if !(name == "db" || name == "staging" && self.is_staging_own()?) {
                return Err(Error::refused(
                    format!("{} is a folder that holds other files and no store", self.root.shown()),
                    message!["name an empty or new folder with ", Store],
                ));
            }
        }
        Ok(())
    }

    /// Returns whether the staging folder holds only what a writer puts there.
    fn is_staging_own(&self) -> Result<bool> {
        let staging = self.staging();
        let failed = |error: std::io::Error| Error::io("list", &staging, error);
        let entries = match fs::read_dir(&staging) {
            // Another process was about to make a store, and has given up in the meantime.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            // Up to 0.4.0 the process number and the day followed the name of the folder for sorting.
            let is_own = ["new", "tables", "mark", SORT].iter().any(|own| name == *own);
            if !is_own && !name.to_string_lossy().starts_with("sort-") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Creates the folder. Only its owner may read it, as all files of the store.
    pub(super) fn create(&self) -> Result<()> {
        create_private(&self.root)
    }

    /// Returns the folder in which the store is made before it is moved to its final path. Touches no file. One process
    /// at a time may use it.
    pub(super) fn aside(&self) -> Folder {
        let (path, resources) = (self.path.clone(), self.resources.clone());
        Folder { root: self.staging().join("new"), path, is_full: Arc::default(), resources }
    }

    /// Moves the complete and closed database of `aside` into this store, and makes it durable together with the names
    /// of the folders above.
    pub(super) fn put_in_place(&self, aside: &Folder) -> Result<()> {
        let target = self.database();
        fs::rename(aside.database(), &target).map_err(|error| Error::io("put in place", &target, error))?;
        // Moved after the database, since a watermark ahead of its database means lost commits. If there is no
        // watermark, the next writer creates it.
        match fs::rename(aside.watermark(), self.watermark()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("put in place", &self.watermark(), error));
            }
            _ => {}
        }
        sync_with_folders_above(&self.root)
    }

    /// Makes the names of the files in this folder durable.
    pub(super) fn sync(&self) -> Result<()> {
        sync(&self.root)
    }

    /// Removes the folder and everything in it.
    pub(super) fn remove(&self) -> Result<()> {
        remove(&self.root)
    }

    /// Removes the staging folder if it is empty, and then this folder if it is empty, unless it `stays`.
    pub(super) fn remove_if_empty(&self, stays: bool) {
        let _ = fs::remove_dir(self.staging());
        if !stays {
            let _ = fs::remove_dir(&self.root);
        }
    }

    /// Returns whether there are files of a writer that is running or was killed.
    pub(crate) fn has_leftovers(&self) -> bool {
        self.staging().exists()
    }

    /// Returns the folder in which table files are staged.
    pub(super) fn tables(&self) -> PathBuf {
        self.staging().join("tables")
    }

    /// Creates the staging folder.
    pub(super) fn create_staging(&self) -> Result<PathBuf> {
        create_private(&self.staging())?;
        Ok(self.staging())
    }

    /// Creates the folder in which table files are staged.
    pub(super) fn create_tables(&self) -> Result<PathBuf> {
        create_private(&self.tables())?;
        Ok(self.tables())
    }

    /// Returns the folder in which a command may put temporary files.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.staging().join(SORT)
    }

    /// Removes what killed writers have left. The store must be open for writing: then every earlier writer has ended,
    /// and its staged files are unused.
    pub(super) fn drop_leftovers(&self) -> Result<()> {
        let database = self.database();
        let failed = |error: std::io::Error| Error::io("list", &database, error);
        for entry in fs::read_dir(&database).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // RocksDB itself removes its other temporary files.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("OPTIONS-") && name.ends_with(".dbtmp") {
                fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
        }
        self.drop_staging()
    }

    /// Removes the staging folder and everything in it.
    pub(super) fn drop_staging(&self) -> Result<()> {
        remove(&self.staging())
    }
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", folder, error)),
        _ => Ok(()),
    }
}

pub(super) fn create_private(path: &Path) -> Result<()> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|error| Error::io("create", path, error))
}
