//! The folder of a store and what lies in it.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where a store lies, whether or not it is there yet.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The store folder at `path`; touches nothing.
    pub fn new(path: &Path) -> Self {
        Folder { path: path.to_owned() }
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The RocksDB database.
    pub fn database(&self) -> PathBuf {
        self.path.join("db")
    }

    /// How far the database had come with the last commit.
    pub(super) fn mark(&self) -> PathBuf {
        self.path.join("mark")
    }

    /// Files on their way into the database, and temporary ones. Its content never outlives a command.
    fn staging(&self) -> PathBuf {
        self.path.join("staging")
    }

    /// Whether a store is there. Fails where something else is, so that nobody's folder is filled by mistake.
    pub fn holds_store(&self) -> Result<bool> {
        if self.database().join("CURRENT").is_file() {
            return Ok(true);
        }
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io("open the store", &self.path, &error)),
        };
        // A database comes into its place complete, so one without its first file has lost it.
        if fs::read_dir(self.database()).is_ok_and(|mut files| files.next().is_some()) {
            let lost = self.database().join("CURRENT");
            return Err(Error::corrupt(format!("the store has no file {}", lost.display())));
        }
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("list", &self.path, &error))?;
            // What an interrupted creation leaves behind is no store, and nobody else's either.
            if entry.file_name() != "staging" && entry.file_name() != "db" {
                return Err(Error::refused(
                    format!("{} is a folder with other things in it and no store", self.path.display()),
                    "name an empty or new folder with --store",
                ));
            }
        }
        Ok(false)
    }

    /// A new folder in which a database can be made before it takes its place; readable by the owner alone, like all of the store.
    pub(super) fn create_aside(&self) -> Result<PathBuf> {
        let aside = self.staging().join(format!("new-{}", std::process::id()));
        create_private(&aside)?;
        Ok(aside)
    }

    /// Makes the complete database at `aside` that of the store. Fails where another process was first.
    pub(super) fn put_in_place(&self, aside: &Path) -> Result<()> {
        let target = self.database();
        fs::rename(aside, &target).map_err(|error| Error::io("put in place", &target, &error))?;
        self.sync()
    }

    /// Makes durable which files are in the folder itself.
    pub(super) fn sync(&self) -> Result<()> {
        let synced = fs::File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(|error| Error::io("fsync", &self.path, &error))
    }

    /// Creates the staging folder.
    pub(super) fn create_staging(&self) -> Result<PathBuf> {
        create_private(&self.staging())?;
        Ok(self.staging())
    }

    /// Creates the folder in which table files are staged.
    pub(super) fn create_tables(&self) -> Result<PathBuf> {
        let tables = self.staging().join("tables");
        create_private(&tables)?;
        Ok(tables)
    }

    /// Where a command may put temporary files, told apart from those of others by the process and by `purpose`.
    pub fn scratch(&self, purpose: &str) -> PathBuf {
        self.staging().join(format!("sort-{}-{purpose}", std::process::id()))
    }

    /// Removes the staging folder and what is in it.
    pub(super) fn drop_staging(&self) -> Result<()> {
        match fs::remove_dir_all(self.staging()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &self.staging(), &error))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn create_private(path: &Path) -> Result<()> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|error| Error::io("create", path, &error))
}
