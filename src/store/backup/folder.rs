//! Backups of a store in another folder, by RocksDB's backup engine.
//!
//! A backup folder holds any number of backups of one store, numbered from 1. Backups have common table files, so that
//! each further backup copies only new files. The list of a backup holds every file's checksum, computed at the first
//! copy; restoring compares it. A new backup trusts the name and size of files already there; [`Backups::check`] and
//! [`check_backups`] read all files.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use rocksdb::Env;
use rocksdb::backup::{BackupEngine, BackupEngineInfo, BackupEngineOptions, RestoreOptions};

use super::restored::{no_backup, no_whole_backup, openable_version, refuse_damaged};
use crate::error::{Error, Kind, Result};
use crate::message::message;
use crate::progress::Progress;
use crate::resources::{Cancel, Resources};
use crate::storage::{keep_apart, regular_file};
use crate::store::engine::backup_files::{self, CheckedBackups};
use crate::store::engine::checkpoint::at_checkpoint;
use crate::store::engine::failure::{check_files, failure};
use crate::store::folder::{Folder, create_private};
use crate::store::new_store::Making;
use crate::text::Shown;

/// One backup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backup {
    /// The number of the backup.
    pub number: u32,
    /// Number of its files, including files that other backups also use.
    pub files: u32,
    /// Total size of its files.
    pub bytes: u64,
}

/// A folder of backups, locked by this process.
pub struct Backups {
    engine: BackupEngine,
    folder: Folder,
    _lock: File,
}

impl Backups {
    /// Opens the folder for backups of a store; creates it if it is missing, readable only by its owner. Fails while
    /// another process works on it, if it holds anything else, and if one of both folders lies in the other.
    pub fn create(path: &Path, store: &Folder) -> Result<Self> {
        keep_apart(("the folder of backups", path), &[("the store", store.path())])?;
        refuse_other_things(path)?;
        create_private(path)?;
        Self::open_locked(path, lock(path, true)?, store.resources())
    }

    /// Opens a folder of backups. Fails while another process works on it.
    pub fn open(path: &Path, resources: &Resources) -> Result<Self> {
        Self::open_locked(path, lock(path, false)?, resources)
    }

    fn open_locked(path: &Path, lock: File, resources: &Resources) -> Result<Self> {
        let folder = Folder::with(path, resources);
        check_files(path)?;
        let engine = BackupEngineOptions::new(path).and_then(|options| BackupEngine::open(&options, &Env::new()?));
        let engine = engine.map_err(|error| failure("open backups of", &folder, error))?;
        Ok(Backups { engine, folder, _lock: lock })
    }

    /// Copies the current state of a store, with or without a writer beside it; durable on return. Returns the backup.
    ///
    /// If the copy fails or is stopped, earlier backups are unchanged, and the next backup removes the remains.
    pub fn back_up(&mut self, store: &Folder) -> Result<Backup> {
        at_checkpoint(store, |db| {
            self.folder.resources().check()?;
            self.engine.create_new_backup(db).map_err(|error| failure("back up to", &self.folder, error))
        })?;
        self.newest()
    }

    /// Reads every file of a backup, including files that other backups also use, and compares its checksum. Fails on
    /// the first damaged file.
    pub fn check(&self, number: u32, progress: &dyn Progress) -> Result<CheckedBackups> {
        backup_files::check(self.folder.path(), &[number], self.folder.resources().cancel(), progress)
    }

    /// Deletes all backups but the newest `keep`, and the files that no other backup uses.
    pub fn keep(&mut self, keep: usize) -> Result<()> {
        self.engine.purge_old_backups(keep).map_err(|error| failure("delete old backups of", &self.folder, error))
    }

    /// Returns all backups that can be restored, by number.
    pub fn list(&self) -> Vec<Backup> {
        let of = |info: BackupEngineInfo| Backup { number: info.backup_id, files: info.num_files, bytes: info.size };
        let mut list: Vec<Backup> = self.engine.get_backup_info().into_iter().map(of).collect();
        list.sort_by_key(|backup| backup.number);
        list
    }

    /// Returns the newest backup.
    pub fn newest(&self) -> Result<Backup> {
        self.list().pop().ok_or_else(|| no_whole_backup(self.folder.path()))
    }

    /// Makes a store from a backup, where no store exists. Each file's checksum is compared while it is copied; if one
    /// differs, nothing is left. Returns the format version: a backup may be older than the program, and its store can
    /// then be migrated. Fails if it is newer, and if one of both folders lies in the other.
    pub fn restore(mut self, number: u32, to: &Folder) -> Result<u8> {
        keep_apart(("the store", to.path()), &[("the folder of backups", self.folder.path())])?;
        let numbers: Vec<u32> = self.list().iter().map(|backup| backup.number).collect();
        if !numbers.contains(&number) {
            return Err(no_backup(number, self.folder.path(), &numbers));
        }
        let making = Making::begin(to)?;
        self.folder.resources().check()?;
        let restored = self.restore_aside(number, &making.aside);
        // After a failure, the engine's threads may still be copying other files.
        drop(self);
        let format_version = restored?;
        to.put_in_place(&making.aside)?;
        drop(making);
        Ok(format_version)
    }

    /// Restores into a temporary store folder, and checks that the store can be opened.
    fn restore_aside(&mut self, number: u32, aside: &Folder) -> Result<u8> {
        let database = aside.database();
        let restored = self.engine.restore_from_backup(&database, &database, &RestoreOptions::default(), number);
        let opened = restored.map_err(|error| failure("restore", aside, error));
        refuse_damaged(number, self.folder.path(), opened.and_then(|()| openable_version(aside)))
    }
}

/// The names in a folder of backups.
const NAMES: [&str; 4] = ["meta", "private", "shared", "shared_checksum"];

/// Fails if a folder holds anything but backups: RocksDB would treat other files as its own leftovers.
fn refuse_other_things(path: &Path) -> Result<()> {
    let mut names = Vec::new();
    match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("list", path, error)),
        Ok(entries) => {
            for entry in entries {
                names.push(entry.map_err(|error| Error::io("list", path, error))?.file_name());
            }
        }
    }
    names.sort_unstable();
    match names.iter().find(|name| !NAMES.iter().any(|known| name == known)) {
        None => Ok(()),
        Some(other) => Err(Error::refused(
            format!("{} is not a folder of backups: it holds {}", path.shown(), other.shown()),
            message!["name an empty or new folder with ", To],
        )),
    }
}

/// Reads every file of a folder of backups, or of one backup, and compares its checksum, without restoring. Fails on
/// the first damaged file, and names it. Fails while another process works on the folder. Memory: 1 MiB, and a line for
/// each file.
pub fn check_backups(
    path: &Path,
    number: Option<u32>,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<CheckedBackups> {
    let _lock = lock(path, false)?;
    let mut numbers = backup_files::numbers(path)?;
    if let Some(number) = number {
        if !numbers.contains(&number) {
            return Err(no_backup(number, path, &numbers));
        }
        numbers.retain(|other| *other == number);
    }
    if numbers.is_empty() {
        return Err(no_whole_backup(path));
    }
    backup_files::check(path, &numbers, cancel, progress)
}

fn lock(path: &Path, create: bool) -> Result<File> {
    if !create && !path.join("meta").is_dir() {
        return Err(Error::refused(
            format!("there is no backup at {}", path.shown()),
            message!["name the folder that ", [Backup To], " wrote to"],
        ));
    }
    let lock = regular_file::open_or_folder(path).map_err(|error| Error::io("open", path, error))?;
    lock.try_lock().map_err(|error| {
        Error::new(
            Kind::Busy,
            format!("another process is using the backups at {}", path.shown()),
            "wait for it to end and run the same command again",
        )
        .caused_by(error)
    })?;
    Ok(lock)
}
