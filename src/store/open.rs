//! Opening the database of a store, of whatever format version.

use std::path::Path;

use rocksdb::DB;

use super::database::Database;
use super::doubt;
use super::folder::Folder;
use super::holder::holder;
use super::options::{options, options_of_a_glance};
use super::{checkpoint, mark, rocksdb_manifest, tables};
use crate::error::{Error, FREE_SPACE, Kind, Result};
use crate::storage::regular_file;
use crate::text::Shown;

/// Opening to read is tried this often: a table file may go between reading the list of files and opening them, once per compaction.
const READER_TRIES: usize = 20;

/// The same where something else was found than what should be there.
const READER_TRIES_OF_DAMAGE: usize = 2;

/// How RocksDB's messages say that a file is not there, of whatever kind the error is.
const NO_FILE: &str = "No such file";

/// Opens the database for writing, moves the mark up to it, and removes what was staged. Refused while another process writes, and where the
/// database has gone back: then nothing has been changed.
pub(super) fn for_writing(folder: &Folder) -> Result<Database> {
    require(folder)?;
    check_files(&folder.database())?;
    rocksdb_manifest::check(folder)?;
    tables::check(folder)?;
    let marked = mark::read(folder)?;
    // Opening to write begins a new manifest and removes files that the old one does not name; so it comes after the check. What fails here for
    // another reason fails below with what to do.
    if let Ok(glance) = DB::open_for_read_only(&options_of_a_glance(), folder.database(), false) {
        mark::check(marked, &glance, folder)?;
    }
    let open = || DB::open(&options(), folder.database());
    let opened = open().or_else(|error| match error.kind() {
        // A writer may have been killed right after a commit that failed.
        rocksdb::ErrorKind::Corruption if doubt::settle(folder) => open(),
        _ => Err(error),
    });
    let db = Database::writing(opened.map_err(|error| failure("open", folder, &error))?, folder);
    mark::check(marked, &db, folder)?;
    mark::advance(&db, folder)?;
    folder.drop_leftovers()?;
    checkpoint::drop_left_behind(folder)?;
    Ok(db)
}

/// Opens the database for reading, beside a writer or not.
pub(super) fn for_reading(folder: &Folder) -> Result<Database> {
    require(folder)?;
    let mut tries = 1;
    loop {
        match open_to_read(folder) {
            Err(error) if tries < tries_after(&error) => tries += 1,
            tried => return tried,
        }
    }
}

/// A file that is not there has been replaced by others, and soon all of them are found; damage stays, but for the moment in which a writer writes.
fn tries_after(error: &Error) -> usize {
    if error.kind() == Kind::Corrupt && !error.what().contains(NO_FILE) { READER_TRIES_OF_DAMAGE } else { READER_TRIES }
}

fn open_to_read(folder: &Folder) -> Result<Database> {
    check_files(&folder.database())?;
    rocksdb_manifest::check(folder)?;
    tables::check(folder)?;
    // Before the database: it may move on meanwhile, and the mark behind it.
    let marked = mark::read(folder)?;
    let db = DB::open_for_read_only(&options(), folder.database(), false);
    let db = db.map_err(|error| failure("open", folder, &error))?;
    mark::check(marked, &db, folder)?;
    Ok(Database::reading(db))
}

/// Fails where anything below a folder would keep RocksDB waiting: it opens whatever has the right name.
pub(super) fn check_files(folder: &Path) -> Result<()> {
    regular_file::check_below(folder).map_err(|(path, error)| Error::io("open", &path, &error))
}

/// Fails with what to do where no store is.
pub(super) fn require(folder: &Folder) -> Result<()> {
    if folder.holds_store()? {
        return Ok(());
    }
    Err(Error::refused(
        format!("there is no store at {}", folder.path().shown()),
        "check --store, and whether its disk is mounted; a new store is made by `lookback init`, `lookback backfill` or `lookback ingest --create`",
    ))
}

/// RocksDB's error, with what was being done and what mends it. `verb` fits "cannot … the store at".
pub(super) fn failure(verb: &str, folder: &Folder, error: &rocksdb::Error) -> Error {
    let text = error.to_string();
    let path = folder.path().shown();
    if text.contains("lock file") || text.contains("lock hold by") {
        let is_own = text.contains("lock hold by");
        let who = if is_own { None } else { holder(folder) };
        let who = who.map_or_else(String::new, |who| format!(" ({who})"));
        return Error::new(
            Kind::Busy,
            format!("another process is writing to the store at {path}{who}"),
            "wait for it to end and run the same command again",
        );
    }
    match error.kind() {
        _ if verb == "open" && text.contains(NO_FILE) => {
            Error::corrupt(format!("the store at {path} lacks a file ({text})"))
        }
        rocksdb::ErrorKind::Corruption => Error::corrupt(format!("cannot {verb} the store at {path} ({text})")),
        _ => {
            // RocksDB tells what the system said in its text alone.
            let remedy = if text.contains("No space left on device") {
                folder.note_full();
                FREE_SPACE
            } else {
                "check the disk and the permissions and run the same command again"
            };
            Error::new(Kind::Io, format!("cannot {verb} the store at {path} ({text})"), remedy)
        }
    }
}
