//! The folder of a store and what lies in it.

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

/// The folder for sorting in the staging folder.
const SORT: &str = "sort";

/// Where a store lies, whether or not it is there yet.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Where its files lie.
    root: PathBuf,
    /// What messages name: for a store in the making, the place where it will be.
    path: PathBuf,
    /// Whether its disk has been met full by this process.
    is_full: Arc<AtomicBool>,
    /// What work on the store may take.
    resources: Resources,
}

impl Folder {
    /// The store folder at `path`, with the resources that there are by default; touches nothing.
    pub fn new(path: &Path) -> Self {
        Folder::with(path, &Resources::default())
    }

    /// The store folder at `path`, on which work takes no more than these resources; touches nothing.
    pub fn with(path: &Path, resources: &Resources) -> Self {
        let resources = resources.clone();
        Folder { root: path.to_owned(), path: path.to_owned(), is_full: Arc::default(), resources }
    }

    /// What work on the store may take: its memory and threads, and whether it is asked to stop.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers that the disk was full, for this folder and what was cloned from it.
    pub(super) fn note_full(&self) {
        self.is_full.store(true, Ordering::Relaxed);
    }

    /// Whether [`Folder::note_full`] was called.
    pub(super) fn has_been_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// The RocksDB database.
    pub fn database(&self) -> PathBuf {
        self.root.join("db")
    }

    /// How far the database had come with the last commit.
    pub(super) fn watermark(&self) -> PathBuf {
        self.root.join("mark")
    }

    /// Files on their way into the database, and temporary ones. Its content never outlives a command.
    fn staging(&self) -> PathBuf {
        self.root.join("staging")
    }

    /// Whether a store is there. Fails where something else is, so that nobody's folder is filled by mistake.
    pub fn holds_store(&self) -> Result<bool> {
        let holds_database = || self.database().join("CURRENT").is_file();
        if holds_database() {
            return Ok(true);
        }
        match self.refuse_other_things() {
            // It may have come into its place between two looks.
            Err(_) if holds_database() => Ok(true),
            looked => looked.map(|()| false),
        }
    }

    /// Fails where anything is that an interrupted creation does not leave behind.
    fn refuse_other_things(&self) -> Result<()> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("open the store", &self.root, error)),
        };
        // A database comes into its place complete, so one without its first file has lost it.
        if fs::read_dir(self.database()).is_ok_and(|mut files| files.next().is_some()) {
            let lost = self.database().join("CURRENT");
            return Err(Error::corrupt(format!("the store has no file {}", lost.shown())));
        }
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", &self.root, error))?;
            // What an interrupted creation leaves behind is no store, and nobody else's either.
            let name = entry.file_name();
            if !(name == "db" || name == "staging" && self.is_staging_own()?) {
                return Err(Error::refused(
                    format!("{} is a folder with other things in it and no store", self.root.shown()),
                    message!["name an empty or new folder with ", Store],
                ));
            }
        }
        Ok(())
    }

    /// Whether there is nothing in the staging folder but what a writer puts there.
    fn is_staging_own(&self) -> Result<bool> {
        let staging = self.staging();
        let failed = |error: std::io::Error| Error::io("list", &staging, error);
        let entries = match fs::read_dir(&staging) {
            // Another process was about to make a store, and has given that up meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            // Up to 0.4.0 the folder for sorting had the number of the process and the day behind its name.
            let is_own = ["new", "tables", "mark", SORT].iter().any(|own| name == *own);
            if !is_own && !name.to_string_lossy().starts_with("sort-") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Creates the folder, readable by the owner alone like all of the store.
    pub(super) fn create(&self) -> Result<()> {
        create_private(&self.root)
    }

    /// The folder in which the store can be made before it takes its place; touches nothing. One process at a time may
    /// use it.
    pub(super) fn aside(&self) -> Folder {
        let (path, resources) = (self.path.clone(), self.resources.clone());
        Folder { root: self.staging().join("new"), path, is_full: Arc::default(), resources }
    }

    /// Makes the complete and closed database of `aside` that of the store, durable with the names of the folders that
    /// lead to it.
    pub(super) fn put_in_place(&self, aside: &Folder) -> Result<()> {
        let target = self.database();
        fs::rename(aside.database(), &target).map_err(|error| Error::io("put in place", &target, error))?;
        // Behind the database, since a mark that is ahead of its database tells of lost commits. Without one, the next
        // writer makes one.
        match fs::rename(aside.watermark(), self.watermark()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("put in place", &self.watermark(), error));
            }
            _ => {}
        }
        sync_with_folders_above(&self.root)
    }

    /// Makes durable which files are in the folder itself.
    pub(super) fn sync(&self) -> Result<()> {
        sync(&self.root)
    }

    /// Removes the folder with all that is in it.
    pub(super) fn remove(&self) -> Result<()> {
        remove(&self.root)
    }

    /// Removes the staging folder, and unless it is to stay the folder itself, as far as nothing is in them.
    pub(super) fn remove_if_empty(&self, stays: bool) {
        let _ = fs::remove_dir(self.staging());
        if !stays {
            let _ = fs::remove_dir(&self.root);
        }
    }

    /// Whether there are files of a writer who is at work, or was killed.
    pub fn has_leftovers(&self) -> bool {
        self.staging().exists()
    }

    /// Where table files are staged.
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

    /// Where a command may put temporary files.
    pub fn scratch(&self) -> PathBuf {
        self.staging().join(SORT)
    }

    /// Removes what killed writers have left. The store must be open for writing: then whoever was here before is gone,
    /// and with it the need for what it staged.
    pub(super) fn drop_leftovers(&self) -> Result<()> {
        let database = self.database();
        let failed = |error: std::io::Error| Error::io("list", &database, error);
        for entry in fs::read_dir(&database).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // RocksDB removes its other temporary files by itself.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("OPTIONS-") && name.ends_with(".dbtmp") {
                fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
            }
        }
        self.drop_staging()
    }

    /// Removes the staging folder and what is in it.
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
