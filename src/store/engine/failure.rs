//! RocksDB's errors, and the checks made before RocksDB is called.

use std::path::Path;

use crate::error::{Error, FREE_SPACE, Kind, Result};
use crate::message::message;
use crate::storage::regular_file;
use crate::store::folder::Folder;
use crate::store::holder::holder;
use crate::text::Shown;

/// The words in RocksDB's messages for a missing file, whatever the kind of the error.
pub(crate) const NO_FILE: &str = "No such file";

/// Fails if anything below a folder would block RocksDB: it opens whatever has the right name.
pub(crate) fn check_files(folder: &Path) -> Result<()> {
    regular_file::check_below(folder).map_err(|(path, error)| Error::io("open", &path, error))
}

/// Fails, with a remedy, if no store exists.
pub(crate) fn require(folder: &Folder) -> Result<()> {
    if folder.holds_store()? {
        return Ok(());
    }
    Err(Error::refused(
        format!("there is no store at {}", folder.path().shown()),
        message![
            "check ",
            Store,
            ", and whether its disk is mounted; a new store is created by ",
            [Init],
            ", ",
            [Backfill],
            " or ",
            [Ingest Create],
        ],
    ))
}

/// Wraps RocksDB's error with the failed action and its remedy. `verb` fits "cannot … the store at".
pub(crate) fn failure(verb: &str, folder: &Folder, error: rocksdb::Error) -> Error {
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
        )
        .caused_by(error);
    }
    let failure = match error.kind() {
        _ if verb == "open" && text.contains(NO_FILE) => {
            Error::corrupt(format!("the store at {path} lacks a file ({text})"))
        }
        rocksdb::ErrorKind::Corruption => Error::corrupt(format!("cannot {verb} the store at {path} ({text})")),
        _ => {
            // RocksDB reports the system's error only in its text.
            let remedy = if text.contains("No space left on device") {
                folder.note_full();
                FREE_SPACE
            } else {
                "check the disk and the permissions and run the same command again"
            };
            Error::new(Kind::Io, format!("cannot {verb} the store at {path} ({text})"), remedy)
        }
    };
    failure.caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use rocksdb::{DB, Options};

    use super::*;

    #[test]
    fn what_rocksdb_said_is_the_cause() {
        let place = tempfile::tempdir().unwrap();
        let error = DB::open_for_read_only(&Options::default(), place.path().join("none"), false).unwrap_err();
        let (said, failed) = (error.to_string(), failure("open", &Folder::new(place.path()), error));
        let cause = failed.source().and_then(|cause| cause.downcast_ref::<rocksdb::Error>());
        assert_eq!(cause.map(ToString::to_string), Some(said));
    }
}
