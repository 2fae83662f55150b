//! A commit of which nobody knows whether it was made.
//!
//! RocksDB takes table files in by one record in its manifest. Where syncing the manifest fails, the record may be in
//! it or not; RocksDB reports a failure and deletes its names of the table files. If the record is there after all, the
//! database lacks files and does not open.
//!
//! So after a failed commit the files stay in the staging folder under the names that they had there. When the process
//! is done with the database, or by the next writer, it is found out what the manifest says: if it asks for the files
//! it gets them, and the batch has been committed; else they go, and it has not.

use std::fs;
use std::path::{Path, PathBuf};

use rocksdb::DB;

use super::options::options;
use crate::storage::sync;
use crate::store::folder::Folder;

/// Held beside a database that is open for writing; resolves an in-doubt commit when dropped, which must be after the
/// database has been closed or given up.
pub struct InDoubt {
    folder: Folder,
}

impl InDoubt {
    pub fn about(folder: &Folder) -> Self {
        InDoubt { folder: folder.clone() }
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}

impl Drop for InDoubt {
    fn drop(&mut self) {
        // Left as it is where that does not work; then the next writer tries.
        if resolve(&self.folder) {
            let _ = self.folder.drop_staging();
        }
    }
}

/// Gives the database, into which nobody writes any more, the staged table files that its manifest asks for. Tells
/// whether there was a doubt and it is settled: the database can be opened.
pub fn resolve(folder: &Folder) -> bool {
    let staged = tables(&folder.tables());
    let database = folder.database();
    if staged.is_empty() {
        return false;
    }
    let refusal =
        |database: &Path| DB::open_for_read_only(&options(), database, false).err().map(|error| error.to_string());
    let Some(text) = refusal(&database) else { return true };
    let Some(missing) = missing_table(&text, &database) else { return false };
    // The files of a load have consecutive numbers. The one that is missed may be any of them.
    for place in 0..staged.len() as u64 {
        let Some(first) = missing.checked_sub(place) else { break };
        let names: Vec<PathBuf> = (first..).take(staged.len()).map(|number| table(&database, number)).collect();
        if names.iter().any(|name| name.exists()) {
            continue;
        }
        let linked = staged.iter().zip(&names).try_for_each(|(staged, name)| fs::hard_link(staged, name));
        // RocksDB compares size and identity of each file with what the manifest says.
        if linked.is_ok() && sync(&database).is_ok() && refusal(&database).is_none() {
            return true;
        }
        for name in names {
            let _ = fs::remove_file(name);
        }
    }
    false
}

/// The staged files in the order in which they were committed.
fn tables(staging: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(staging).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut tables: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|name| name == "sst")).collect();
    tables.sort();
    tables
}

fn table(database: &Path, number: u64) -> PathBuf {
    database.join(format!("{number:06}.sst"))
}

/// The number of a table file that is not there although RocksDB's refusal names it.
fn missing_table(text: &str, database: &Path) -> Option<u64> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
    let mut numbers = words.filter_map(|word| word.trim_end_matches('.').strip_suffix(".sst")?.parse().ok());
    numbers.find(|number| !table(database, *number).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{RawStore, Settings, Store};

    /// Commits three table files at once and then removes them from the database, as RocksDB does where it could not
    /// sync its manifest.
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
