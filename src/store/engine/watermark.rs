//! The watermark beside the database, by which a database that has gone back is told from one that is whole.
//!
//! RocksDB keeps what it consists of in a log of edits, its manifest. It takes an unfinished record at the end of that
//! log for the trace of a killed process and opens the state before it. A single damaged byte (the length of a record,
//! in its head) looks the same, and takes the store back by one batch or by many, without a word.
//!
//! So each commit is counted in two places, which must agree:
//! 1. RocksDB counts the writes that it has had (its sequence number) in that same log; every load is at least one,
//!    since it lies over the totals.
//! 2. When a commit is durable, that number is written to the file `mark` beside the database, in one step.
//! 3. Who opens the store reads the watermark first and the database then. A database behind its mark has lost commits,
//!    and is refused.
//!
//! A database ahead of its mark is whole: whoever wrote it was killed between the two, or has just written. The next
//! writer moves the watermark up. A store without a mark is one that no program has written to since there are marks.

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

/// The watermark of a store; `None` if it has none. Fails where it is damaged.
pub fn read(folder: &Folder) -> Result<Option<Watermark>> {
    let path = folder.watermark();
    let bytes = match regular_file::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    Watermark::decode(&bytes).map(Some).map_err(|error| {
        Error::new(
            Kind::Corrupt,
            format!("{} is damaged, which tells whether the store has all that was committed", path.shown()),
            message![
                "restore the store from a copy; or remove that file, run ",
                [Verify],
                ", and see with ",
                [Status],
                " whether the newest batches are there"
            ],
        )
        .caused_by(error)
    })
}

/// Fails if the database has come less far than `mark`, which was read before it was opened.
pub fn check(watermark: Option<Watermark>, db: &DB, folder: &Folder) -> Result<()> {
    let reached = db.latest_sequence_number();
    match watermark {
        Some(Watermark(watermark)) if reached < watermark => Err(Error::new(
            Kind::Corrupt,
            format!(
                "the database of the store at {} has lost its newest commits: it has come to write {reached} of the {watermark} that {} tells of",
                folder.path().shown(),
                folder.watermark().shown(),
            ),
            message![
                "restore the store from a copy; or remove that file and run ",
                [Backfill],
                " over the newest days, which takes again what was lost"
            ],
        )),
        _ => Ok(()),
    }
}

/// Moves the watermark to where the database is now. To be called when all that was written is durable.
pub fn advance(db: &DB, folder: &Folder) -> Result<()> {
    let reached = Watermark(db.latest_sequence_number());
    // A damaged one is not lost here: it was refused when the store was opened.
    if read(folder).is_ok_and(|watermark| watermark == Some(reached)) {
        return Ok(());
    }
    let (path, aside) = (folder.watermark(), folder.create_staging()?.join("mark"));
    let mut how = File::options();
    let written = how.write(true).create(true).truncate(true).mode(0o600).open(&aside);
    let written = written.and_then(|mut file| file.write_all(&reached.encode()).and_then(|()| file.sync_all()));
    written.map_err(|error| Error::io("write", &aside, error))?;
    fs::rename(&aside, &path).map_err(|error| Error::io("put in place", &path, error))?;
    // Where something else is being staged, the folder stays.
    let _ = aside.parent().map(fs::remove_dir);
    folder.sync()
}

/// The same behind a commit. That the watermark cannot be written, on a disk that is full for one, does not undo the
/// commit: a database ahead of its mark is whole, and the next writer moves the watermark up.
pub fn plan_keyframes(db: &DB, folder: &Folder) {
    let _ = advance(db, folder);
}
