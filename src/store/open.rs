//! Opening the database of a store, of any format version.

use rocksdb::DB;

use super::engine::database::Database;
use super::engine::failure::{NO_FILE, check_files, failure, require};
use super::engine::in_doubt;
use super::engine::options::{options, options_of_a_glance};
use super::engine::{checkpoint, manifest, watermark};
use super::folder::Folder;
use super::sst;
use crate::error::{Error, Kind, Result};

/// Number of attempts to open for reading: each compaction may remove a table file between reading the list of files
/// and opening them.
const READER_TRIES: usize = 20;

/// Number of attempts if the database looks damaged.
const READER_TRIES_OF_DAMAGE: usize = 2;

/// Opens the database for writing, moves the watermark up to it, and removes staged files. Fails while another process
/// writes, and if the database has lost commits; then nothing has changed.
pub(super) fn for_writing(folder: &Folder) -> Result<Database> {
    require(folder)?;
    check_files(&folder.database())?;
    manifest::check(folder)?;
    sst::check(folder)?;
    let watermark = watermark::read(folder)?;
    // Opening for writing starts a new manifest and removes files that the old manifest does not name, so the check
    // comes first. Any other failure here happens again below, with its remedy.
    if let Ok(glance) = DB::open_for_read_only(&options_of_a_glance(), folder.database(), false) {
        watermark::check(watermark, &glance, folder)?;
    }
    let open = || DB::open(&options(), folder.database());
    let opened = open().or_else(|error| match error.kind() {
        // A writer may have been killed right after a failed commit.
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

/// Opens the database for reading, with or without a writer beside it.
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

/// Returns the number of attempts after an error. A missing file has been replaced by others, which a later attempt
/// finds; damage is permanent, unless it was read in the middle of a write.
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
    // Read before the database is opened: both may advance in the meantime, the watermark last.
    let watermark = watermark::read(folder)?;
    let db = DB::open_for_read_only(&options(), folder.database(), false);
    let db = db.map_err(|error| failure("open", folder, error))?;
    watermark::check(watermark, &db, folder)?;
    Ok(Database::reading(db))
}
