//! Opening the database of a store, of whatever format version.

use rocksdb::DB;

use super::engine::database::Database;
use super::engine::failure::{NO_FILE, check_files, failure, require};
use super::engine::in_doubt;
use super::engine::options::{options, options_of_a_glance};
use super::engine::{checkpoint, manifest, watermark};
use super::folder::Folder;
use super::sst;
use crate::error::{Error, Kind, Result};

/// Opening to read is tried this often: a table file may go between reading the list of files and opening them, once
/// per compaction.
const READER_TRIES: usize = 20;

/// The same where something else was found than what should be there.
const READER_TRIES_OF_DAMAGE: usize = 2;

/// Opens the database for writing, moves the watermark up to it, and removes what was staged. Refused while another
/// process writes, and where the database has gone back: then nothing has been changed.
pub(super) fn for_writing(folder: &Folder) -> Result<Database> {
    require(folder)?;
    check_files(&folder.database())?;
    manifest::check(folder)?;
    sst::check(folder)?;
    let watermark = watermark::read(folder)?;
    // Opening to write begins a new manifest and removes files that the old one does not name; so it comes after the
    // check. What fails here for another reason fails below with what to do.
    if let Ok(glance) = DB::open_for_read_only(&options_of_a_glance(), folder.database(), false) {
        watermark::check(watermark, &glance, folder)?;
    }
    let open = || DB::open(&options(), folder.database());
    let opened = open().or_else(|error| match error.kind() {
        // A writer may have been killed right after a commit that failed.
        rocksdb::ErrorKind::Corruption if in_doubt::resolve(folder) => open(),
        _ => Err(error),
    });
    let db = Database::writing(opened.map_err(|error| failure("open", folder, error))?, folder);
    watermark::check(watermark, &db, folder)?;
    watermark::advance(&db, folder)?;
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

/// A file that is not there has been replaced by others, and soon all of them are found; damage stays, but for the
/// moment in which a writer writes.
fn tries_after(error: &Error) -> usize {
    if error.kind() == Kind::Corrupt && !error.what().to_string().contains(NO_FILE) {
        READER_TRIES_OF_DAMAGE
    } else {
        READER_TRIES
    }
}

fn open_to_read(folder: &Folder) -> Result<Database> {
    check_files(&folder.database())?;
    manifest::check(folder)?;
    sst::check(folder)?;
    // Before the database: it may move on meanwhile, and the watermark behind it.
    let watermark = watermark::read(folder)?;
    let db = DB::open_for_read_only(&options(), folder.database(), false);
    let db = db.map_err(|error| failure("open", folder, error))?;
    watermark::check(watermark, &db, folder)?;
    Ok(Database::reading(db))
}
