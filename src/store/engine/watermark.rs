//! The watermark beside the database, which reveals a database that has lost commits.
//!
//! RocksDB keeps the list of its files in a log of edits, its manifest. It takes an unfinished record at the end of
//! that log for the trace of a killed process and opens the state before it. A single damaged byte (the length of a
//! record, in its head) looks the same, and silently takes the store back by one or many batches.
//!
//! So each commit is counted in two places, which must agree:
//! 1. RocksDB counts its writes (the sequence number) in that log; every load counts as at least one write, since it
//!    overwrites the totals.
//! 2. When a commit is durable, its number is written to the file `mark` beside the database, in one step.
//! 3. Opening a store reads the watermark first and the database second. A database below its watermark has lost
//!    commits, and is refused.
//!
//! A database ahead of its watermark is whole: its writer was killed between the two steps, or has just written. The
//! next writer advances the watermark. A store without one was last written before watermarks existed.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use rocksdb::DB;

use crate::error::{Error, Kind, Result};
use crate::format::Watermark;
use crate::message::message;
use crate::storage::regular_file;
use crate::store::folder::Folder;
use crate::text::Shown;

/// Returns the watermark of a store; `None` if it has none. Fails if the watermark is damaged.
pub(crate) fn read(folder: &Folder) -> Result<Option<Watermark>> {
    let path = folder.watermark();
    let bytes = match regular_file::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    Watermark::decode(&bytes).map(Some).map_err(|error| {
        Error::new(
            Kind::Corrupt,
            format!("{} is damaged, so it is unknown whether the store has all its commits", path.shown()),
            message![
                "restore the store from a backup; or remove that file, run ",
                [Verify],
                ", and check with ",
                [Status],
                " whether the newest batches are there"
            ],
        )
        .caused_by(error)
    })
}

/// Fails if the database is below `watermark`, which must have been read before the database was opened.
pub(crate) fn check(watermark: Option<Watermark>, db: &DB, folder: &Folder) -> Result<()> {
    let reached = db.latest_sequence_number();
    match watermark {
        Some(Watermark(watermark)) if reached < watermark => Err(Error::new(
            Kind::Corrupt,
            format!(
                "the database of the store at {} has lost its newest commits: it has {reached} of the {watermark} writes that {} records",
                folder.path().shown(),
                folder.watermark().shown(),
            ),
            message![
                "restore the store from a backup; or remove that file and run ",
                [Backfill],
                " over the newest days, which ingests the lost batches again"
            ],
        )),
        _ => Ok(()),
    }
}

/// Advances the watermark to the database's current number. All writes must be durable.
pub(crate) fn advance(db: &DB, folder: &Folder) -> Result<()> {
    let reached = Watermark(db.latest_sequence_number());
    // A damaged watermark is not lost here: opening the store has already refused it.
    if read(folder).is_ok_and(|watermark| watermark == Some(reached)) {
        return Ok(());
    }
    let (path, aside) = (folder.watermark(), folder.create_staging()?.join("mark"));
    let mut how = File::options();
    let written = how.write(true).create(true).truncate(true).mode(0o600).open(&aside);
    let written = written.and_then(|mut file| file.write_all(&reached.encode()).and_then(|()| file.sync_all()));
    written.map_err(|error| Error::io("write", &aside, error))?;
    fs::rename(&aside, &path).map_err(|error| Error::io("put in place", &path, error))?;
    // The folder stays if it holds other staged files.
    let _ = aside.parent().map(fs::remove_dir);
    folder.sync()
}

/// Advances the watermark after a commit. A failure to write it, for example on a full disk, does not undo the commit:
/// a database ahead of its watermark is whole, and the next writer advances the watermark.
pub(crate) fn advance_after_commit(db: &DB, folder: &Folder) {
    let _ = advance(db, folder);
}
