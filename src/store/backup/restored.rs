//! What all backups have in common when a store comes back from one: that it opens, and what is said if it does not.

use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::format::FORMAT_VERSION;
use crate::message::message;
use crate::store::folder::Folder;
use crate::store::handle::Store;
use crate::store::raw::RawStore;
use crate::text::Shown as _;

/// Returns the format version of a store that this program can open, if only to migrate it.
pub(super) fn openable_version(folder: &Folder) -> Result<u8> {
    let version = RawStore::open_reader(folder)?.format_version()?;
    if version >= FORMAT_VERSION {
        Store::open_reader(folder)?;
    }
    Ok(version)
}

/// Says of a damaged store that the backup is.
pub(super) fn refuse_damaged<T>(number: u32, at: &Path, restored: Result<T>) -> Result<T> {
    match restored {
        Err(error) if error.kind() == Kind::Corrupt => Err(Error::new(
            Kind::Corrupt,
            format!("backup {number} at {} is damaged ({})", at.shown(), error.what()),
            message!["restore another backup with ", Number, "; ", [Verify Backup], " shows whether it is complete"],
        )
        .caused_by(error)),
        restored => restored,
    }
}

pub(super) fn no_backup(number: u32, at: &Path, numbers: &[u32]) -> Error {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    Error::refused(
        format!("there is no backup {number} at {}", at.shown()),
        format!("backups there: {}", if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }),
    )
}

pub(super) fn no_whole_backup(at: &Path) -> Error {
    Error::refused(format!("there is no complete backup at {}", at.shown()), "name another place, or make a backup")
}
