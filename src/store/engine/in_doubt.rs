//! In-doubt commits: failed commits that may have been made all the same.
//!
//! RocksDB ingests table files by one record in its manifest. If syncing the manifest fails, the record may or may not
//! be in it; RocksDB reports a failure and deletes its names of the table files. If the record is there after all, the
//! database lacks these files and fails to open.
//!
//! So after a failed commit the files keep their names in the staging folder. When the process closes the database, or
//! when the next writer opens it, the manifest decides: if it lists the files, the database gets them, and the batch is
//! committed; otherwise the files are removed, and the batch is not committed.

use std::fs;
use std::path::{Path, PathBuf};

use rocksdb::DB;

use super::options::options;
use crate::storage::sync;
use crate::store::folder::Folder;

/// Held beside a database that is open for writing. Resolves an in-doubt commit when dropped, which must come after the
/// database has been closed or given up.
pub(crate) struct InDoubt {
    folder: Folder,
}

impl InDoubt {
    pub(crate) fn about(folder: &Folder) -> Self {
        InDoubt { folder: folder.clone() }
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }
}

impl Drop for InDoubt {
    fn drop(&mut self) {
        // If this fails, the staged files stay, and the next writer tries again.
        if resolve(&self.folder) {
            let _ = self.folder.drop_staging();
        }
    }
}

/// Gives the database, which must have no writer, the staged table files that its manifest lists. Returns whether a
/// commit was in doubt and is resolved: the database can be opened.
pub(crate) fn resolve(folder: &Folder) -> bool {
    let staged = tables(&folder.tables());
    let database = folder.database();
    if staged.is_empty() {
        return false;
    }
    let refusal =
        |database: &Path| DB::open_for_read_only(&options(), database, false).err().map(|error| error.to_string());
    let Some(text) = refusal(&database) else { return true };
    let Some(missing) = missing_table(&text, &database) else { return false };
    // The files of a load have consecutive numbers. The missing file may be any of them.
    for place in 0..staged.len() as u64 {
        let Some(first) = missing.checked_sub(place) else { break };
        let names: Vec<PathBuf> = (first..).take(staged.len()).map(|number| table(&database, number)).collect();
        if names.iter().any(|name| name.exists()) {
            continue;
        }
        let linked = staged.iter().zip(&names).try_for_each(|(staged, name)| fs::hard_link(staged, name));
        // RocksDB compares size and identity of each file with the manifest.
        if linked.is_ok() && sync(&database).is_ok() && refusal(&database).is_none() {
            return true;
        }
        for name in names {
            let _ = fs::remove_file(name);
        }
    }
    false
}

/// Returns the staged files in the order of the commit.
fn tables(staging: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(staging).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut tables: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|name| name == "sst")).collect();
    tables.sort();
    tables
}

fn table(database: &Path, number: u64) -> PathBuf {
    database.join(format!("{number:06}.sst"))
}

/// Returns the number of the missing table file that RocksDB's error names.
fn missing_table(text: &str, database: &Path) -> Option<u64> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    let mut numbers = words.filter_map(|word| word.trim_end_matches('.').strip_suffix(".sst")?.parse().ok());
    numbers.find(|number| !table(database, *number).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RawStore, Settings, Store};

    /// Commits three table files at once and then removes them from the database, as RocksDB does after a failed sync
    /// of its manifest.
    fn store_in_doubt(place: &Path) -> Folder {
        let folder = Folder::new(place);
        Store::create(&folder, Settings::default()).unwrap();
        let store = Store::open_writer(&folder).unwrap();
        let database = folder.database();
        let before = tables(&database);
        let mut load = store.bulk_load().unwrap();
        for number in 0..3 {
            load.set_raw(&[0x11, number], Some(&[number])).unwrap();
            load.finish().unwrap();
        }
        let kept = place.join("kept");
        fs::create_dir(&kept).unwrap();
        for staged in tables(&folder.tables()) {
            fs::hard_link(&staged, kept.join(staged.file_name().unwrap())).unwrap();
        }
        load.commit().unwrap();
        drop(store);
        for taken in tables(&database).into_iter().filter(|table| !before.contains(table)) {
            fs::remove_file(taken).unwrap();
        }
        folder.create_tables().unwrap();
        for table in tables(&kept) {
            fs::rename(&table, folder.tables().join(table.file_name().unwrap())).unwrap();
        }
        fs::remove_dir(kept).unwrap();
        folder
    }

    #[test]
    fn files_that_the_manifest_asks_for_are_given_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = store_in_doubt(place.path());
        assert!(RawStore::open_reader(&folder).is_err(), "the database lacks files");
        let store = RawStore::open_writer(&folder).unwrap();
        let numbers: Vec<u8> = store.entries(&[0x11]).map(|entry| entry.unwrap().1[0]).take(3).collect();
        assert_eq!(numbers, [0, 1, 2]);
        assert!(!folder.has_leftovers());
    }

    #[test]
    fn other_files_are_not_taken_for_them() {
        let place = tempfile::tempdir().unwrap();
        let folder = store_in_doubt(place.path());
        let staged = tables(&folder.tables());
        fs::write(&staged[1], b"not what was committed").unwrap();
        assert!(!resolve(&folder));
        assert!(RawStore::open_writer(&folder).is_err());
        assert_eq!(tables(&folder.tables()), staged, "they stay");
        assert_eq!(tables(&folder.database()).len(), 1, "nothing was put beside the first one");
    }
}
