//! Creating a store.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;

use rocksdb::{DB, WriteBatch, WriteOptions};

use super::engine::checkpoint::is_there;
use super::engine::database::Database;
use super::engine::failure::failure;
use super::engine::options::options;
use super::folder::Folder;
use super::handle::Store;
use super::settings::Settings;
use crate::error::{Error, Kind, Result};
use crate::exact::Held;
use crate::format::{DropDuplicates, IdsRecord, Key, Record, StoreRecord, Totals, TypesRecord, ZoneRulesRecord};
use crate::storage::regular_file;
use crate::text::Shown;

/// A store that is made aside and appears together with everything committed to it. If dropped before that, it leaves
/// nothing; if killed, the next writer removes its remains.
///
/// 1. The store's folder is locked, so that one process at a time makes a store in it.
/// 2. A folder in its staging folder becomes a store folder of its own, to be filled like any other.
/// 3. `put_in_place` closes the database there and renames it.
pub(crate) struct NewStore {
    store: Store,
    // Declared after the store, so that the store is closed before its files are removed.
    making: Making,
}

impl Store {
    /// Creates an empty store, durable on return. Fails if a store exists.
    pub fn create(folder: &Folder, settings: Settings) -> Result<()> {
        NewStore::begin(folder, settings)?.put_in_place()
    }
}

impl NewStore {
    /// Starts an empty store. Fails if a store exists.
    pub(crate) fn begin(folder: &Folder, settings: Settings) -> Result<Self> {
        Self::start(Making::begin(folder)?, settings)
    }

    /// Starts an empty store for a caller that has found none before. If another process has made a store since then,
    /// the error asks to run the command again.
    pub(crate) fn begin_where_none_was(folder: &Folder, settings: Settings) -> Result<Self> {
        match Making::begin_unless_there(folder)? {
            Some(making) => Self::start(making, settings),
            None => Err(Error::new(
                Kind::Busy,
                format!("another process has created the store at {} meanwhile", folder.path().shown()),
                "run the same command again",
            )),
        }
    }

    fn start(making: Making, settings: Settings) -> Result<Self> {
        let record = StoreRecord {
            max_history: u32::try_from(settings.max_history).held("the settings of a store have been checked")?,
            time_zone: settings.zone.name().to_owned(),
        };
        let mut batch = WriteBatch::default();
        batch.put(Key::Store.encode(), record.to_bytes()?);
        batch.put(Key::Totals.encode(), Totals::default().to_bytes()?);
        if let Some(types) = TypesRecord::of(&settings.types) {
            batch.put(Key::Types.encode(), types.to_bytes()?);
        }
        if !settings.zone.is_utc() {
            batch.put(Key::ZoneRules.encode(), ZoneRulesRecord::of(settings.zone.rules()).to_bytes()?);
        }
        if let Some(ids) = IdsRecord::of(settings.ids) {
            batch.put(Key::Ids.encode(), ids.to_bytes()?);
        }
        if let Some(drop) = DropDuplicates::of(settings.duplicates) {
            batch.put(Key::DropDuplicates.encode(), drop.to_bytes()?);
        }
        let mut options = options();
        options.create_if_missing(true);
        let aside = &making.aside;
        let failed = |error: rocksdb::Error| failure("create", aside, error);
        let db = Database::writing(DB::open(&options, aside.database()).map_err(failed)?, aside);
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        // Moved from the log to a table, so that the log stays empty and later loads never wait for it.
        db.write_opt(batch, &synced).and_then(|()| db.flush()).map_err(failed)?;
        Ok(NewStore { store: Store::with(db, aside)?, making })
    }

    /// Returns the store, to be filled before it appears.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Makes the store appear with everything committed to it, durably.
    pub(crate) fn put_in_place(self) -> Result<()> {
        let NewStore { store, making } = self;
        drop(store);
        making.folder.put_in_place(&making.aside)
    }
}

/// The folders of a store that is being made, and the lock.
pub(super) struct Making {
    folder: Folder,
    pub aside: Folder,
    /// Whether the store's folder existed before.
    is_old_folder: bool,
    /// Whether the files stay if the store does not appear.
    are_files_kept: bool,
    _turn: File,
}

impl Making {
    /// Starts where no store exists. Dropping removes all files.
    pub(super) fn begin(folder: &Folder) -> Result<Self> {
        Self::begin_unless_there(folder)?.ok_or_else(|| there_already(folder))
    }

    /// Starts where no store exists, with the files that an earlier call has left. Dropping leaves them, unless the
    /// store has appeared; whoever else starts here removes them.
    pub(super) fn resume(folder: &Folder) -> Result<Self> {
        Self::start(folder)?.ok_or_else(|| there_already(folder))
    }

    /// Makes the complete store appear, durably.
    pub(super) fn put_in_place(mut self) -> Result<()> {
        self.folder.put_in_place(&self.aside)?;
        self.are_files_kept = false;
        Ok(())
    }

    /// Starts if no store exists; `None` if one does. Dropping removes all files.
    fn begin_unless_there(folder: &Folder) -> Result<Option<Self>> {
        let Some(making) = Self::start(folder)? else { return Ok(None) };
        // A killed process may have left a database with batches that were never acknowledged.
        making.aside.remove()?;
        making.aside.create()?;
        Ok(Some(making.with_files_dropped()))
    }

    fn start(folder: &Folder) -> Result<Option<Self>> {
        let is_old_folder = folder.path().exists();
        let turn = lock(folder)?;
        if folder.holds_store()? {
            return Ok(None);
        }
        let aside = folder.aside();
        aside.create()?;
        Ok(Some(Making { folder: folder.clone(), aside, is_old_folder, are_files_kept: true, _turn: turn }))
    }

    fn with_files_dropped(mut self) -> Self {
        self.are_files_kept = false;
        self
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let has_files = || fs::read_dir(self.aside.database()).is_ok_and(|mut files| files.next().is_some());
        if self.are_files_kept && has_files() {
            return;
        }
        // The next writer removes what cannot be removed now. A folder with other content, such as the store, is not
        // empty and stays.
        let _ = self.aside.remove();
        self.folder.remove_if_empty(self.is_old_folder);
    }
}

fn there_already(folder: &Folder) -> Error {
    Error::refused(
        format!("there is a store at {} already", folder.path().shown()),
        "name another folder, or use the store as it is",
    )
}

/// Creates and locks the folder. Another process that gives up making a store removes the folder that it created; then
/// both steps are repeated.
fn lock(folder: &Folder) -> Result<File> {
    let path = folder.path();
    loop {
        folder.create()?;
        let file = match regular_file::open_or_folder(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            opened => opened.map_err(|error| Error::io("open", path, error))?,
        };
        match file.try_lock() {
            Ok(()) if is_there(&file, path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::Busy,
                    format!("another process is creating the store at {}", path.shown()),
                    "wait for it to end and run the same command again",
                ));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn one_at_a_time_and_nothing_is_left_of_one_that_is_given_up() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("above/store");
        let folder = Folder::new(&path);
        let new = NewStore::begin(&folder, Settings::default()).unwrap();
        let other = NewStore::begin(&folder, Settings::default()).err().unwrap();
        assert_eq!(other.kind(), Kind::Busy);
        assert!(!folder.holds_store().unwrap(), "not to be seen yet");
        drop(new);
        assert!(!path.exists());
        // The remains of a killed process are not mistaken for the new store.
        std::fs::create_dir_all(path.join("staging/new/db")).unwrap();
        std::fs::write(path.join("staging/new/db/CURRENT"), b"MANIFEST-000005\n").unwrap();
        NewStore::begin(&folder, Settings::default()).unwrap().put_in_place().unwrap();
        assert!(folder.holds_store().unwrap() && !folder.has_leftovers());
        let again = NewStore::begin(&folder, Settings::default()).err().unwrap();
        assert!(again.to_string().contains("there is a store"), "{again}");
        let late = NewStore::begin_where_none_was(&folder, Settings::default()).err().unwrap();
        assert_eq!(late.kind(), Kind::Busy);
        assert!(late.to_string().contains("another process has created the store"), "{late}");
    }

    /// A store that appears between two checks is a store, and not a folder with other things in it.
    #[test]
    fn nobody_takes_a_store_that_appears_for_something_else() {
        let place = tempfile::tempdir().unwrap();
        for round in 0..60 {
            let path = place.path().join(round.to_string());
            let is_over = AtomicBool::new(false);
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !is_over.load(Ordering::SeqCst) {
                            Folder::new(&path).holds_store().unwrap();
                        }
                    });
                }
                let makers = [(); 2].map(|()| scope.spawn(|| Store::create(&Folder::new(&path), Settings::default())));
                let made = makers.map(|maker| maker.join().unwrap());
                is_over.store(true, Ordering::SeqCst);
                assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
            });
            Store::open_reader(&Folder::new(&path)).unwrap();
        }
    }
}
